/** The files of a dataset at a user's path: which one holds the questions, in which form, and where the corpus is. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { CruxError, errorText } from '../../../errors.ts';
import { readInputFile, refuseFaulty } from '../../../imports/input-file.ts';
import { type Member, membersOf } from '../../../imports/json-members.ts';
import { csvMembers } from './csv.ts';
import type { Form } from './form.ts';
import { gaia } from './gaia.ts';
import { hotpotQa, musique } from './multihop.ts';
import { own } from './own.ts';
import { xbench } from './xbench.ts';

/** Forms by members that only their questions have. */
const forms: readonly [member: string, form: Form][] = [
  ['supporting_facts', hotpotQa],
  ['question_decomposition', musique],
  ['Final answer', gaia],
  ['canary', xbench],
  ['question', own],
];

export type Source = {
  questions: string;
  /** A file of passages, or a folder of texts; null if the questions bring their own, or have none. */
  corpus: string | null;
  /** A file with the ids of the questions that are wanted, one a line; null for all. */
  ids: string | null;
};

const idsFile = 'task_ids.txt';
const questionFiles = new Set(['.json', '.jsonl', '.csv', '.parquet']);
const corpusNames = ['corpus.jsonl', 'corpus.json', 'corpus'];

/** @param from the file of the questions, or a folder that holds one @throws CruxError `User.NotFound`, `User.Config` */
export function sourceAt(from: string): Source {
  const found = statSync(from, { throwIfNoEntry: false });
  if (!found)
    throw new CruxError('User.NotFound', `There is nothing at ${from}.`, {
      remedy: 'Name a file with questions, or a folder that holds one.',
    });
  const questions = found.isDirectory() ? questionsIn(from) : from;
  const folder = dirname(questions);
  const stem = basename(questions, extname(questions));
  const names = [`${stem}_corpus.json`, `${stem}_corpus.jsonl`, ...corpusNames];
  const existing = (name: string) => (existsSync(join(folder, name)) ? join(folder, name) : null);
  const corpus = names.map(existing).find((path) => path !== null && path !== questions) ?? null;
  return { questions, corpus, ids: existing(idsFile) };
}

function questionsIn(folder: string): string {
  const files = readdirSync(folder).filter((name) => questionFiles.has(extname(name)) && !/corpus\.jsonl?$/.test(name));
  if (files.length === 1) return join(folder, files[0]!);
  const what = files.length === 0 ? 'no file with questions' : `several files (${files.slice(0, 5).join(', ')})`;
  throw new CruxError('User.NotFound', `${folder} holds ${what}.`, {
    remedy: 'Name the file with the questions: .jsonl, .json, .csv or .parquet.',
  });
}

/** @throws CruxError `User.Config` for a file in no form that is known */
export function formOf(path: string, { value }: Member): Form {
  const members = value !== null && typeof value === 'object' ? value : {};
  const form = forms.find(([member]) => Object.hasOwn(members, member))?.[1];
  if (form) return form;
  throw new CruxError('User.Config', `${path} holds no questions in a form that is known.`, {
    remedy:
      'Name a file of HotpotQA, MuSiQue, GAIA or XBench-DeepSearch, or one with a `question` and an `answer` a line.',
  });
}

/** The rows of a file with questions. @throws CruxError `User.Config` for one that cannot be read */
export async function* rowsOf(path: string): AsyncGenerator<Member> {
  switch (extname(path)) {
    case '.csv':
      yield* unlessBroken(path, () => csvMembers(readInputFile(path).text));
      return;
    case '.parquet': {
      const rows = await parquetRows(path);
      yield* rows.map((value, index): Member => ({ name: null, value, line: index + 1, bytes: 0 }));
      return;
    }
    default:
      yield* membersOf(path);
  }
}

async function parquetRows(path: string): Promise<object[]> {
  try {
    return await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  } catch (cause) {
    throw new CruxError('User.Config', `${path} cannot be read as Parquet: ${errorText(cause)}`, {
      remedy: 'Download the file again, or save it as JSON lines.',
      cause,
    });
  }
}

function unlessBroken(path: string, read: () => Member[]): Member[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof CruxError) throw error;
    const [, line, what] = /^line (\d+): (.*)$/.exec(errorText(error)) ?? [null, '1', errorText(error)];
    refuseFaulty(path, [{ line: Number(line), what: what! }], 'Download the file again.');
    return [];
  }
}

/** @returns null for all @throws CruxError `User.Config` for a list that is not UTF-8 */
export function wantedIds({ ids }: Pick<Source, 'ids'>): ReadonlySet<string> | null {
  if (ids === null) return null;
  const lines = readInputFile(ids).text.split(/\r\n|\n|\r/);
  return new Set(lines.map((line) => line.trim()).filter(Boolean));
}
