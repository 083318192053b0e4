/** The questions about a service of fine-tuning jobs that each dialect answers once, in its own file. */
import type { Json } from '../../domain/canonical-json.ts';
import type { Hyperparameters, Loss, TrainingSettings } from '../../domain/improve/contract.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import type { ServerKind } from '../servers/index.ts';

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

/** The rows of a training as its service has them. */
export type JobFile = {
  id: string;
  /** False while the service still reads it, and takes no job for it. */
  isReady: boolean;
};

export type JobOrder = {
  settings: TrainingSettings;
  /** Whether the base was made by an earlier job, not by the service itself. */
  continues: boolean;
  /** The service's id of the uploaded rows. */
  file: string;
  mark: string;
  learningRateMultiplier: number | null;
};

/** A request that creates a job. */
export type JobRequest = { [member: string]: Json };

/** What the service says before it begins. */
export type Estimate = {
  /** Null if it does not say. */
  microUsd: number | null;
  /** Why the account cannot pay for the job; null if it can. */
  refusal: string | null;
};

/** What tells the job of a training from all others. */
export type JobName = {
  mark: string;
  /** Ids of the training's jobs that ended without a model. */
  over: readonly string[];
};

/** Its methods throw CruxError `Model.*` if a request gets no answer that can be read, and the signal's reason. */
export type JobService = {
  /**
   * Has the rows there. They are named by their content, so that what is there already is not sent again.
   * @throws CruxError `Train.Failed` if the service has read them, and refuses them
   */
  upload(path: string, content: { hash: string; rows: number }, signal: AbortSignal): Promise<JobFile>;
  /** Of rows that were uploaded. @throws CruxError as `upload` */
  file(id: string, signal: AbortSignal): Promise<JobFile>;
  /** Jobs of that name, without those that are over; the oldest first. */
  find(name: JobName, signal: AbortSignal): Promise<Job[]>;
  estimate(request: JobRequest, signal: AbortSignal): Promise<Estimate>;
  create(request: JobRequest, name: JobName, signal: AbortSignal): Promise<Job>;
  job(id: string, signal: AbortSignal): Promise<Job>;
  cancel(id: string, signal: AbortSignal): Promise<void>;
  /** What the service tells of its optimizer steps, the first step first. @param which the newest page, or all */
  metrics(id: string, which: 'newest' | 'all', signal: AbortSignal): Promise<JobMetrics[]>;
};

export type JobDialect = {
  /** Hyperparameters that a job takes. */
  takes: { [loss in Loss]: readonly (keyof Hyperparameters)[] };
  /** Whether the learning rate is given as a multiple of the service's own. */
  hasMultiplier: boolean;
  /** Fewer rows a step are refused by the service. */
  leastBatch: number;
  /** Whether it trains adapters only, of its own choice. */
  trainsAdapters: boolean;
  /** β must be below; null for any. */
  betaBelow: number | null;
  /** What the base URL of its endpoint must look like, with an example; null for any. */
  address: { form: RegExp; example: string } | null;
  /** Whether we choose the ids of jobs: a request that is sent twice then creates one job, and none needs to be looked for. */
  takesIds: boolean;
  /** Servers by which its models are asked. */
  servedBy: readonly ServerKind[];
  request(order: JobOrder): JobRequest;
  service(endpoint: Endpoint, loss: Loss): JobService;
};
