/** The questions about the API of a service of fine-tuning jobs that each dialect answers once, in its own file. */
import type { Json } from '../../domain/canonical-json.ts';
import type { Hyperparameters, Loss, TrainingSettings } from '../../domain/improve/contract.ts';

/** A job as its service tells it. */
export type Job = {
  id: string;
  /** The service's own word. */
  status: string;
  /** Null while it is not over; so is a word that the dialect does not know. */
  end: 'succeeded' | 'failed' | 'cancelled' | null;
  /** Name of the model; null unless there is one. */
  model: string | null;
  /** Why it failed; null if the service does not say. */
  words: string | null;
  /** From its creation to its end; null if the service does not say. */
  seconds: number | null;
  /** Tokens that are billed; null if the service does not say. */
  trainedTokens: number | null;
  costMicroUsd: number | null;
  /** Rows that it trains on; null if the service does not say. */
  rows: number | null;
  /** Optimizer steps in all; null if the service does not say. */
  steps: number | null;
};

/** Figures of an optimizer step. */
export type JobMetrics = { step: number; total?: number; loss?: number; [name: string]: number | undefined };

export type JobOrder = {
  settings: TrainingSettings;
  /** Whether the base was made by an earlier job, not by the service itself. */
  continues: boolean;
  /** The service's id of the uploaded rows. */
  file: string;
  mark: string;
  learningRateMultiplier: number | null;
};

/** What the service says before it begins. */
export type Estimate = {
  /** Null if it does not say. */
  microUsd: number | null;
  /** Why the account cannot pay for the job; null if it can. */
  refusal: string | null;
};

export type JobDialect = {
  /** Below the base URL. Jobs are listed and created here; below it each has its own place, with `/cancel`. */
  jobs: string;
  /** Query of the list, for pages as long as the service gives them. */
  page: string;
  files: { list: string; upload: string; fields(name: string): { [field: string]: string } };
  /** Hyperparameters that a job takes. */
  takes: { [loss in Loss]: readonly (keyof Hyperparameters)[] };
  /** Whether the learning rate is given as a multiple of the service's own. */
  hasMultiplier: boolean;
  /** Fewer rows a step are refused by the service. */
  leastBatch: number;
  /** The request that creates a job. */
  request(order: JobOrder): { [member: string]: Json };
  /** Null if the service tells no price. */
  estimate: {
    path: string;
    /** @param request that creates the job */
    request(request: { [member: string]: Json }): { [member: string]: Json };
    read(answer: unknown): Estimate | null;
  } | null;
  /** @returns null if it cannot be read */
  read(answer: unknown): Job | null;
  isMarked(answer: unknown, mark: string): boolean;
  metrics: {
    /** Below the job's own place, with its query. The newest come first, or all at once. */
    path: string;
    /** @returns null if it cannot be read */
    read(answer: unknown): JobMetrics[] | null;
  };
};
