/** A service trains, and keeps the weights. */
import { z } from 'zod';
import { jobDialectNames } from '../jobs/dialects.ts';
import { trainer } from './trainer.ts';

const seconds = z.number().gt(0).max(86_400);

const schema = z.strictObject({
  kind: z.literal('fineTuningJobs'),
  /** Of the configuration's `endpoints`: base URL and key of the service. */
  endpoint: z.string().min(1),
  dialect: z.enum(jobDialectNames),
  /** Of the service's own learning rate; null for as it chooses. */
  learningRateMultiplier: z.number().gt(0).nullable().default(null),
  /** US dollars per million trained tokens, if the service does not say what a job costs; null if unknown. */
  price: z.number().min(0).nullable().default(null),
  /** Between two looks at a job: at first, doubled each time, and at most. */
  firstLookSeconds: seconds.default(30),
  longestLookSeconds: seconds.default(300),
  /** How long a job is looked for, after the answer to its creation was lost, before it is created again. */
  searchSeconds: seconds.default(60),
});

export type FineTuningJobsOptions = z.output<typeof schema>;

export const fineTuningJobs = trainer({
  schema,
  formats: { dpo: ['openai'], sft: ['openai-sft'] },
  processes: () => 1,
  onAdapters: null,
  command: null,
});
