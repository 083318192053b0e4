/**
 * GAIA (arXiv 2311.12983), from the user's own copy: its questions may not be published in clear, so they are sealed. Questions about a file that comes
 * with them are left out, because the environment opens none.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Form } from './form.ts';

const gaiaSchema = z.object({
  task_id: z.string().min(1),
  Question: z.string().min(1),
  Level: z.union([z.string(), z.number(), z.bigint()]).nullish(),
  'Final answer': z.string().nullish(),
  file_name: z.string().nullish(),
});

/** In place of the answer of a question whose answer is not published. */
const unpublished = '?';

export const gaia: Form = {
  source: 'GAIA (gaia-benchmark/GAIA)',
  scorer: 'gaia',
  hasCorpus: false,
  read({ value }) {
    const { task_id: id, Question: question, Level: level, file_name: file, ...rest } = gaiaSchema.parse(value);
    if (file) return null;
    const answer = rest['Final answer'];
    return {
      id,
      question,
      answers: answer && answer !== unpublished ? [answer] : [],
      difficulty: level === null || level === undefined ? null : `level ${level}`,
      hops: null,
      context: [],
      split: 'test',
      group: id,
      canary: `GAIA is not to be published in clear. ${randomUUID()}`,
    };
  },
};
