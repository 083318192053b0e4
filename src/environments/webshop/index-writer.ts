/** Writes the search index of a catalogue, part by part, so that its size does not decide how much memory that takes. */
import type { DatabaseSync, StatementSync } from '../../node-sqlite.ts';
import { termsOf } from './analysis.ts';
import { PostingsWriter } from './postings.ts';
import { lengthByte } from './ranking.ts';

export class IndexWriter {
  readonly #database: DatabaseSync;
  readonly #partSize: number;
  readonly #insert: StatementSync;
  #part = new Map<string, PostingsWriter>();
  #parts = 0;
  #products = 0;
  #terms = 0;
  #lengths = new Uint8Array(1024);

  /**
   * @param database with the tables of a dataset
   * @param partSize products whose words are held in memory at once
   */
  constructor(database: DatabaseSync, partSize = 20_000) {
    this.#database = database;
    this.#partSize = partSize;
    this.#insert = database.prepare('INSERT INTO term (term, part, products, postings) VALUES (?, ?, ?, ?)');
  }

  /** @param text of the next product */
  add(text: string): void {
    const product = this.#products++;
    const terms = termsOf(text);
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      const postings = this.#part.get(term) ?? new PostingsWriter();
      postings.add(product, count);
      this.#part.set(term, postings);
    }
    this.#terms += terms.length;
    if (product === this.#lengths.length) {
      const larger = new Uint8Array(this.#lengths.length * 2);
      larger.set(this.#lengths);
      this.#lengths = larger;
    }
    this.#lengths[product] = lengthByte(terms.length);
    if (this.#products % this.#partSize === 0) this.#writePart();
  }

  /** Once, after the last product. */
  end(): void {
    this.#writePart();
    const order = new Uint32Array(this.#products);
    const rows = this.#database.prepare('SELECT number FROM product ORDER BY asin').iterate();
    let place = 0;
    for (const { number } of rows) order[Number(number)] = place++;
    this.#database
      .prepare('INSERT INTO lengths (bytes, asin_order, terms) VALUES (?, ?, ?)')
      .run(this.#lengths.subarray(0, this.#products), new Uint8Array(order.buffer), this.#terms);
  }

  #writePart(): void {
    const sorted = [...this.#part].sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [term, postings] of sorted) this.#insert.run(term, this.#parts, postings.products, postings.bytes());
    this.#part = new Map();
    this.#parts++;
  }
}
