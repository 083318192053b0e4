/**
 * Steers a run. Every call and every task obeys the run's control row in the store, so the order is written there: it holds whether or not a worker or a
 * server can be reached.
 */
import type { Client } from '@temporalio/client';
import { CruxError } from '../errors.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { canServe } from '../store/workers.ts';

export type RunOrder = 'pause' | 'resume' | 'cancel';
export const orderedStates = { pause: 'paused', resume: 'running', cancel: 'cancelled' } as const;

/** A living worker carries an order out at once. One that does not answer within this time is busy with something else. */
const answerMs = 20_000;

/**
 * @param tell gives the order to the campaign too, which then ends its work sooner than at its next call
 * @param tell.isServed whether a worker lives that carries it out
 * @returns `isServed`
 * @throws CruxError `User.NotFound`; `User.Config` for a run that is over, which stays as it is
 */
export async function steerRun(
  store: Store,
  runId: string,
  what: RunOrder,
  tell: (run: Run, isServed: boolean) => Promise<boolean>,
): Promise<boolean> {
  const run = await store.runs.get(runId);
  if (!(await store.runs.steer(runId, orderedStates[what]))) throw isOver(await store.runs.get(runId));
  const isServed = await serves(store, run);
  const isDone = (what === 'resume' || isServed) && (await tell(run, isServed));
  // A worker that finds the rest of it in Temporal ends it.
  if (what === 'cancel' && !isDone) await store.runs.finish(runId, 'cancelled');
  return isServed;
}

/** Whether a live worker carries out the orders that a run's campaign receives. */
export async function serves(store: Store, { environment }: Run): Promise<boolean> {
  const workers = await store.workers.living();
  return (
    workers.some((worker) => canServe(worker, environment)) && workers.some(({ roles }) => roles.includes('workflow'))
  );
}

/**
 * Speaks to a campaign whose control row is written already.
 * @returns whether it answered
 * @throws CruxError `User.*`
 */
export async function told(client: Client, speak: () => Promise<void>): Promise<boolean> {
  try {
    await client.withDeadline(Date.now() + answerMs, speak);
    return true;
  } catch (error) {
    // Either the campaign ended meanwhile by the control row, or it does not answer and will obey the control row when it does.
    if (error instanceof CruxError && error.kind.startsWith('User.')) throw error;
    return false;
  }
}

export function isOver({ id, state }: Pick<Run, 'id' | 'state'>): CruxError {
  return new CruxError('User.Config', `Run ${id} is over (${state}).`);
}
