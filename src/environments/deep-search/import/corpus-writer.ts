/** Writes passages and their search index. */
import { createHash, type Hash } from 'node:crypto';
import { CruxError } from '../../../errors.ts';
import type { DatabaseSync, StatementSync } from '../../../node-sqlite.ts';
import { IndexWriter } from '../../text-search/index-writer.ts';
import type { Passage } from './form.ts';

export class CorpusWriter {
  readonly #hash: Hash;
  readonly #index: IndexWriter;
  readonly #note: StatementSync;
  readonly #known: StatementSync;
  readonly #insert: StatementSync;
  passages = 0;

  constructor(database: DatabaseSync, hash: Hash) {
    this.#hash = hash;
    this.#index = new IndexWriter(database);
    database.exec('CREATE TEMP TABLE known (digest TEXT PRIMARY KEY, id TEXT NOT NULL) STRICT, WITHOUT ROWID');
    this.#note = database.prepare('INSERT OR IGNORE INTO known (digest, id) VALUES (?, ?)');
    this.#known = database.prepare('SELECT id FROM known WHERE digest = ?');
    this.#insert = database.prepare('INSERT OR IGNORE INTO passage (number, id, title, text) VALUES (?, ?, ?, ?)');
  }

  /** Passages with equal title and text are one. @returns what became of it @throws CruxError `User.Config` for an id that another one has */
  add(passage: Passage): 'added' | 'known' | 'empty' {
    const { id = `p${this.passages + 1}`, title, text } = passage;
    if (text.trim() === '') return 'empty';
    if (this.#note.run(digestOf(passage), id).changes === 0) return 'known';
    if (this.#insert.run(this.passages, id, title, text).changes === 0)
      throw new CruxError('User.Config', `Two passages of the corpus have the id ${JSON.stringify(id)}.`, {
        remedy: 'Give them ids of their own, or none.',
      });
    this.#index.add(`${title} ${text}`);
    this.#hash.update(JSON.stringify([id, title, text]));
    this.passages++;
    return 'added';
  }

  /** Null for one without a text. */
  idOf(passage: Passage): string | null {
    const row = this.#known.get(digestOf(passage));
    return row ? String(row.id) : null;
  }

  /** Once, after the last passage. Equally good passages are found in the order of the corpus. */
  end(): void {
    this.#index.end(Array.from({ length: this.passages }, (_, number) => number));
  }
}

function digestOf({ title, text }: Passage): string {
  return createHash('sha256')
    .update(JSON.stringify([title, text]))
    .digest('hex')
    .slice(0, 32);
}
