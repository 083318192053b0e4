import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeBundled } from '../../bundled-dataset.ts';
import { readDataset } from '../dataset.ts';
import { importSearch } from '../import/import.ts';
import { demoQuestions, demoTexts } from './library.ts';

const digest = createHash('sha256')
  .update(JSON.stringify([demoQuestions, demoTexts]))
  .digest('hex')
  .slice(0, 8);
const source = `Crux demo: ${demoQuestions.length} questions about an invented world, ${digest} (Apache-2.0, part of Crux)`;

/** Makes the bundled library in this folder, through the importer that MuSiQue's questions go through; does nothing if it is there already. */
export async function writeDemoLibrary(folder: string): Promise<void> {
  await makeBundled(folder, {
    source,
    read: readDataset,
    async make(directory) {
      const from = join(directory, 'questions.json');
      await writeFile(from, JSON.stringify(demoQuestions.map(asPublished)));
      await importSearch({ from, into: folder, source });
    },
  });
}

/** A question in MuSiQue's form. */
function asPublished({ question, hops, aliases = [] }: (typeof demoQuestions)[number], index: number): object {
  return {
    id: String(index + 1),
    question,
    answer: hops.at(-1)![1],
    answer_aliases: aliases,
    paragraphs: demoTexts.map(([title, text], idx) => ({ idx, title, paragraph_text: text })),
    question_decomposition: hops.map(([asked, answer, title]) => ({
      question: asked,
      answer,
      paragraph_support_idx: demoTexts.findIndex(([name]) => name === title),
    })),
  };
}
