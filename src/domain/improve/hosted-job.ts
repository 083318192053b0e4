/** A training at a service, as far as it is known. It is kept with its phase, so that any worker finds the job again. */
import type { TrainingProgress } from './training.ts';

export type HostedJob = {
  /** By which the service's list tells the job from all others: see `jobMark`. */
  mark: string;
  /**
   * Drawn before the request is sent that creates the job. An attempt that finds it without an `id` looks for a job whose answer was lost. Null if no
   * request was sent, or if it was refused.
   */
  sent: string | null;
  /** The service's id of the uploaded rows, from when it is known until a job has them; not there if an earlier version wrote this. */
  file?: string | null;
  /** Null until the service has told it. */
  id: string | null;
  /** The service's own word; null before the first look. */
  status: string | null;
  progress: TrainingProgress | null;
  /** What the service said that the job will cost; null if it did not say. */
  estimateMicroUsd: number | null;
  /** Jobs of this training that ended without a model and were reported: none of them is taken up again. */
  over: string[];
  /** Whether the job was cancelled with its improvement, or was over by then. */
  isCancelled: boolean;
};

/** What a job cost, with the name by which its service knows it. */
export type JobFigures = {
  id: string;
  /** Null if the service does not say, and the configuration has no price. */
  costMicroUsd: number | null;
};

/** Services take at most 40 to 64 characters for the suffix of a model's name, and some of them small letters, digits and hyphens only. */
const longestRun = 20;

/** @param hash of all that makes the training, in hexadecimal. @returns at most 40 characters */
export function jobMark(improvement: string, round: number, hash: string): string {
  const run = improvement.toLowerCase().replace(/[^a-z0-9-]/g, '-');
  return `crux-${run.slice(0, longestRun)}-r${round}-${hash.slice(0, 8)}`;
}

/** What is known of a training before anything is sent. */
export function unsentJob(mark: string): HostedJob {
  return {
    mark,
    sent: null,
    file: null,
    id: null,
    status: null,
    progress: null,
    estimateMicroUsd: null,
    over: [],
    isCancelled: false,
  };
}

/** Whether a service may have a job of this training that is not over. */
export function mayGoOn({ sent, id, isCancelled }: HostedJob): boolean {
  return (sent !== null || id !== null) && !isCancelled;
}

/** How long to wait before a job is looked at. @param looks at it so far */
export function nextLookMs(looks: number, firstMs: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** looks);
}
