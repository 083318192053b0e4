/** Writes the search index, part by part, so that the number of documents does not decide how much memory that takes. */
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
  #documents = 0;
  #terms = 0;
  #lengths = new Uint8Array(1024);

  /**
   * @param database with the tables of `indexSchema`
   * @param partSize documents whose words are held in memory at once
   */
  constructor(database: DatabaseSync, partSize = 20_000) {
    this.#database = database;
    this.#partSize = partSize;
    this.#insert = database.prepare('INSERT INTO term (term, part, documents, postings) VALUES (?, ?, ?, ?)');
  }

  /** @param text of the next document */
  add(text: string): void {
    const document = this.#documents++;
    const terms = termsOf(text);
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      const postings = this.#part.get(term) ?? new PostingsWriter();
      postings.add(document, count);
      this.#part.set(term, postings);
    }
    this.#terms += terms.length;
    if (document === this.#lengths.length) {
      const larger = new Uint8Array(this.#lengths.length * 2);
      larger.set(this.#lengths);
      this.#lengths = larger;
    }
    this.#lengths[document] = lengthByte(terms.length);
    if (this.#documents % this.#partSize === 0) this.#writePart();
  }

  /** Once, after the last document. @param ordered numbers of all documents, in the order that decides ties */
  end(ordered: Iterable<number>): void {
    this.#writePart();
    const order = new Uint32Array(this.#documents);
    let place = 0;
    for (const number of ordered) order[number] = place++;
    this.#database
      .prepare('INSERT INTO lengths (bytes, tie_order, terms) VALUES (?, ?, ?)')
      .run(this.#lengths.subarray(0, this.#documents), new Uint8Array(order.buffer), this.#terms);
  }

  #writePart(): void {
    const sorted = [...this.#part].sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [term, postings] of sorted) this.#insert.run(term, this.#parts, postings.documents, postings.bytes());
    this.#part = new Map();
    this.#parts++;
  }
}
