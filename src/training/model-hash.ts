/** What a model is, as a hash of its files. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { ModelFiles } from '../domain/improve/training.ts';

/**
 * SHA-256 over the files of a folder in the order of their names: of each its path in the folder and the hash of its content. The same files give the
 * same hash anywhere. A link counts as what it leads to. Read as a stream: weights may not fit into memory.
 * @returns null if there is no file
 * @throws what the file system says
 */
export async function hashModel(folder: string): Promise<ModelFiles | null> {
  const names = await namesIn(folder);
  const hash = createHash('sha256');
  let bytes = 0;
  for (const name of names) {
    const content = createHash('sha256');
    for await (const part of createReadStream(join(folder, name), { highWaterMark: 1_048_576 })) {
      content.update(part as Buffer);
      bytes += (part as Buffer).length;
    }
    hash.update(`${JSON.stringify(name)} ${content.digest('hex')}\n`);
  }
  return names.length === 0 ? null : { hash: hash.digest('hex'), files: names.length, bytes };
}

/**
 * Changes whenever a file was written, and without a file being read: equal stamps mean an equal hash. Other stamps mean nothing, as of a folder that was
 * copied, or of another machine. From names, sizes and times of change.
 * @throws what the file system says
 */
export async function stampModel(folder: string): Promise<string> {
  const stamp = createHash('sha256');
  for (const name of await namesIn(folder)) {
    const { size, mtimeMs } = await stat(join(folder, name));
    stamp.update(`${JSON.stringify(name)} ${size} ${mtimeMs}\n`);
  }
  return stamp.digest('hex');
}

/** In their order. */
async function namesIn(folder: string): Promise<string[]> {
  const paths = await Array.fromAsync(filesIn(folder)).catch(nothingIfMissing);
  return paths.map((path) => relative(folder, path).split(sep).join('/')).sort((one, other) => (one < other ? -1 : 1));
}

/** @param around the folders that it lies in: a link back to one of them is no new file */
async function* filesIn(folder: string, around: readonly string[] = []): AsyncGenerator<string> {
  const names = await readdir(folder);
  const here = await realpath(folder);
  if (around.includes(here)) return;
  for (const name of names) {
    const path = join(folder, name);
    // A link that leads nowhere is told when it is read.
    if ((await stat(path).catch(() => null))?.isDirectory()) yield* filesIn(path, [...around, here]);
    else yield path;
  }
}

function nothingIfMissing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}
