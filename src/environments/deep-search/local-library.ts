/** The corpus of a dataset folder: passages and their search index, read as they are needed. All sessions of a process share it. */
import type { DatabaseSync, StatementSync } from '../../node-sqlite.ts';
import { remembered } from '../remembered.ts';
import { StoredIndex } from '../text-search/stored-index.ts';
import { type Document, type Hit, type Library, longestQuery, mostHits } from './library.ts';
import { snippetOf } from './snippet.ts';

/** Searches that are kept. */
const keptSearches = 1000;

export class LocalLibrary implements Library {
  readonly queryLimit = { characters: longestQuery, words: null };
  readonly #index: StoredIndex;
  readonly #byNumber: StatementSync;
  readonly #byId: StatementSync;
  readonly #found = new Map<string, Hit[]>();

  /** @param database of a dataset that has passages */
  constructor(database: DatabaseSync) {
    this.#index = new StoredIndex(database, mostHits);
    this.#byNumber = database.prepare('SELECT id, title, text FROM passage WHERE number = ?');
    this.#byId = database.prepare('SELECT id, title, text FROM passage WHERE id = ?');
  }

  async search(query: string): Promise<{ value: Hit[] }> {
    return { value: this.find(query) };
  }

  async open(id: string): Promise<{ value: Document } | { refused: string }> {
    const value = this.text(id);
    return value ? { value } : { refused: `There is no text with the id "${id.slice(0, 80)}".` };
  }

  find(query: string): Hit[] {
    return remembered(this.#found, query, keptSearches, () =>
      this.#index.search(query).map((number): Hit => {
        const { id, title, text } = documentFrom(this.#byNumber.get(number)!);
        return { id, title, snippet: snippetOf(text, query) };
      }),
    );
  }

  /** Null for an id that no text has. */
  text(id: string): Document | null {
    const row = this.#byId.get(id);
    return row ? documentFrom(row) : null;
  }
}

function documentFrom(row: { [column: string]: unknown }): Document {
  return { id: String(row.id), title: String(row.title), text: String(row.text) };
}
