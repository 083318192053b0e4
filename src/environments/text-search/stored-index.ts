/** A search index in a SQLite file: `IndexWriter` writes it, and a search reads the rows of its terms. */
import type { DatabaseSync, StatementSync } from '../../node-sqlite.ts';
import { termsOf } from './analysis.ts';
import { type Postings, Ranking } from './ranking.ts';

/** Tables of an index. Numbers of documents count from 0, in the order in which they were added. */
export const indexSchema = `
  CREATE TABLE term (term TEXT NOT NULL, part INTEGER NOT NULL, documents INTEGER NOT NULL, postings BLOB NOT NULL, PRIMARY KEY (term, part)) STRICT, WITHOUT ROWID;
  CREATE TABLE lengths (bytes BLOB NOT NULL, tie_order BLOB NOT NULL, terms INTEGER NOT NULL) STRICT;
`;

export class StoredIndex {
  readonly #postings: StatementSync;
  readonly #ranking: Ranking;
  readonly #mostHits: number;

  /** @param mostHits that a search finds */
  constructor(database: DatabaseSync, mostHits: number) {
    this.#mostHits = mostHits;
    this.#postings = database.prepare('SELECT documents, postings FROM term WHERE term = ? ORDER BY part');
    const row = database.prepare('SELECT bytes, tie_order, terms FROM lengths').get()!;
    const order = (row.tie_order as Uint8Array).slice();
    this.#ranking = new Ranking({
      bytes: row.bytes as Uint8Array,
      order: new Uint32Array(order.buffer),
      terms: Number(row.terms),
    });
  }

  /** @returns numbers of the best documents, best first; none if no word of the query counts */
  search(query: string): number[] {
    return this.#ranking.rank(termsOf(query), (term) => this.#postingsOf(term), this.#mostHits);
  }

  #postingsOf(term: string): Postings {
    const rows = this.#postings.all(term);
    return {
      documents: rows.reduce((sum, { documents }) => sum + Number(documents), 0),
      parts: rows.map(({ postings }) => postings as Uint8Array),
    };
  }
}
