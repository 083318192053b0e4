import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder, and those above it that are missing. Node's own recursive `mkdir` tries for ever where a folder is there and takes no new ones, as
 * `/proc`.
 * @returns the first folder that was made; undefined if all were there
 * @throws what the file system says
 */
export function makeFolder(path: string): string | undefined {
  const folder = resolve(path);
  try {
    return made(folder);
  } catch (error) {
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    const first = makeFolder(above);
    const last = made(folder);
    return first ?? last;
  }
}

function made(folder: string): string | undefined {
  try {
    mkdirSync(folder);
    return folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(folder).isDirectory()) return undefined;
    throw error;
  }
}
