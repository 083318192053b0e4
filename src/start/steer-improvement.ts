/** Pauses, resumes or cancels an improvement: its own control row, and the campaign or the training that is in progress. */
import type { Client } from '@temporalio/client';
import type { Store } from '../store/store.ts';
import { order } from '../temporal/order.ts';

export type SteeredState = 'paused' | 'running' | 'cancelled';

const orders = { paused: 'pause', running: 'resume', cancelled: 'cancel' } as const;

/**
 * @param place `client`: null if Temporal is not reached; the control rows are obeyed all the same
 * @returns false if it is over; nothing was changed then
 */
export async function steerImprovement(
  { store, client }: { store: Store; client: Client | null },
  id: string,
  state: SteeredState,
): Promise<boolean> {
  if (!(await store.improvements.steer(id, state))) return false;
  for (const { id: runId, finishedAt } of await store.runs.under(`${id}/`)) {
    if (finishedAt !== null) continue;
    if (!(await store.runs.steer(runId, state)) || state === 'paused') continue;
    // A worker that finds the rest of it in Temporal ends it.
    if (client === null && state === 'cancelled') await store.runs.finish(runId, state);
    if (client === null) continue;
    // A campaign that is over, or has no worker, finds its control row later.
    await order(client.workflow.getHandle(runId), orders[state]).catch(() => {});
  }
  if (state === 'cancelled') await stopTraining(store, id);
  if (state === 'cancelled' && client === null) await store.improvements.finish(id, state, null);
  return true;
}

/** Its supervisor obeys the store, whether or not a worker lives. */
async function stopTraining({ improvements, trainings }: Store, id: string): Promise<void> {
  const records = await improvements.phases(id);
  for (const { round } of records.filter(({ phase, result }) => phase === 'train' && result === null)) {
    const training = await trainings.ofRound(records, round);
    if (training?.state === 'running') await trainings.requestStop(training.folder, training.holder);
  }
}
