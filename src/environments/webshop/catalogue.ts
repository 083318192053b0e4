/** The catalogue of a dataset folder, read as it is needed. All sessions of a process share one. */
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from '../../node-sqlite.ts';
import { remembered } from '../remembered.ts';
import { StoredIndex } from '../text-search/stored-index.ts';
import { databaseFile } from './dataset.ts';
import type { Goal } from './goals.ts';
import type { Product } from './product.ts';
import type { Catalogue } from './shop.ts';

/** Products and searches that are kept: what the sessions of one worker look at. */
const kept = 2000;

/** Most products that a search finds, as in the benchmark. */
const mostHits = 50;

export type NumberedGoal = { place: number; split: 'train' | 'test'; goal: Goal };

export class StoredCatalogue implements Catalogue {
  readonly #database: DatabaseSync;
  readonly #index: StoredIndex;
  readonly #product: StatementSync;
  readonly #asin: StatementSync;
  readonly #goal: StatementSync;
  readonly #products = new Map<string, { product: Product; price: number }>();
  readonly #found = new Map<string, string[]>();

  /** @param folder of a dataset */
  constructor(folder: string) {
    this.#database = new DatabaseSync(join(folder, databaseFile), { readOnly: true });
    // The pages of a large catalogue are read from the system's own cache.
    this.#database.exec(`PRAGMA mmap_size = ${2 ** 40}`);
    this.#product = this.#database.prepare('SELECT content, price FROM product WHERE asin = ?');
    this.#asin = this.#database.prepare('SELECT asin FROM product WHERE number = ?');
    this.#goal = this.#database.prepare('SELECT content FROM goal WHERE place = ?');
    this.#index = new StoredIndex(this.#database, mostHits);
  }

  search(query: string): string[] {
    return remembered(this.#found, query, kept, () =>
      this.#index.search(query).map((number) => String(this.#asin.get(number)!.asin)),
    );
  }

  product(asin: string): Product {
    return this.#read(asin).product;
  }

  price(asin: string): number {
    return this.#read(asin).price;
  }

  /** Tasks in the benchmark's order: those that are in a split. */
  *goals(): Generator<NumberedGoal> {
    const rows = this.#database.prepare(
      'SELECT place, split, content FROM goal WHERE split IS NOT NULL ORDER BY place',
    );
    for (const { place, split, content } of rows.iterate())
      yield { place: Number(place), split: split as 'train' | 'test', goal: JSON.parse(String(content)) as Goal };
  }

  /** @param place in the benchmark's order, from 0 */
  goal(place: number): Goal | null {
    const row = this.#goal.get(place);
    return row ? (JSON.parse(String(row.content)) as Goal) : null;
  }

  close(): void {
    this.#database.close();
  }

  #read(asin: string): { product: Product; price: number } {
    return remembered(this.#products, asin, kept, () => {
      const row = this.#product.get(asin)!;
      return { product: JSON.parse(String(row.content)) as Product, price: Number(row.price) };
    });
  }
}
