/** A trainer of the user's own. */
import { z } from 'zod';
import { trainer } from './trainer.ts';

export const command = trainer({
  schema: z.strictObject({
    kind: z.literal('command'),
    /** Program and arguments. No shell reads them. */
    run: z.array(z.string().min(1)).min(1),
  }),
  formats: { dpo: null, sft: null },
  // What it does with a batch is its own business.
  processes: () => 1,
  onAdapters: null,
  command: ({ run }) => run,
});
