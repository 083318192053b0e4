import { checkBounded, checkPriced } from '../ceilings.ts';
import { startedRun } from '../connect.ts';
import { retunedCeilings } from '../domain/ceilings.ts';
import { askedModels } from '../domain/run-config.ts';
import { CruxError, errorText } from '../errors.ts';
import { type CeilingOptions, ceilingsGiven, ceilingsText } from './ceilings.ts';
import { configOf, type GlobalOptions, printResult, reachTemporal, withReadingStore } from './setting.ts';

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

export async function budget(options: GlobalOptions, runId: string, given: CeilingOptions): Promise<void> {
  const changes = ceilingsGiven(given);
  const { isOver, ceilings } = await withReadingStore(options, runId, async (store) => {
    const { state, finishedAt, config, ceilings: known } = await store.runs.get(runId);
    const retuned = retunedCeilings(known, changes);
    checkPriced(askedModels(config), retuned);
    checkBounded(askedModels(config), retuned);
    const hasEnded = state !== 'cancelled' && finishedAt !== null;
    if (hasEnded) await store.runs.setControl(runId, { ceilings: retuned });
    return { isOver: hasEnded, ceilings: retuned };
  });
  if (!isOver) await steer(options, runId, (run) => run.retune(changes));
  const next = isOver ? ' They hold when it is started again (crux run … with its --run-id), and for its audit.' : '';
  printResult(options, { runId, ceilings }, () => `Run ${runId} has new ceilings: ${ceilingsText(ceilings)}.${next}`);
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
