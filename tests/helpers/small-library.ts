/** A few questions and passages of our own making, in the form of MuSiQue's files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { importSearch } from '../../src/environments/deep-search/import/import.ts';
import { temporaryFolder } from './sql-datasets.ts';

const passage = (title: string, text: string) => ({ title, text });
export const passages = [
  passage('Marlow Quay', 'Marlow Quay is a harbour on the island of Tresk. Its lighthouse was built by Edda Lund.'),
  passage('Edda Lund', 'Edda Lund was an engineer. She was born in the town of Orrefell and lived there all her life.'),
  passage('Orrefell', 'Orrefell is a town of 4,120 people. Its river is the Sill, which is crossed by three bridges.'),
  passage('Edda Lunde', 'Edda Lunde is a singer from Tresk. She sings of harbours and of lighthouses.'),
  passage('Tresk', 'Tresk is an island. Its harbours are Marlow Quay and Stone Bay.'),
];

const paragraphs = passages.map(({ title, text }, idx) => ({ idx, title, paragraph_text: text }));
const hop = (question: string, answer: string, place: number) => ({ question, answer, paragraph_support_idx: place });

export const questions = [
  {
    id: '2hop__1',
    question: 'Where was the builder of the lighthouse of Marlow Quay born?',
    answer: 'Orrefell',
    answer_aliases: ['the town of Orrefell'],
    answerable: true,
    paragraphs,
    question_decomposition: [
      hop('Marlow Quay >> lighthouse built by', 'Edda Lund', 0),
      hop('Where was #1 born?', 'Orrefell', 1),
    ],
  },
  {
    id: '3hop__2',
    question: 'Which river flows through the home town of the builder of the lighthouse of Marlow Quay?',
    answer: 'the Sill',
    answer_aliases: [],
    answerable: true,
    paragraphs,
    question_decomposition: [
      hop('Who built the lighthouse of Marlow Quay?', 'Edda Lund', 0),
      hop('#1 >> home town', 'Orrefell', 1),
      hop('Which river flows through #2 ?', 'the Sill', 2),
    ],
  },
  {
    id: '1hop__3',
    question: 'On which island does the singer of harbours live?',
    answer: 'Tresk',
    answer_aliases: [],
    answerable: true,
    paragraphs,
    question_decomposition: [hop('Which singer sings of harbours, and where is she from?', 'Tresk', 3)],
  },
];

/** @param files by their path; texts as they are, anything else as JSON @returns the folder */
export function filesAt(files: { [path: string]: unknown }): string {
  const folder = join(temporaryFolder(), 'files');
  mkdirSync(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

export function jsonLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** The small library as a dataset. @returns its folder */
export async function smallLibrary(): Promise<string> {
  const into = join(temporaryFolder(), 'library');
  await importSearch({ from: filesAt({ 'musique.json': questions }), into });
  return into;
}
