/** Makes a dataset folder from questions and their corpus. Passages go to disk as they are read, so the size of a corpus does not decide how much memory that takes. */
import { createHash, type Hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CruxError } from '../../../errors.ts';
import { assertApart } from '../../../imports/apart.ts';
import { replaceDatasetFolder } from '../../../imports/dataset-folder.ts';
import type { ReportProgress } from '../../../imports/importer.ts';
import { inForm } from '../../../imports/json-members.ts';
import { DatabaseSync } from '../../../node-sqlite.ts';
import { sealed } from '../../../sealed-text.ts';
import { IndexWriter } from '../../text-search/index-writer.ts';
import { contentFile, databaseFile, type SearchDataset, schema } from '../dataset.ts';
import { type Hop, type Question, questionSchema } from '../question.ts';
import { passagesOf } from './corpus.ts';
import { groupsOf, splitsOf } from './families.ts';
import type { Form, Passage, ReadQuestion } from './form.ts';
import { formOf, rowsOf, sourceAt, wantedIds } from './source.ts';

export type SearchImportOptions = {
  /** File of the questions, or a folder that holds one. */
  from: string;
  /** Dataset folder to write. An older dataset of deep search is replaced. */
  into: string;
  /** Where the data comes from, with its licence. Default: what its form says. */
  source?: string;
  report?: ReportProgress;
};

export type SearchImport = {
  dataset: SearchDataset;
  train: number;
  test: number;
  /** Questions whose texts are stored enciphered. */
  sealed: number;
  /** Questions that have no answer. */
  withoutAnswer: number;
  /** Questions about a file that comes with them. */
  withFile: number;
  /** Questions that the list of wanted ids does not name. */
  unwanted: number;
  /** Ids of that list for which there is no question. */
  unknownIds: number;
  /** Passages without a text, and passages that stand twice. */
  emptyPassages: number;
  duplicatePassages: number;
};

/**
 * @throws CruxError `User.NotFound` when a file is missing; `User.Config` when one is not in its form, with the line, holds no question with an answer or
 *   no passage, or the folder may not be written. Nothing is written then
 */
export async function importSearch(options: SearchImportOptions): Promise<SearchImport> {
  const { from, into } = options;
  const form = { environment: 'deep-search', files: [contentFile, databaseFile] } as const;
  const source = sourceAt(from);
  assertApart(from, into);
  return replaceDatasetFolder(into, form, async (folder) => {
    const imported = await writeSearch(options, source, folder);
    await writeFile(join(folder, contentFile), `${JSON.stringify(imported.dataset, null, 1)}\n`);
    return imported;
  });
}

async function writeSearch(
  { into, source: given, report = () => {} }: SearchImportOptions,
  source: ReturnType<typeof sourceAt>,
  folder: string,
): Promise<SearchImport> {
  const { form, questions, ...leftOut } = await readQuestions(source);
  const database = new DatabaseSync(join(folder, databaseFile));
  try {
    // A dataset that was not written to its end is not kept, so nothing has to survive a crash.
    database.exec(`PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; ${schema} BEGIN`);
    const hash = createHash('sha256').update(form.scorer);
    const corpus = new CorpusWriter(database, hash);
    const counts = { emptyPassages: 0, duplicatePassages: 0 };
    if (source.corpus !== null)
      for await (const passage of passagesOf(source.corpus)) {
        const added = corpus.add(passage);
        if (added === 'empty') counts.emptyPassages++;
        if (added === 'known') counts.duplicatePassages++;
        if (corpus.passages % 1000 === 0) report('passages', corpus.passages, corpus.passages);
      }
    // Questions repeat passages among themselves, and those of their hops may be missing in a corpus.
    for (const { context, hops } of questions) {
      if (source.corpus === null) for (const passage of context) corpus.add(passage);
      for (const { passage } of hops ?? []) corpus.add(passage);
    }
    if (corpus.passages === 0 && (form.hasCorpus || source.corpus !== null))
      throw new CruxError('User.Config', `The corpus of ${source.questions} has no passage with a text.`, {
        remedy: `Put passages beside the questions: corpus.jsonl with "title" and "text" a line, or a folder corpus/ with .txt and .md files.`,
      });
    corpus.end();
    const made = madeQuestions(questions, corpus);
    writeQuestions(database, made, hash);
    database.exec('COMMIT');
    const [train, test] = ['train', 'test'].map((split) => made.filter((question) => question.split === split).length);
    const dataset: SearchDataset = {
      schemaVersion: 1,
      environment: 'deep-search',
      name: basename(into),
      source: given ?? form.source,
      scorer: form.scorer,
      questions: made.length,
      passages: corpus.passages,
      digest: hash.digest('hex').slice(0, 16),
    };
    const isSealed = made.filter(({ canary }) => canary !== null).length;
    return { dataset, train: train!, test: test!, sealed: isSealed, ...leftOut, ...counts };
  } finally {
    database.close();
  }
}

