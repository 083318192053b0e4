import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CruxError } from '../../errors.ts';
import { makeFolder } from '../../make-folder.ts';
import { writeWhole } from '../../write-whole.ts';

/** @throws CruxError `Export.Exists` if the file exists and must not be overwritten */
export function newPage(path: string, force = false): string {
  const file = resolve(path);
  if (existsSync(file) && !force) {
    throw new CruxError('Export.Exists', `${file} exists.`, { remedy: 'Name another file, or add --force.' });
  }
  return file;
}

/** Writes the whole page or nothing. */
export async function writePage(file: string, html: string): Promise<void> {
  makeFolder(dirname(file));
  writeWhole(file, html);
}
