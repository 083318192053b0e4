/** Work of a run with a worker in this process: what `crux run`, `crux evaluate`, `crux audit` and `crux demo` share. */
import type { Client } from '@temporalio/client';
import type { CruxConfig } from '../../config/config.ts';
import { isEvaluation } from '../../domain/run/run-config.ts';
import type { CampaignResult } from '../../domain/wire/campaign.ts';
import { silent } from '../../observe/log.ts';
import { BlockedRun, blockedFor } from '../../start/blocked-run.ts';
import { startedRun } from '../../start/connect.ts';
import { launchRun } from '../../start/launch.ts';
import type { Run } from '../../store/runs.ts';
import type { Store } from '../../store/store.ts';
import { blockedText } from '../../views/fault-text.ts';
import type { Job } from '../job.ts';
import { type GlobalOptions, homeOf, reachTemporal, say } from '../setting.ts';
import { CommandFailed } from '../terminal/errors.ts';
import { type Interrupt, onInterrupt } from '../terminal/interrupt.ts';
import { leaveText } from '../terminal/leave.ts';
import { leftBehindText, type OtherRun, otherRuns, otherRunsText, takenUpText } from '../terminal/other-runs.ts';
import { lineOfRun, showProgress } from '../terminal/progress.ts';

export type Worked<T> = { result: T; otherRuns: OtherRun[] };

/**
 * Starts the run's campaign and works on it until it ends.
 * @param again the command that continues the run after an interruption
 * @throws CommandFailed with exit code 130 if the user interrupted it
 */
export function workOn(
  options: GlobalOptions,
  config: CruxConfig,
  store: Store,
  run: Run,
  again: string,
): Promise<Worked<CampaignResult>> {
  return workUntil<CampaignResult>(options, config, store, {
    name: `Run ${run.id}`,
    ...ofRun(store, run),
    command: commandOf(run),
    work: async (client) => {
      await launchRun(client, store, run);
      void wakeCampaign(client, store, run.id);
      return client.workflow.getHandle(run.id).result() as Promise<CampaignResult>;
    },
    rest: () => store.runs.rest(run.id),
    again: `${again}, or crux resume ${run.id}`,
    halt: `crux pause ${run.id}`,
  });
}

/** What work on one run has in common. */
export function ofRun(
  store: Store,
  { id, environment }: Run,
): Pick<Job<unknown>, 'id' | 'environment' | 'roles' | 'owns' | 'progress' | 'blocked' | 'state'> {
  return {
    id,
    environment,
    roles: ['workflow', 'agent'],
    owns: (runId) => runId === id,
    progress: lineOfRun(store, id),
    blocked: (over) => blockedFor(store, id, over),
    state: async () => (await store.runs.control(id)).state,
  };
}

/** The command that works on a run, as a person knows it. */
export function commandOf({ id, config }: Run): string {
  return `crux ${isEvaluation(config) ? 'evaluate' : 'run'} ${id}`;
}

/** A campaign that paused itself does not notice that its run was resumed while no worker lived. */
async function wakeCampaign(client: Client, store: Store, runId: string): Promise<void> {
  try {
    const run = startedRun(client, runId);
    const { state } = await run.progress();
    if (state === 'paused' && (await store.runs.control(runId)).state === 'running') await run.resume();
  } catch {
    // It is over, or the command is.
  }
}

/**
 * Runs a worker in this process until some work of a run is over. Ctrl-C puts the work to rest if no other worker lives. Any other end of this
 * process leaves the work to the next worker.
 * @throws CommandFailed with exit code 130 if the user interrupted it
 */
export async function workUntil<T>(
  options: GlobalOptions,
  config: CruxConfig,
  store: Store,
  job: Job<T>,
): Promise<Worked<T>> {
  const interrupt = onInterrupt(() =>
    say(options)('\nStopping: calls in progress are finished and stored. Ctrl-C again to quit at once.'),
  );
  try {
    const worked = await withWorker(options, config, store, job, interrupt).catch((error: unknown) => {
      // If the signal broke off a download or a connection attempt, their errors are no faults.
      if (interrupt.by === null || error instanceof CommandFailed) throw error;
      return null;
    });
    if (worked !== null) return worked;
    throw new CommandFailed(await leaveText(store, job, interrupt.by, null), 130);
  } finally {
    interrupt.release();
  }
}

/** @returns null if it was interrupted before there was a worker @throws CommandFailed if it was interrupted later */
async function withWorker<T>(
  options: GlobalOptions,
  config: CruxConfig,
  store: Store,
  job: Job<T>,
  interrupt: Interrupt,
): Promise<Worked<T> | null> {
  const tell = say(options);
  const { command, owns } = job;
  const { signal } = interrupt;
  const waiting = new AbortController();
  const { startTelemetry } = await import('../../observe/telemetry.ts');
  // This worker only pushes metrics. A page for scrapers would end with the run, and `crux up` may use its address.
  const telemetry = await startTelemetry({ metrics: null, log: silent });
  try {
    const temporal = await reachTemporal(options, config, 'start', command, { signal });
    try {
      const { startWorker } = await import('../../worker/worker.ts');
      const home = homeOf(options);
      const roles = [...job.roles];
      const worker = await startWorker({ config, store, temporal, home, roles, telemetry, command, signal });
      try {
        const { client } = temporal;
        if (temporal.uiAddress)
          tell(
            `Temporal UI: ${temporal.uiAddress}/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(job.id)}`,
          );
        const taken = await takenUpText(store, config, owns);
        if (taken !== null) tell(taken);
        const result = signal.aborted ? null : client.withAbortSignal(waiting.signal, () => job.work(client));
        const stopped = new Promise<null>((resolve) => {
          if (signal.aborted) resolve(null);
          signal.addEventListener('abort', () => resolve(null));
        });
        const standing = job.blocked(waiting.signal);
        const outcome = Promise.race([result, stopped, standing, worker.done.then(() => null)]);
        await showProgress(job.progress, outcome, options.json === true);
        const ended = await outcome;
        worker.stop();
        // First, so that no command takes this worker for a live one.
        await worker.leave();
        // At once, so that no worker takes the work up while the last calls end.
        const isBlocked = ended instanceof BlockedRun;
        const left = ended === null ? leaveText(store, job, interrupt.by, client) : null;
        await worker.done;
        const others = otherRuns(worker.calls(), owns);
        const othersText = otherRunsText(others, owns);
        if (othersText !== null) tell(othersText);
        if (left !== null) {
          const words = await left;
          const behind = await leftBehindText(store, config, owns).catch(() => null);
          if (behind !== null) tell(behind);
          throw new CommandFailed(words, 130);
        }
        if (isBlocked) throw new CommandFailed(blockedText(job.name, ended, job.again), 4);
        return { result: ended as T, otherRuns: others };
      } finally {
        // Needed even if the work could not begin: the connection cannot be closed under a worker.
        worker.stop();
        await worker.done.catch(() => {});
      }
    } finally {
      // Otherwise the client asks for the result again on the closed connection, and that error ends this process.
      waiting.abort();
      await temporal.close();
    }
  } finally {
    await telemetry.close();
  }
}
