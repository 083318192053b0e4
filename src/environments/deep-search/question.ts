/** A question of a dataset, as an import makes it. */
import { z } from 'zod';

/** What one step of the reasoning asks, and where its answer stands. Known for questions that were composed of others, or whose passages are. */
const hopSchema = z.object({
  /** A question; `#1` stands for the answer of the first hop, and so on. */
  question: z.string(),
  /** Null if it is not known. */
  answer: z.string().nullable(),
  /** Id of the passage that has the answer. */
  passage: z.string(),
});
export type Hop = z.infer<typeof hopSchema>;

export const questionSchema = z.object({
  /** Unique in the dataset. */
  id: z.string().min(1),
  split: z.enum(['train', 'test']),
  group: z.string().min(1),
  difficulty: z.string().nullable(),
  question: z.string().min(1),
  /** Right answers. The first one is the gold answer, the others are other names for it. */
  answers: z.array(z.string().min(1)).min(1),
  /** In order, if they are known. */
  hops: z.array(hopSchema).nullable(),
  /** With which its texts are sealed wherever they are stored; null if they need not be. */
  canary: z.string().min(1).nullable(),
});
export type Question = z.infer<typeof questionSchema>;
