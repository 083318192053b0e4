/** One database opened for agents: read-only, no statement but SELECT, bounded results. Used inside the executor's processes. */

import { constants, DatabaseSync } from '../../node-sqlite.ts';
import { readColumns } from './column.ts';
import { translate } from './dialect.ts';
import { registerFunctions, type StatementFunctions } from './mysql/function-values.ts';
import { MysqlError } from './mysql/reader.ts';
import { makeSchema, type Schema } from './mysql/scope.ts';
import { tupleText, type Value } from './python-text.ts';

export type QueryLimits = {
  /** Rows that are read; the rest is left out and `truncated` is set. */
  rows: number;
  /** Characters of all rows together; the row that goes beyond is cut, and `truncated` is set. */
  characters: number;
};

export type QueryResult =
  /** Rows as Python tuples; `tables` are the base tables that the query reads. */
  | { kind: 'rows'; rows: string[]; truncated: boolean; tables: string[] }
  | { kind: 'none' }
  | { kind: 'error'; message: string };

/** Actions of SQLite's authorizer that reading needs. ATTACH, PRAGMA and every write are not among them. */
const allowed = new Set([
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
]);
const forbiddenFunctions = new Set(['load_extension', 'fts3_tokenizer', 'edit', 'readfile', 'writefile']);

export class Connection {
  readonly #database: DatabaseSync;
  readonly #schema: Schema;
  readonly #functions: StatementFunctions;

  /**
   * @param name of the database, as MySQL's messages show it
   * @param reversed scans tables backwards, to find out whether a result depends on an order that its query leaves open
   */
  constructor(path: string, name: string, reversed = false) {
    this.#database = new DatabaseSync(path, { readOnly: true, allowExtension: false });
    this.#database.exec(`PRAGMA temp_store = MEMORY; PRAGMA reverse_unordered_selects = ${reversed ? 'ON' : 'OFF'}`);
    this.#functions = registerFunctions(this.#database);
    this.#schema = makeSchema(name, readColumns(this.#database));
    this.#database.setAuthorizer((action, _first, second) => {
      const refused = action === constants.SQLITE_FUNCTION && forbiddenFunctions.has(String(second).toLowerCase());
      return allowed.has(action) && !refused ? constants.SQLITE_OK : constants.SQLITE_DENY;
    });
  }

  /** @param lenient see `translate` */
  run(query: string, limits: QueryLimits, lenient = false): QueryResult {
    const translation = translate(query, this.#schema, lenient);
    switch (translation.kind) {
      case 'rows':
        return { kind: 'rows', rows: translation.rows, truncated: false, tables: [] };
      case 'query':
        return this.#select(translation, limits);
      default:
        return translation;
    }
  }

  #select(
    { sql, types, tables }: Extract<ReturnType<typeof translate>, { kind: 'query' }>,
    limits: QueryLimits,
  ): QueryResult {
    this.#functions.startStatement();
    const rows: string[] = [];
    let characters = 0;
    try {
      const statement = this.#database.prepare(sql);
      statement.setReturnArrays(true);
      statement.setReadBigInts(true);
      for (const row of statement.iterate()) {
        if (rows.length >= limits.rows || characters >= limits.characters)
          return { kind: 'rows', rows, truncated: true, tables };
        const text = tupleText(row as unknown as Value[], types);
        // A single row may be longer than all that is read.
        const left = limits.characters - characters;
        if (text.length > left) return { kind: 'rows', rows: [...rows, text.slice(0, left)], truncated: true, tables };
        characters += text.length;
        rows.push(text);
      }
    } catch (error) {
      return { kind: 'error', message: this.#functions.raised() ?? wordsOf(error) };
    }
    return { kind: 'rows', rows, truncated: false, tables };
  }

  close(): void {
    this.#database.close();
  }
}

/** What SQLite itself refuses, in words that say nothing of it: MySQL has no such limits, or says it otherwise. */
const refusals: [pattern: RegExp, words: string][] = [
  [/integer overflow/, 'Sums beyond BIGINT are not available in this environment'],
  [/misuse of (aggregate|window)/, 'A group function is not available at this place in this environment'],
  [/too (large|deep|big|many)|overflow|parser stack/i, 'The statement is too large for this environment'],
];

/** @param error of SQLite, or of printing what it gave */
function wordsOf(error: unknown): string {
  if (error instanceof MysqlError) return error.message;
  const said = error instanceof Error ? error.message : String(error);
  return refusals.find(([pattern]) => pattern.test(said))?.[1] ?? 'The statement is not available in this environment';
}
