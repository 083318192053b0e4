/**
 * SQLite through Node's own `node:sqlite`.
 *
 * The driver is synchronous, so every statement blocks the event loop while it runs. Waiting for another process's lock must not block it: the
 * engine's own time-out is short, and we retry after an asynchronous, growing pause. A transaction is one synchronous block (`BEGIN IMMEDIATE …
 * COMMIT`), so that no `await` ever happens while the lock is held.
 */
import { accessSync, chmodSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type Compilable,
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { CruxError, errorText } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { DatabaseSync, type SQLInputValue, type StatementSync } from '../node-sqlite.ts';
import type { Database } from './database.ts';
import { FairTurns } from './fair-turns.ts';
import { GroupCommit } from './group-commit.ts';
import type { Schema } from './schema.ts';
import { SealingPlugin } from './sealing-plugin.ts';

const busyTimeoutMs = 15;
/** How long a statement is repeated while others lock the file, before the caller gets an error. */
const lockPatienceMs = 20_000;
const cachedStatements = 300;
const cacheKb = 64 * 1024;
/** Of 4 KB each. */
const checkpointPages = 8_000;
/** Statements that need no transaction, or must not have one. */
const alone = /^\s*(select|with|vacuum|pragma)\b/i;

/**
 * Opens a SQLite file, and creates it if missing. `:memory:` gives a store that dies with the process.
 * @param how `read`: never written
 */
export function openSqlite(path: string, how: 'write' | 'read' = 'write'): Database {
  const sqlite = how === 'read' ? openForReading(path) : openFile(path);
  const turns = new FairTurns();
  const writes = new GroupCommit(
    sqlite,
    turns,
    (work) => patiently(path, work),
    (error) => asStoreError(path, error) !== error,
  );
  const prepared = new Map<string, { statement: StatementSync; returnsRows: boolean }>();

  function prepare(sql: string): { statement: StatementSync; returnsRows: boolean } {
    const cached = prepared.get(sql);
    if (cached) return cached;
    const statement = sqlite.prepare(sql);
    const made = { statement, returnsRows: statement.columns().length > 0 };
    if (prepared.size >= cachedStatements) prepared.clear();
    prepared.set(sql, made);
    return made;
  }

  function runSync(query: CompiledQuery): QueryResult<unknown> {
    const { statement, returnsRows } = prepare(query.sql);
    const parameters = query.parameters as SQLInputValue[];
    if (returnsRows) return { rows: statement.all(...parameters) };
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  const connection: DatabaseConnection = {
    executeQuery: <R>(query: CompiledQuery) => {
      const work = () => runSync(query) as QueryResult<R>;
      return alone.test(query.sql) ? turns.take(() => patiently(path, work)) : writes.run(work);
    },
    streamQuery: () => {
      throw new Error('The store streams nothing.');
    },
  };
  const kysely = new Kysely<Schema>({ dialect: dialectOf(connection), plugins: [new SealingPlugin()] });

  return {
    kysely,
    engine: 'sqlite',
    location: path,
    atomically: (list: Compilable[]) => {
      const queries = list.map((statement) => statement.compile() as CompiledQuery);
      return writes.run(() => queries.map((query) => Number(runSync(query).numAffectedRows ?? 0)));
    },
    schemaVersion: () =>
      patiently(path, () => (sqlite.prepare('PRAGMA user_version').get() as { user_version: number }).user_version),
    migrate: async (version, list) => {
      const queries = list.map((statement) => statement.compile() as CompiledQuery);
      queries.push(CompiledQuery.raw(`PRAGMA user_version = ${version}`));
      await writes.run(() => {
        const { user_version: found } = sqlite.prepare('PRAGMA user_version').get() as { user_version: number };
        if (found < version) for (const query of queries) runSync(query);
      });
    },
    close: async () => {
      if (sqlite.isOpen) sqlite.close();
    },
  };
}

function openFile(path: string): DatabaseSync {
  let sqlite: DatabaseSync | undefined;
  try {
    const isNew = path !== ':memory:' && !existsSync(path);
    if (path !== ':memory:') makeFolder(dirname(path));
    sqlite = new DatabaseSync(path, { timeout: busyTimeoutMs });
    // Conversations may hold text that only the user should read.
    if (isNew) chmodSync(path, 0o600);
    // Changing the journal mode needs a lock that another process may hold for a moment for the same reason. The first process sets the mode for all.
    for (let attempt = 0; ; attempt++) {
      try {
        refuseForeign(sqlite, path);
        sqlite.exec('PRAGMA journal_mode = WAL');
        break;
      } catch (error) {
        if (!isBusy(error) || attempt === 200) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
    // A large store is read at random, and every answer changes some pages that the next ones change again. With SQLite's own 2 MB of cache and a
    // checkpoint at every 4 MB, statements take half as long again.
    sqlite.exec('PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY');
    sqlite.exec(`PRAGMA cache_size = -${cacheKb}; PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    return sqlite;
  } catch (error) {
    sqlite?.close();
    throw asStoreError(path, error);
  }
}

/** Whether a file is there that this user may read, and may not write. */
export function isForReadingOnly(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.W_OK);
    // The journal is made beside it.
    accessSync(dirname(resolve(path)), constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

function openForReading(path: string): DatabaseSync {
  let sqlite: DatabaseSync | undefined;
  try {
    const file = pathToFileURL(path);
    // Where nobody can make a journal, SQLite reads only what is said never to change; while there is a journal, somebody writes, and it is read too.
    if (!existsSync(`${path}-wal`)) file.searchParams.set('immutable', '1');
    sqlite = new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs });
    refuseForeign(sqlite, path);
    sqlite.exec(`PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${cacheKb}`);
    return sqlite;
  } catch (error) {
    sqlite?.close();
    throw asStoreError(path, error);
  }
}

/** A database of another program must get neither our tables nor another journal mode, so this is checked before anything is written. */
function refuseForeign(sqlite: DatabaseSync, path: string): void {
  const tables = sqlite.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all() as { name: string }[];
  if (tables.length === 0 || tables.some(({ name }) => name === 'run_tasks')) return;
  throw new CruxError(
    'Store.Corrupt',
    `${path} is a database of another program (it has a table "${tables[0]!.name}"), not a Crux store.`,
    {
      remedy: 'Nothing was written to it. Name another file or folder with CRUX_HOME or `store` in crux.config.ts.',
    },
  );
}

/** Repeats `work` while another process holds the lock. The event loop runs during the pauses of 1 to 50 ms. */
async function patiently<T>(path: string, work: () => T): Promise<T> {
  const deadline = Date.now() + lockPatienceMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(50, pauseMs * 2)) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw asStoreError(path, error);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

type SqliteError = Error & { errcode?: number };

/** A fault of the file system, as `node:fs` throws it. */
function fileFault(error: unknown): string | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === undefined ? undefined : code;
}

/** Low byte of SQLite's result code: https://www.sqlite.org/rescode.html */
function resultCode(error: unknown): number | undefined {
  const code = (error as SqliteError).errcode;
  return code === undefined ? undefined : code & 0xff;
}

function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === 5 || code === 6; // SQLITE_BUSY, SQLITE_LOCKED
}

function asStoreError(path: string, error: unknown): unknown {
  const cause = errorText(error);
  const file = fileFault(error);
  switch (file === undefined ? resultCode(error) : file === 'ENOSPC' ? 13 : 14) {
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return new CruxError('Store.Corrupt', `The store ${path} is damaged or not a Crux store (${cause}).`, {
        remedy: 'Nothing was written to it. Move it away and restore a copy, or name another folder with CRUX_HOME.',
        cause: error,
      });
    case 13: // SQLITE_FULL
      return new CruxError('Store.Full', `The disk of the store ${path} is full (${cause}).`, {
        remedy: 'Free some space: the run goes on by itself.',
        cause: error,
      });
    case 5:
    case 6:
      return new CruxError('Store.Unavailable', `The store ${path} is locked by another process (${cause}).`, {
        remedy: 'Look for a process that holds it (a backup, a database browser) and end it.',
        cause: error,
      });
    case 8: // SQLITE_READONLY
      return new CruxError('Store.Unavailable', `The store ${path} may be read and not written (${cause}).`, {
        remedy: 'Give the command as the owner of the store, or change who may write the file and its folder.',
        cause: error,
      });
    case 10: // SQLITE_IOERR
    case 14: // SQLITE_CANTOPEN
      return new CruxError('Store.Unavailable', `The store ${path} cannot be read or written (${cause}).`, {
        remedy: 'Check the folder, its owner and the disk.',
        cause: error,
      });
    default:
      return error;
  }
}

function dialectOf(connection: DatabaseConnection): Dialect {
  const nothing = async () => {};
  const refused = async () => {
    throw new Error('Transactions of the store go through `atomically`.');
  };
  const driver: Driver = {
    init: nothing,
    acquireConnection: async () => connection,
    releaseConnection: nothing,
    beginTransaction: refused,
    commitTransaction: refused,
    rollbackTransaction: refused,
    destroy: nothing,
  };
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
