/** The questions about a trainer that each answers once, in its own file. */
import type { z } from 'zod';
import type { Loss } from '../../domain/improve/contract.ts';

export type Trainer<Schema extends z.ZodObject> = {
  /** What a user may write, `kind` included, with ranges and defaults. Plain JSON: it is stored with the improvement. */
  schema: Schema;
  /** Export formats whose rows it takes, the best first; null for any. */
  formats: { [loss in Loss]: readonly string[] | null };
  /** Among how many processes it shares the rows of a step, evenly. */
  processes(options: z.output<Schema>): number;
  /** How it trains what begins as an adapter: it goes on with it, or merges it if it is to train all weights. Null if Crux need not know. */
  onAdapters: { mergesThem: boolean } | null;
  /** Program and arguments. The folder of the training follows them. Null if a service trains, which also keeps the weights. */
  command: ((options: z.output<Schema>) => string[]) | null;
};

/** Types a trainer; its schema infers the rest. */
export function trainer<Schema extends z.ZodObject>(facts: Trainer<Schema>): Trainer<Schema> {
  return facts;
}
