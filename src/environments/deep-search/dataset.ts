/**
 * A dataset folder: `dataset.json` says what it is, `dataset.sqlite` holds questions, passages and their search index. An import writes it, and
 * nothing changes it afterwards. A question with a canary is sealed there too.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { DatabaseSync } from '../../node-sqlite.ts';
import { unsealed } from '../../sealed-text.ts';
import { readDescribedDataset } from '../described-dataset.ts';
import { indexSchema } from '../text-search/stored-index.ts';
import { type Question, questionSchema } from './question.ts';
import { scorers } from './scorers/scorer.ts';

export const databaseFile = 'dataset.sqlite';

const datasetSchema = z.object({
  schemaVersion: z.literal(1),
  environment: z.literal('deep-search'),
  name: z.string().min(1),
  /** Where the data comes from, with its licence. */
  source: z.string(),
  scorer: z.enum(scorers),
  questions: z.number().int().min(1),
  /** 0 for questions without a corpus, which are answered on the web. */
  passages: z.number().int().min(0),
  /** That of the first sealed question, with which all that a run stores is sealed; null if no question is. */
  canary: z.string().min(1).nullable(),
  /** Hash of everything that decides observations and outcomes, 16 hexadecimal digits. */
  digest: z.string().regex(/^[0-9a-f]{16}$/),
});

export type SearchDataset = z.infer<typeof datasetSchema>;

/** Tables of the database. Questions and passages are numbered from 0, in the order of their files. */
export const schema = `
  CREATE TABLE question (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL) STRICT;
  CREATE TABLE passage (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL) STRICT;
  ${indexSchema}
`;

/** @throws CruxError `User.NotFound` when the folder is missing, or no dataset of deep search */
export function readDataset(folder: string): SearchDataset {
  return readDescribedDataset(folder, {
    ...{ name: 'dataset of deep search', command: 'crux import deep-search --from <path>' },
    schema: datasetSchema,
    databaseFile,
  });
}

export function openDatabase(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, databaseFile), { readOnly: true });
}

/** All questions, by id, in their order. */
export function readQuestions(database: DatabaseSync): Map<string, Question> {
  const rows = database.prepare('SELECT content FROM question ORDER BY number').all();
  const questions = rows.map(({ content }) => questionSchema.parse(JSON.parse(unsealed(String(content)))));
  return new Map(questions.map((question) => [question.id, question]));
}
