/** The edge between Crux and Temporal: heartbeats, cancellation, and faults with their kinds. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { CruxError, errorText, type FaultKind } from '../../errors.ts';
import { fullDiskFault } from '../../full-disk.ts';
import { inSeal, sealedHere } from '../../sealing.ts';

const heartbeatEveryMs = 2_000;
/** A defect is tried this often, for two minutes: it may be a database that is restarting. After that it is a failure that the user sees. */
export const mostDefects = 10;

/** What an activity tells with its heartbeats. The next attempt gets it, and the Temporal UI shows it. */
export type Beat = {
  /** Defects of this and earlier attempts: pauses and rate limits are attempts too. */
  defects?: number;
  /** Step that was taken last, from 1, and its tools. Never what a model wrote. */
  step?: number;
  tool?: string | null;
  /** Of a slot: tasks that it has finished, and those in play. */
  done?: number;
  inFlight?: number;
  /** How far a training is. */
  training?: { step: number; total: number; loss: number | null };
};

const beats = new WeakMap<Context, Beat>();

/** Adds to what the activity tells. */
export function beat(part: Beat): void {
  const context = Context.current();
  const told = { ...beats.get(context), ...part };
  beats.set(context, told);
  context.heartbeat(told);
}

/**
 * Makes an activity of a function. The activity heartbeats for as long as it runs: a slow model is no dead worker. Its first line starts the
 * timer, so short work costs the server no heartbeat. The activity passes cancellation on as a signal, and keeps the kind of each fault.
 */
export function activity<Input, Output>(
  work: (input: Input, signal: AbortSignal) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    const context = Context.current();
    const { defects = 0 } = (context.info.heartbeatDetails as Beat | undefined) ?? {};
    beats.set(context, defects === 0 ? {} : { defects });
    const beating = setInterval(() => context.heartbeat(beats.get(context)), heartbeatEveryMs);
    try {
      return await work(input, context.cancellationSignal);
    } catch (error) {
      if (context.cancellationSignal.aborted) {
        if (context.cancellationDetails?.workerShutdown) throw workerStopping();
        throw context.cancellationSignal.reason;
      }
      if (error instanceof CruxError) await tellOfBlock(input, error);
      if (isDefect(error)) beat({ defects: defects + 1 });
      throw asFailure(error, defects + 1);
    } finally {
      clearInterval(beating);
    }
  };
}

// biome-ignore lint/suspicious/noExplicitAny: each keeps its own types.
type Works = { [name: string]: (input: any, signal: AbortSignal) => Promise<unknown> };

type ActivitiesOf<Some extends Works> = {
  [name in keyof Some]: (input: Parameters<Some[name]>[0]) => ReturnType<Some[name]>;
};

/**
 * Makes activities of functions, under their names.
 * @param begin what each of them begins with
 * @param canaryOf with which its texts are sealed; null if they are not. Default: they are not
 */
export function activities<Some extends Works, Input>(
  works: Some,
  begin: (name: string, input: Input) => Promise<void>,
  canaryOf: (input: Input) => Promise<string | null> = async () => null,
): ActivitiesOf<Some> {
  const made = Object.entries(works).map(([name, work]) => [
    name,
    activity(async (input: Input, signal) => {
      const canary = await canaryOf(input);
      return inSeal(canary, async () => {
        try {
          await begin(name, input);
          return await work(input, signal);
        } catch (error) {
          throw canary === null ? error : sealedFault(error);
        }
      });
    }),
  ]);
  return Object.fromEntries(made) as ActivitiesOf<Some>;
}

/**
 * Functions that write files, and end on a full disk: only a person makes room, and to try again would start what is costly in vain. Others are tried
 * again for a while, as after any defect.
 */
export function endingOnFullDisk<Some extends Works>(works: Some): Some {
  const made = Object.entries(works).map(([name, work]): [string, Works[string]] => [
    name,
    (input, signal) =>
      work(input, signal).catch((error: unknown) => {
        throw fullDiskFault(error) ?? error;
      }),
  ]);
  return Object.fromEntries(made) as Some;
}

/** Blocks that this process has reported to a campaign. */
const told = new Set<string>();

