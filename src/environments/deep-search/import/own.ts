/** Questions of a user's own, one a line, with a corpus beside them. */
import { z } from 'zod';
import type { Form } from './form.ts';

const text = z.string().trim();
const ownSchema = z.strictObject({
  id: z.union([text.min(1), z.number()]).nullish(),
  question: text.min(1),
  answer: text.nullish(),
  /** Other names for the answer. */
  aliases: z.array(text.min(1)).nullish(),
  split: z.enum(['train', 'test']).nullish(),
  group: z.string().min(1).nullish(),
  difficulty: z.string().nullish(),
});

export const own: Form = {
  source: 'own questions',
  scorer: 'words',
  hasCorpus: true,
  read({ value, line }) {
    const { id, question, answer, aliases, split, group, difficulty } = ownSchema.parse(value);
    return {
      id: String(id ?? line),
      question,
      answers: answer ? [answer, ...(aliases ?? [])] : [],
      difficulty: difficulty ?? null,
      hops: null,
      context: [],
      ...(split && { split }),
      ...(group && { group }),
      canary: null,
    };
  },
};
