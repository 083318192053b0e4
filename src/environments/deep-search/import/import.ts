/** Makes a dataset folder from questions and their corpus. Passages go to disk as they are read, so the size of a corpus does not decide how much memory that takes. */
import { createHash, type Hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CruxError } from '../../../errors.ts';
import { assertApart } from '../../../imports/apart.ts';
import { replaceDatasetFolder } from '../../../imports/dataset-folder.ts';
import type { ReportProgress } from '../../../imports/importer.ts';
import { refuseFaulty } from '../../../imports/input-file.ts';
import { inForm } from '../../../imports/json-members.ts';
import { DatabaseSync } from '../../../node-sqlite.ts';
import { sealed } from '../../../sealed-text.ts';
import { contentFile } from '../../described-dataset.ts';
import { databaseFile, type SearchDataset, schema } from '../dataset.ts';
import { type Hop, type Question, questionSchema } from '../question.ts';
import { linksIn, passagesOf } from './corpus.ts';
import { CorpusWriter } from './corpus-writer.ts';
import { groupsOf, splitsOf, tornGroups } from './families.ts';
import type { Form, ReadQuestion } from './form.ts';
import { formOf, rowsOf, type Source, sourceAt, wantedIds } from './source.ts';

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
  /** Links in a folder of texts. */
  corpusLinks: number;
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
  source: Source,
  folder: string,
): Promise<SearchImport> {
  const wanted = wantedIds(source);
  const database = new DatabaseSync(join(folder, databaseFile));
  try {
    // A dataset that was not written to its end is not kept, so nothing has to survive a crash.
    database.exec(`PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; ${schema} BEGIN`);
    const hash = createHash('sha256');
    const corpus = new CorpusWriter(database, hash);
    const counts = await writeCorpus(source, corpus, report);
    const { form, questions, ...leftOut } = await readQuestions(source, wanted, corpus);
    if (corpus.passages === 0 && (form.hasCorpus || source.corpus !== null))
      throw new CruxError('User.Config', `The corpus of ${source.questions} has no passage with a text.`, {
        remedy: `Put passages beside the questions: corpus.jsonl with "title" and "text" a line, or a folder corpus/ with .txt and .md files.`,
      });
    corpus.end();
    const made = inFamilies(source.questions, questions);
    hash.update(form.scorer);
    writeQuestions(database, made, hash);
    database.exec('COMMIT');
    const count = (is: (question: Question) => boolean) => made.filter(is).length;
    const dataset: SearchDataset = {
      schemaVersion: 1,
      environment: 'deep-search',
      name: basename(into),
      source: given ?? form.source,
      scorer: form.scorer,
      questions: made.length,
      passages: corpus.passages,
      canary: made.find(({ canary }) => canary !== null)?.canary ?? null,
      digest: hash.digest('hex').slice(0, 16),
    };
    const [train, test] = [count(({ split }) => split === 'train'), count(({ split }) => split === 'test')];
    return { dataset, train, test, sealed: count(({ canary }) => canary !== null), ...leftOut, ...counts };
  } finally {
    database.close();
  }
}

async function writeCorpus(source: Source, corpus: CorpusWriter, report: ReportProgress) {
  const counts = { emptyPassages: 0, duplicatePassages: 0, corpusLinks: 0 };
  if (source.corpus === null) return counts;
  counts.corpusLinks = linksIn(source.corpus);
  for await (const passage of passagesOf(source.corpus)) {
    const added = corpus.add(passage);
    if (added === 'empty') counts.emptyPassages++;
    if (added === 'known') counts.duplicatePassages++;
    if (corpus.passages % 1000 === 0) report('passages', corpus.passages, corpus.passages);
  }
  return counts;
}

/** A question that is taken, without its passages: these are in the corpus. */
type TakenQuestion = Omit<ReadQuestion, 'context' | 'hops'> & { line: number; hops: Hop[] | null };

/** Reads questions one by one. Their passages go to the corpus: all of them if there is no other, else only those of the hops, which may be missing there. */
async function readQuestions(source: Source, wanted: ReadonlySet<string> | null, corpus: CorpusWriter) {
  const path = source.questions;
  const questions = new Map<string, TakenQuestion>();
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
        const { context, hops, ...rest } = question;
        if (source.corpus === null) for (const passage of context) corpus.add(passage);
        questions.set(question.id, { ...rest, line: row.line, hops: hops && placedHops(hops, corpus) });
      });
  }
  leftOut.unknownIds = wanted ? wanted.difference(found).size : 0;
  if (form === null || questions.size === 0)
    throw new CruxError('User.Config', `${path} has no question with an answer.`, {
      remedy: 'Name another file: a question without an answer cannot be scored.',
    });
  return { form, questions: [...questions.values()], ...leftOut };
}

/** @returns null if one of the passages has no text: then nothing is known of the hops */
function placedHops(hops: NonNullable<ReadQuestion['hops']>, corpus: CorpusWriter): Hop[] | null {
  const placed = hops.map((hop) => {
    corpus.add(hop.passage);
    return { ...hop, passage: corpus.idOf(hop.passage) };
  });
  return placed.every(({ passage }) => passage !== null) ? (placed as Hop[]) : null;
}

/** @throws CruxError `User.Config` for a group whose questions say two splits */
function inFamilies(path: string, questions: readonly TakenQuestion[]): Question[] {
  const groups = groupsOf(questions);
  const torn = tornGroups(questions, groups).map(({ group, test, train }) => ({
    line: test,
    what: `the group ${JSON.stringify(group)} is of the split test here, and of train on line ${train}`,
  }));
  refuseFaulty(path, torn, 'Give all questions of a group one split: one could leak into the other.');
  const splits = splitsOf(questions, groups);
  return questions.map((question, index) => {
    return questionSchema.parse({ ...question, split: splits[index], group: groups[index] });
  });
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
