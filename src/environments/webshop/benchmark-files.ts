/** The files of the benchmark in a user's folder, and what is said of one that is not in its form. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CruxError, errorText } from '../../errors.ts';
import { type Fault, faultLines } from '../../imports/input-file.ts';

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

/** @throws CruxError `User.Config` with file and line, if `read` throws */
export function inForm<Member extends { line: number; name: string | null }, Value>(
  path: string,
  member: Member,
  read: (member: Member) => Value,
): Value {
  try {
    return read(member);
  } catch (cause) {
    const { line, name } = member;
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const why = issue ? `${issue.path.join('.') || 'it'}: ${issue.message}` : errorText(cause);
    throw faultOf(path, { line, what: name === null ? why : `${JSON.stringify(name)}: ${why}` }, cause);
  }
}

export function faultOf(path: string, fault: Fault, cause?: unknown): CruxError {
  const [line] = faultLines(path, [fault]);
  return new CruxError('User.Config', `The catalogue cannot be imported, and nothing was written: ${line}`, {
    remedy: 'Download the file again, or take that line out.',
    cause,
  });
}
