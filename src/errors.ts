/**
 * Every fault that Crux knows, named by the boundary where it happens. The kind decides the reaction (retry, end the trajectory, tell the user). The
 * message says what happened, where, and what to do. A kind travels through Temporal as the type of an `ApplicationFailure`, because classes do not
 * survive serialization.
 */
export type FaultKind =
  /** Wrong configuration or arguments. Nothing was changed. */
  | 'User.Config'
  /** Something that the user named does not exist. */
  | 'User.NotFound'
  /** A test on tasks that the model has seen, or may have seen. */
  | 'User.Leak'
  /** The store could not be opened or written. */
  | 'Store.Unavailable'
  | 'Store.NewerSchema'
  | 'Store.Corrupt'
  | 'Store.Full'
  /** No space for a file that is not the store's. */
  | 'Disk.Full'
  /** A file that may not be read or written, or a disk that fails. */
  | 'Disk.Unavailable'
  /** Rate limit (429) or overload of a model provider; carries the time for the next try. */
  | 'Model.RateLimit'
  /** No complete answer: connection cut, 500, time-out, unreadable body. */
  | 'Model.Transport'
  /** The provider answers no call now: no connection, 502, 503, 504, or no answer to any call for a while. */
  | 'Model.Unavailable'
  /** Status 200 without a usable answer: marked as broken by the server, in no known form, or without words. It may have been paid for. */
  | 'Model.Unusable'
  /** The server does not have the model: a wrong name, or it has forgotten what was loaded into it. Stops the provider, not the task. */
  | 'Model.NotServed'
  /** The provider refuses the request itself (400, 403, 404): a retry will not help. */
  | 'Model.Rejected'
  /** The conversation does not fit the model's context. */
  | 'Model.ContextLength'
  /** Too many faults for one call. */
  | 'Model.Exhausted'
  /** The account cannot make calls: key, payment or quota (401, 402, a 429 that says so). Stops the provider, not the task. */
  | 'Model.Account'
  /** Another model answered than the requested one. Stops the provider, not the task. */
  | 'Model.Identity'
  /** The server's set-up makes its answers useless (no words; no space for an answer from the start). Stops the provider, not the task. */
  | 'Model.Setup'
  /** The port of a model's server is taken by somebody else. */
  | 'Serve.PortTaken'
  /** A model's server does not start, or does not load the model. */
  | 'Serve.Failed'
  /** Another model is served than the one that is to be evaluated. */
  | 'Serve.NotTheModel'
  | 'Environment.Fault'
  | 'Environment.ReplayDivergence'
  /** The run is paused; try again later. */
  | 'Run.Paused'
  /** A model's provider gives no answers until the user acts; try again later. */
  | 'Run.Blocked'
  /** Another part of the run must be done first; try again later. */
  | 'Run.Waiting'
  | 'Run.Cancelled'
  /** A ceiling of the run is reached. */
  | 'Run.Budget'
  /** Faults took so much of an improvement's campaign that it cannot go on with the rest. */
  | 'Run.Broken'
  /** A ceiling on each task: this task ends with its results so far, the run continues. */
  | 'Task.Budget'
  /** A ceiling on each step: this step is left out, the task continues. */
  | 'Step.Budget'
  /** A trainer ended without a model, or did not start. */
  | 'Train.Failed'
  /** A trainer ended well, but its model is not there, is empty, or was changed since. */
  | 'Train.NoModel'
  | 'Train.OutOfMemory'
  /** The loss is no number. */
  | 'Train.Diverged'
  /** The chosen sides became much less probable than at the start. */
  | 'Train.Collapsed'
  /** A trainer would not train on exactly the rows that it was given. */
  | 'Train.RowsDropped'
  | 'Temporal.Unavailable'
  | 'Temporal.ServerMissing'
  | 'Export.Exists';

export type FaultOptions = {
  /** One sentence: what the user can do about it. */
  remedy?: string;
  /** When to try again, in milliseconds from now. */
  retryAfterMs?: number;
  cause?: unknown;
};

export class CruxError extends Error {
  readonly kind: FaultKind;
  readonly remedy: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: FaultKind, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CruxError';
    this.kind = kind;
    this.remedy = options.remedy;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Words of a thrown value, without its stack. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error and its causes, the outermost first. */
export function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && !chain.includes(cause); cause = cause.cause) chain.push(cause);
  return chain;
}

/** Whether the store cannot be written now, but may be later: its disk is full, or another process holds it. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof CruxError && (error.kind === 'Store.Full' || error.kind === 'Store.Unavailable');
}
