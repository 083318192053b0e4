/** Writing dataset folders. An older dataset is replaced; files that no import wrote are never removed. */
import { type Dirent, existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { open, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CruxError } from '../../errors.ts';
import { replaceFolder } from '../../imports/replace-folder.ts';
import { makeFolder } from '../../make-folder.ts';
import { DatabaseSync } from '../../node-sqlite.ts';
import { columnTable } from './column.ts';
import { type DatasetFile, databaseName, datasetSchema, readDataset, type SqlDataset } from './dataset.ts';

const contentFile = 'dataset.json';
const databaseFolder = 'databases';
const variantFolder = 'variants';

/**
 * Writes a dataset folder in one piece: everything goes into a temporary folder next to it, which then takes its name. If a dataset is
 * replaced, files of others in it stay where they are.
 * @param build makes the databases in the folder that it is given, and returns the content of `dataset.json`
 * @param existing what happens to a dataset of that name: an import replaces it, while the first of several equal writers wins
 * @throws CruxError `User.Config` when the folder holds anything other than a dataset
 */
export async function writeDataset(
  folder: string,
  build: (databases: string) => Promise<DatasetFile>,
  existing: 'replace' | 'keep' = 'replace',
): Promise<SqlDataset> {
  await replaceFolder(folder, {
    assertReplaceable: () => assertReplaceable(folder),
    existing,
    handOver: (replaced) => handOver(replaced, folder),
    write: async (temporary) => {
      const databases = join(temporary, databaseFolder);
      makeFolder(databases);
      const content = datasetSchema.parse(await build(databases));
      await writeDurably(join(temporary, contentFile), `${JSON.stringify(content, null, 1)}\n`);
      readDataset(temporary);
    },
  });
  return readDataset(folder);
}

/**
 * Only a dataset that an import or the demo wrote may be replaced: its `dataset.json` can be read, and all databases next to it are ours.
 * @throws CruxError `User.Config` for anything else in the folder's place
 */
export function assertReplaceable(folder: string): void {
  const place = lstatSync(folder, { throwIfNoEntry: false });
  if (place === undefined) return;
  const refuse = (why: string) => {
    const what = `${folder} ${why}, so no dataset is written there.`;
    return new CruxError('User.Config', what, { remedy: 'Name a new folder.' });
  };
  if (!place.isDirectory()) throw refuse(place.isSymbolicLink() ? 'is a link' : 'is a file');
  const entries = readdirSync(folder);
  if (!entries.length) return;
  const content = contentOf(folder);
  if (content === null) throw refuse(`holds other files (${entries.slice(0, 3).join(', ')}) and no dataset of Crux`);
  const { others } = databaseFiles(folder, content);
  if (others.length) throw refuse(`holds databases that no import wrote (${others.slice(0, 3).join(', ')})`);
}

/** Removes the files of a dataset whose databases are all ours. Everything else in its folder stays. */
async function removeDataset(folder: string): Promise<void> {
  const content = contentOf(folder);
  if (content === null) return;
  for (const file of [...databaseFiles(folder, content).ours, contentFile]) await rm(join(folder, file));
  const folders = [databaseFolder, ...variantFolders(folder), variantFolder];
  for (const name of folders) await rmdirIfEmpty(join(folder, name));
  await rmdirIfEmpty(folder);
}

/** The replaced folder's own files go; those of others move into the folder that took its place. */
async function handOver(replaced: string, folder: string): Promise<void> {
  await removeDataset(replaced);
  for (const entry of existsSync(replaced) ? readdirSync(replaced) : []) {
    if (!existsSync(join(folder, entry))) await rename(join(replaced, entry), join(folder, entry));
  }
  if (!existsSync(replaced)) return;
  await rmdirIfEmpty(replaced);
  if (!existsSync(replaced)) return;
  const what = `The new dataset is in ${folder}, but ${replaced} has files that no import wrote (${readdirSync(replaced).join(', ')}).`;
  throw new CruxError('User.Config', what, { remedy: 'Move them where you want them.' });
}

function contentOf(folder: string): DatasetFile | null {
  try {
    return datasetSchema.parse(JSON.parse(readFileSync(join(folder, contentFile), 'utf8')));
  } catch {
    return null;
  }
}

/** Files among databases and variants, as paths in the folder: those that imports and confirmations write, and others. */
function databaseFiles(folder: string, { tasks }: DatasetFile): { ours: string[]; others: string[] } {
  const named = new Set(tasks.map(({ db }) => `${db}.sqlite`));
  const found = { ours: [] as string[], others: [] as string[] };
  const put = (isOurs: boolean, path: string) => found[isOurs ? 'ours' : 'others'].push(path);
  for (const entry of entriesOf(folder, databaseFolder)) {
    const path = join(databaseFolder, entry.name);
    put(entry.isFile() && (named.has(entry.name) || isDatabaseOfOurs(join(folder, path), entry.name)), path);
  }
  for (const entry of entriesOf(folder, variantFolder)) {
    const path = join(variantFolder, entry.name);
    if (!isVariantFolder(entry)) put(false, path);
    else
      for (const file of entriesOf(folder, path))
        put(file.isFile() && variantFile.test(file.name), join(path, file.name));
  }
  // A link leads to a folder that is not ours.
  for (const name of [databaseFolder, variantFolder]) if (isLink(join(folder, name))) put(false, name);
  return found;
}

/** Variants are stored by the digest of the data and the version of the code that made them. */
const isVariantFolder = (entry: Dirent) => entry.isDirectory() && /^[0-9a-f]{16}-\d+$/.test(entry.name);
const variantFile = /^[A-Za-z0-9_-]{1,64}-\d+\.sqlite(\.writing-\d+)?(-journal)?$/;

function variantFolders(folder: string): string[] {
  return entriesOf(folder, variantFolder)
    .filter(isVariantFolder)
    .map(({ name }) => join(variantFolder, name));
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

function entriesOf(folder: string, name: string): Dirent[] {
  const path = join(folder, name);
  return existsSync(path) && !isLink(path) ? readdirSync(path, { withFileTypes: true }) : [];
}

/** A database without a task, as dumps may hold, has the side table that every import writes. */
function isDatabaseOfOurs(path: string, name: string): boolean {
  if (!name.endsWith('.sqlite') || !databaseName.test(name.slice(0, -'.sqlite'.length))) return false;
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return database.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(columnTable) !== undefined;
    } finally {
      database.close();
    }
  } catch {
    return false;
  }
}

async function rmdirIfEmpty(folder: string): Promise<void> {
  if (existsSync(folder) && !readdirSync(folder).length) await rmdir(folder);
}

/** Writes a file and waits until it is on the disk. */
async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
