/** A run with a worker in this process: what `crux run` and `crux demo` share. */
import type { Client } from '@temporalio/client';
import type { CruxConfig } from '../config.ts';
import type { CampaignResult } from '../domain/wire.ts';
import { silent } from '../observe/log.ts';
import { launchRun } from '../runs.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { CommandFailed } from './errors.ts';
import { onInterrupt } from './interrupt.ts';
import { showProgress } from './progress.ts';
import { type GlobalOptions, reachTemporal, say } from './setting.ts';

/**
 * Starts the run's campaign and works on it until it ends.
 * @param again the command that goes on with the run after an interruption
 * @throws CommandFailed with exit code 130 when the user interrupted it
 */
export function workOn(
  options: GlobalOptions,
  config: CruxConfig,
  store: Store,
  run: Run,
  again: string,
): Promise<CampaignResult> {
  const work = async (client: Client) => {
    await launchRun(client, store, run);
    return client.workflow.getHandle(run.id).result() as Promise<CampaignResult>;
  };
  return workUntil(options, config, store, { id: run.id, work, again });
}

/** Runs a worker in this process until some work of a run is over. @throws CommandFailed with exit code 130 when the user interrupted it */
export async function workUntil<T>(
  options: GlobalOptions,
  config: CruxConfig,
  store: Store,
  {
    id,
    work,
    again,
  }: {
    id: string;
    /** Starts it, and waits for its end. */
    work: (client: Client) => Promise<T>;
    again: string;
  },
): Promise<T> {
  const tell = say(options);
  const interrupt = onInterrupt(() =>
    tell('\nStopping: calls under way are finished and stored. Ctrl-C again to quit at once.'),
  );
  const waiting = new AbortController();
  const { startTelemetry } = await import('../observe/telemetry.ts');
  // Its metrics are sent, if at all: a page for scrapers would go with the run, and `crux up` may have that address.
  const telemetry = await startTelemetry({ metrics: null, log: silent });
  const temporal = await reachTemporal(options, config, 'start', { signal: interrupt.signal });
  try {
    const { startWorker } = await import('../worker.ts');
    const worker = await startWorker({ config, store, temporal, roles: ['workflow', 'agent'], telemetry });
    const { client } = temporal;
    if (temporal.uiAddress)
      tell(`Temporal UI: ${temporal.uiAddress}/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(id)}`);
    const result = client.withAbortSignal(waiting.signal, () => work(client));
    const interrupted = new Promise<null>((resolve) => interrupt.signal.addEventListener('abort', () => resolve(null)));
    const outcome = Promise.race([result, interrupted, worker.done.then(() => null)]);
    await showProgress(store, id, outcome, options.json === true);
    const ended = await outcome;
    worker.stop();
    await worker.done;
    if (ended === null) throw new CommandFailed(`Interrupted. Nothing is lost; go on with: ${again}`, 130);
    return ended;
  } finally {
    interrupt.release();
    // Else the client asks for the result again on the closed connection, and ends this process with that error.
    waiting.abort();
    await temporal.close();
    await telemetry.close();
  }
}
