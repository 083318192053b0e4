/** The files of the benchmark in a user's folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CruxError } from '../../errors.ts';

/** Names that the benchmark gives its files; the first that is there counts. The nouns are made with the benchmark's tagger. */
export const benchmarkFiles = {
  products: ['items_shuffle.json', 'items_shuffle_1000.json', 'products.jsonl'],
  attributes: ['items_ins_v2.json', 'items_ins_v2_1000.json'],
  human: ['items_human_ins.json'],
  nouns: ['title_nouns.jsonl', join('oracle', 'title_nouns.jsonl')],
  train: ['train_indices.json'],
  test: ['test_indices.json'],
} as const;

/** @throws CruxError `User.NotFound` when none of the names is there */
export function fileOf(folder: string, names: readonly string[]): string {
  const path = optionalFile(folder, names);
  if (path !== null) return path;
  throw new CruxError('User.NotFound', `${folder} has none of the files ${names.join(', ')}.`, {
    remedy: 'Name the folder that holds the files of WebShop.',
  });
}

export function optionalFile(folder: string, names: readonly string[]): string | null {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