async function readQuestions(source: ReturnType<typeof sourceAt>) {
  const path = source.questions;
  const wanted = await wantedIds(source);
  const questions = new Map<string, ReadQuestion>();
  let form: Form | null = null;
  const leftOut = { withoutAnswer: 0, withFile: 0, unwanted: 0, unknownIds: 0 };
  const found = new Set<string>();
  for await (const row of rowsOf(path)) {
    form ??= formOf(path, row);
    const question = inForm(path, row, form.read);
    if (question !== null) found.add(question.id);
    if (question === null) leftOut.withFile++;
    else if (wanted && !wanted.has(question.id)) leftOut.unwanted++;
    else if (question.answers.length === 0) leftOut.withoutAnswer++;
    else
      inForm(path, row, () => {
        if (questions.has(question.id)) throw new Error(`the id ${JSON.stringify(question.id)} stands twice`);
        questions.set(question.id, question);
      });
  }
  leftOut.unknownIds = wanted ? wanted.difference(found).size : 0;
  if (form === null || questions.size === 0)
    throw new CruxError('User.Config', `${path} has no question with an answer.`, {
      remedy: 'Name another file: a question without an answer cannot be scored.',
    });
  return { form, questions: [...questions.values()], ...leftOut };
}

class CorpusWriter {
  readonly #database: DatabaseSync;
  readonly #hash: Hash;
  readonly #index: IndexWriter;
  passages = 0;

  constructor(database: DatabaseSync, hash: Hash) {
    this.#database = database;
    this.#hash = hash;
    this.#index = new IndexWriter(database);
    database.exec('CREATE TEMP TABLE known (digest TEXT PRIMARY KEY, id TEXT NOT NULL) STRICT, WITHOUT ROWID');
  }

  /** Passages with equal title and text are one. @returns what became of it @throws CruxError `User.Config` for an id that another one has */
  add(passage: Passage): 'added' | 'known' | 'empty' {
    const { id = `p${this.passages + 1}`, title, text } = passage;
    if (text.trim() === '') return 'empty';
    const digest = digestOf(passage);
    const known = this.#database.prepare('INSERT OR IGNORE INTO known (digest, id) VALUES (?, ?)').run(digest, id);
    if (known.changes === 0) return 'known';
    const insert = this.#database.prepare(
      'INSERT OR IGNORE INTO passage (number, id, title, text) VALUES (?, ?, ?, ?)',
    );
    if (insert.run(this.passages, id, title, text).changes === 0)
      throw new CruxError('User.Config', `Two passages of the corpus have the id ${JSON.stringify(id)}.`, {
        remedy: 'Give them ids of their own, or none.',
      });
    this.#index.add(`${title} ${text}`);
    this.#hash.update(JSON.stringify([id, title, text]));
    this.passages++;
    return 'added';
  }

  /** Null for one without a text. */
  idOf(passage: Passage): string | null {
    const row = this.#database.prepare('SELECT id FROM known WHERE digest = ?').get(digestOf(passage));
    return row ? String(row.id) : null;
  }

  /** Once, after the last passage. Equally good passages are found in the order of the corpus. */
  end(): void {
    this.#index.end(Array.from({ length: this.passages }, (_, number) => number));
  }
}

function digestOf({ title, text }: Passage): string {
  return createHash('sha256')
    .update(JSON.stringify([title, text]))
    .digest('hex')
    .slice(0, 32);
}

function madeQuestions(questions: readonly ReadQuestion[], corpus: CorpusWriter): Question[] {
  const hops = questions.map(({ hops: read }) => {
    const all = read?.map((hop) => ({ ...hop, passage: corpus.idOf(hop.passage) }));
    return all?.every(({ passage }) => passage !== null) ? (all as Hop[]) : null;
  });
  const groups = groupsOf(
    questions,
    hops.map((all) => all?.map(({ passage }) => passage) ?? []),
  );
  const splits = splitsOf(questions, groups);
  return questions.map(({ id, question, answers, difficulty, canary }, index) =>
    questionSchema.parse({
      id,
      split: splits[index],
      group: groups[index],
      difficulty,
      question,
      answers,
      hops: hops[index],
      canary,
    }),
  );
}

function writeQuestions(database: DatabaseSync, questions: readonly Question[], hash: Hash): void {
  const insert = database.prepare('INSERT INTO question (number, id, content) VALUES (?, ?, ?)');
  for (const [number, question] of questions.entries()) {
    const content = JSON.stringify(question);
    insert.run(number, question.id, question.canary === null ? content : sealed(content, question.canary));
    // A canary may be drawn by the import: another one makes no other question.
    hash.update(JSON.stringify({ ...question, canary: null }));
  }
}
