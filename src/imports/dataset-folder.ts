/** A dataset folder is replaced whole, and only by a dataset of its kind. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CruxError } from '../errors.ts';
import { replaceFolder } from './replace-folder.ts';

/** What an older dataset at the same place looks like. */
export type DatasetForm = {
  /** As its content says. */
  environment: string;
  /** All files of a dataset: first the one in JSON that says what it is. */
  files: readonly [content: string, ...others: string[]];
};

/**
 * @param write writes the dataset into an empty folder
 * @throws CruxError `User.Config` for a place that holds anything other than a dataset of this form; what `write` throws
 */
export function replaceDatasetFolder<Written>(
  into: string,
  form: DatasetForm,
  write: (folder: string) => Promise<Written>,
): Promise<Written> {
  return replaceFolder(into, { assertReplaceable: () => assertReplaceable(into, form), write });
}

function assertReplaceable(folder: string, { environment, files }: DatasetForm): void {
  const place = lstatSync(folder, { throwIfNoEntry: false });
  if (place === undefined) return;
  const entries = place.isDirectory() ? readdirSync(folder) : [basename(folder)];
  if (entries.length === 0) return;
  const others = entries.filter((name) => !files.includes(name));
  if (others.length === 0 && environmentOf(join(folder, files[0])) === environment) return;
  const found = others.length > 0 ? others.slice(0, 3).join(', ') : files[0];
  throw new CruxError(
    'User.Config',
    `${folder} holds other files than a dataset of ${environment} (${found}), so no dataset is written there.`,
    { remedy: 'Name a new folder.' },
  );
}

function environmentOf(contentFile: string): unknown {
  try {
    return (JSON.parse(readFileSync(contentFile, 'utf8')) as { environment?: unknown } | null)?.environment;
  } catch {
    return undefined;
  }
}
