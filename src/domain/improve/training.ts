/** A training as its supervisor records it: how far it is, and how it ended. */

/** `ended`: its trainer has ended, and nobody has judged it yet or it ended well. `given-up`: it ended with a fault that was reported. */
export type TrainingState = 'running' | 'ended' | 'given-up';

/**
 * Why a trainer was told to end. `diverged`: its loss was no number. `collapsed`: the chosen sides became improbable. `terminated`: its supervisor
 * got a signal, as when the machine shuts down. `lost`: the folder belongs to another supervisor, or is gone.
 */
export type StopReason = 'cancelled' | 'diverged' | 'collapsed' | 'terminated' | 'lost';

/** From the newest line of metrics. */
export type TrainingProgress = {
  /** Optimizer steps. */
  step: number;
  total: number;
  /** Null if the trainer reports none. */
  loss: number | null;
  /** The highest step so far: a training that goes on from a checkpoint takes some steps again. */
  reached: number;
};

/** Files of a model together. */
export type ModelFiles = {
  /** SHA-256, as `hashModel` makes it, in hexadecimal. */
  hash: string;
  files: number;
  bytes: number;
};

/** How a trainer ended. */
export type TrainingExit = {
  /** Null if a signal ended it, or if it never started. */
  code: number | null;
  signal: string | null;
  /** Why it could not be started; null if it was. */
  error: string | null;
  /** Null if it ended by itself. */
  stop: StopReason | null;
  /** What its metrics said when it was stopped, in words; null if that is not why. */
  finding: string | null;
  /** Bytes of output that could not be written, because of the disk. */
  unwritten: number;
  /** What it left in `model/`; null unless it ended with code 0, or if there is nothing. */
  model: ModelFiles | null;
};
