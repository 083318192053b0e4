/** A dataset folder of an import: `dataset.json` says what it is, and a database holds the rest. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { CruxError, errorText } from '../errors.ts';

export const contentFile = 'dataset.json';

export type DatasetKind<Content> = {
  /** E.g. `WebShop dataset`. */
  name: string;
  schema: z.ZodType<Content>;
  databaseFile: string;
  /** The command that makes one. */
  command: string;
};

/** @throws CruxError `User.NotFound` when the folder is missing, or no dataset of the kind */
export function readDescribedDataset<Content>(
  folder: string,
  { name, schema, databaseFile, command }: DatasetKind<Content>,
): Content {
  const file = join(folder, contentFile);
  try {
    const dataset = schema.parse(JSON.parse(readFileSync(file, 'utf8')));
    if (!existsSync(join(folder, databaseFile))) throw new Error(`${databaseFile} is missing`);
    return dataset;
  } catch (cause) {
    const what = existsSync(file)
      ? `${folder} is no ${name}: ${errorText(cause).slice(0, 200)}`
      : `There is no ${name} at ${folder} (${file} is missing).`;
    throw new CruxError('User.NotFound', what, {
      remedy: `Run \`${command}\` again, or name a dataset folder.`,
      cause,
    });
  }
}
