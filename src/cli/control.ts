import { startedRun } from '../connect.ts';
import type { Ceilings } from '../domain/run-config.ts';
import { CruxError, errorText } from '../errors.ts';
import { configOf, type GlobalOptions, printResult, reachTemporal, withReadingStore } from './setting.ts';
import { count, dollars } from './text.ts';

export async function control(
  options: GlobalOptions,
  runId: string,
  what: 'pause' | 'resume' | 'cancel',
): Promise<void> {
  await steer(options, runId, (run) => run[what]());
  const done = {
    pause: 'is paused: no new model call starts',
    resume: 'goes on',
    cancel: 'is cancelled; its pairs so far are kept',
  };
  printResult(options, { runId, done: what }, () => `Run ${runId} ${done[what]}.`);
}

export async function budget(
  options: GlobalOptions,
  runId: string,
  given: { maxCalls?: number; maxTokens?: number; maxCost?: number },
): Promise<void> {
  const ceilings = {
    calls: given.maxCalls ?? null,
    tokens: given.maxTokens ?? null,
    costMicroUsd: given.maxCost === undefined ? null : Math.round(given.maxCost * 1e6),
  };
  const isOver = await withReadingStore(options, runId, async (store) => {
    const { state, finishedAt } = await store.runs.get(runId);
    if (state === 'cancelled' || finishedAt === null) return false;
    await store.runs.setControl(runId, { ceilings });
    return true;
  });
  if (!isOver) await steer(options, runId, (run) => run.retune(ceilings));
  const next = isOver ? ' They hold when it is started again (crux run … with its --run-id), and for its audit.' : '';
  printResult(options, { runId, ceilings }, () => `Run ${runId} has new ceilings: ${ceilingText(ceilings)}.${next}`);
}

function ceilingText({ calls, tokens, costMicroUsd }: Ceilings): string {
  const parts = [
    ...(calls === null ? [] : [`${count(calls)} calls`]),
    ...(tokens === null ? [] : [`${count(tokens)} tokens`]),
    ...(costMicroUsd === null ? [] : [dollars(costMicroUsd)]),
  ];
  return parts.length === 0 ? 'none' : parts.join(', ');
}

/** Speaks to the run's campaign. @throws CruxError when the run is over or no server runs */
async function steer(
  options: GlobalOptions,
  runId: string,
  speak: (run: ReturnType<typeof startedRun>) => Promise<void>,
): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    const run = await store.runs.get(runId);
    if (run.finishedAt !== null) throw new CruxError('User.Config', `Run ${runId} is over (${run.state}).`);
  });
  const config = await configOf(options).catch(() => null);
  const temporal = await reachTemporal(options, config, 'join');
  try {
    await speak(startedRun(temporal.client, runId));
  } catch (error) {
    throw new CruxError('Temporal.Unavailable', `Run ${runId} does not answer: ${errorText(error)}.`, {
      remedy: 'Is a worker running? Start one with `crux up`.',
      cause: error,
    });
  } finally {
    await temporal.close();
  }
}
