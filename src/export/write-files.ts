import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CruxError, errorText } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import type { OutputFile } from './format.ts';

/**
 * Writes all files of an export, or none that looks finished. Each file goes to a temporary name in the same folder and is forced to the disk. Only
 * then it gets its name, in the order given. So put the file whose presence means "complete" last.
 * @param force whether existing files may be replaced
 * @param signal ends the writing before any file has its name
 * @throws CruxError `Export.Exists` if a file is there and `force` is not given; the reason of the signal. Nothing is replaced then
 */
export async function writeFiles(
  folder: string,
  files: readonly OutputFile[],
  force: boolean,
  signal?: AbortSignal,
): Promise<void> {
  makeFolder(folder);
  const attempt = randomUUID();
  const staged = files.map((file) => ({
    ...file,
    path: join(folder, file.name),
    temporary: join(folder, `.${file.name}.${attempt}.partial`),
  }));
  const placed: string[] = [];
  try {
    for (const file of staged) await writeDurably(file.temporary, file.text, signal);
    signal?.throwIfAborted();
    // If we were killed in between, an old file under the last name would vouch for a mixture of old and new files.
    if (force && staged.length > 0) await rm(staged.at(-1)!.path, { force: true });
    for (const file of staged) {
      if (force) await rename(file.temporary, file.path);
      else {
        await placeNew(file.temporary, file.path);
        placed.push(file.path);
      }
    }
  } catch (error) {
    // We may remove the files of a refused export: placeNew never replaced one.
    for (const path of placed) await rm(path, { force: true });
    throw error;
  } finally {
    for (const file of staged) await rm(file.temporary, { force: true });
  }
  await syncFolder(folder);
}

export function existsError(path: string): CruxError {
  return new CruxError('Export.Exists', `The export would overwrite ${path}`, {
    remedy: 'Name another folder, or pass --force to replace it.',
  });
}

/** Gives a file its name unless that name is taken: a hard link, unlike a rename, refuses to replace. */
async function placeNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw existsError(path);
    throw new CruxError('User.Config', `Cannot write ${path}: ${errorText(error)}`, {
      remedy: 'Name a folder on a file system with hard links, or pass --force.',
      cause: error,
    });
  }
}

async function writeDurably(path: string, text: OutputFile['text'], signal: AbortSignal | undefined): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const part of typeof text === 'string' ? [text] : text) {
      signal?.throwIfAborted();
      await file.writeFile(part, 'utf8');
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
