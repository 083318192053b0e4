/**
 * A lock between processes of one machine that a killed process can never leave behind: the operating system's own lock on a file, reached through
 * SQLite. No code has to judge from a process id whether a holder is still alive. The empty file stays.
 */
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CruxError, errorText } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { DatabaseSync } from '../node-sqlite.ts';

export type ProcessLockOptions = {
  /** Called once, if another process holds the lock and this one begins to wait. */
  onWait?: () => void;
  /** Stops waiting with an AbortError. It does not stop the body. */
  signal?: AbortSignal;
};

const pollMs = 100;

/** Runs `body` while no other body runs under the same file, in this or any other process. Waits without a limit. */
export async function withProcessLock<T>(
  file: string,
  options: ProcessLockOptions,
  body: () => Promise<T>,
): Promise<T> {
  const database = open(file);
  try {
    for (let waited = false; !tryLock(database); waited = true) {
      if (!waited) options.onWait?.();
      await sleep(pollMs, undefined, { signal: options.signal });
    }
    return await body();
  } finally {
    database.close();
  }
}

function open(file: string): DatabaseSync {
  try {
    makeFolder(dirname(file));
    return new DatabaseSync(file, { timeout: 0 });
  } catch (error) {
    throw new CruxError('Disk.Unavailable', `The lock file ${file} cannot be opened (${errorText(error)}).`, {
      remedy: 'Check the folder, its owner and the disk.',
      cause: error,
    });
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    const busy = 5; // SQLITE_BUSY
    if ((error as { errcode?: number }).errcode === busy) return false;
    throw error;
  }
}