/** Lets the campaign show in Temporal's UI why it stands still, if that is what the fault says. The campaign also works without this report. */
export async function tellOfBlock(input: unknown, { kind, message }: CruxError): Promise<void> {
  if (kind !== 'Run.Blocked' || told.has(message)) return;
  const { runId } = input as { runId?: string };
  if (runId === undefined) return;
  told.add(message);
  const campaign = Context.current().client.workflow.getHandle(runId);
  // The workflow with this id may be no campaign, or may be over.
  await campaign.signal('blocked', message).catch(() => {});
}

/** Whether the workflow asked for the end of this activity. It is also aborted when its worker stops, or is taken for dead. */
export function isCancelRequested({ cancellationDetails } = Context.current()): boolean {
  return cancellationDetails?.cancelRequested === true;
}

/** What a fault says, and what to do. In a seal, what it says of a task is sealed. */
export function faultMessage({ kind, message, remedy }: Pick<CruxError, 'kind' | 'message' | 'remedy'>): string {
  const words = remedy ? `${message} ${remedy}` : message;
  return speaksOfTask(kind) ? sealedHere(words) : words;
}

/** The other kinds speak of runs, stores, accounts and servers; what they quote of a server is sealed where it is quoted. */
function speaksOfTask(kind: FaultKind): boolean {
  return /^(Environment|Model\.(Rejected|ContextLength|Unusable|Exhausted|Transport))/.test(kind);
}

/** As it leaves a seal: nothing that it carries along can be read either. */
function sealedFault(error: unknown): unknown {
  if (error instanceof ApplicationFailure) return error;
  if (!(error instanceof CruxError)) return new Error(sealedHere(errorText(error)));
  const { kind, retryAfterMs } = error;
  return new CruxError(kind, faultMessage(error), { ...(retryAfterMs !== undefined && { retryAfterMs }) });
}

/** The worker is shutting down, and another one is to take up the work at once. */
export function workerStopping(): ApplicationFailure {
  return givenBack('Worker.Stopping', 'The worker is shutting down; another one goes on from the last stored step.');
}

/** The work took long, or cannot begin here. Any worker is to take it up at once. */
export function workHandedOver(): ApplicationFailure {
  return givenBack('Worker.HandedOver', 'The work is left to any worker, which goes on from the last stored step.');
}

function givenBack(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nextRetryDelay: '100ms', category: 'BENIGN' });
}

/** Kinds that give the same result however often they are tried. */
const final: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'User.Config',
  'User.NotFound',
  'Store.NewerSchema',
  'Store.Corrupt',
  'Model.Rejected',
  'Model.ContextLength',
  'Model.Exhausted',
  'Model.Account',
  'Model.Identity',
  'Model.NotServed',
  'Model.Setup',
  'Serve.PortTaken',
  'Serve.Failed',
  'Serve.NotTheModel',
  'Environment.Fault',
  'Environment.ReplayDivergence',
  'Train.Failed',
  'Train.NoModel',
  'Train.OutOfMemory',
  'Train.Diverged',
  'Train.Collapsed',
  'Train.RowsDropped',
  'Disk.Full',
  'Run.Cancelled',
  'Run.Budget',
  'Run.Broken',
  'Task.Budget',
  'Step.Budget',
]);

/** Waiting for a pause, a block or a rate limit to end is no failure. */
const benign: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'Run.Paused',
  'Run.Blocked',
  'Run.Waiting',
  'Model.RateLimit',
  'Model.Unavailable',
]);

/** Whether a fault gives the same result however often it is tried. */
export function isFinal({ kind }: CruxError): boolean {
  return final.has(kind);
}

/** Whether an error is no fault of a known kind. */
export function isDefect(error: unknown): boolean {
  return !(error instanceof ApplicationFailure) && !(error instanceof CruxError);
}

/** @param defects of all attempts, if this is one */
function asFailure(error: unknown, defects: number): unknown {
  if (error instanceof ApplicationFailure) return error;
  if (!(error instanceof CruxError)) {
    const nonRetryable = defects >= mostDefects;
    return ApplicationFailure.create({
      type: 'Defect',
      message: errorText(error),
      nonRetryable,
      cause: asError(error),
    });
  }
  return ApplicationFailure.create({
    type: error.kind,
    message: faultMessage(error),
    nonRetryable: isFinal(error),
    ...(error.retryAfterMs !== undefined && { nextRetryDelay: Math.max(1, Math.ceil(error.retryAfterMs)) }),
    ...(benign.has(error.kind) && { category: 'BENIGN' as const }),
    cause: asError(error.cause),
  });
}

function asError(value: unknown): Error | undefined {
  return value instanceof Error ? value : undefined;
}
