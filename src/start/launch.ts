/** From a run in the store to a campaign in Temporal. */
import type { Client } from '@temporalio/client';
import { type CeilingChanges, retunedCeilings } from '../domain/run/ceilings.ts';
import { askedModels } from '../domain/run/run-config.ts';
import type { CampaignInput } from '../domain/wire/campaign.ts';
import { CruxError } from '../errors.ts';
import { checkCeilings } from '../models/limits/ceiling-needs.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { order } from '../temporal/order.ts';
import { taskQueue } from '../temporal/task-queues.ts';
import { isOver, serves, told } from './steer-run.ts';

/** Starts the campaign of a run; does nothing if it is in progress or over. One that ended for its budget, is blocked or rests continues. */
export async function launchRun(client: Client, store: Store, run: Run): Promise<void> {
  const ready = await readyRun(store, run);
  if (ready === null) return;
  const { total, reopened } = ready;
  const { cruxEnvironment, cruxMethod, cruxRun, cruxStatus } = await import('../workflows/search-attributes.ts');
  await refuseForeign(client, store, run.id);
  await ready.wake();
  const input: CampaignInput = { runId: run.id, method: run.config.method, window: run.config.window };
  await client.workflow.start('campaign', {
    workflowId: run.id,
    taskQueue: taskQueue(store.id),
    args: [input],
    // A terminated campaign is started again, and finds the finished work in the store.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `${run.method} on ${run.environment}, ${total} tasks`,
    typedSearchAttributes: [
      { key: cruxRun, value: run.id },
      { key: cruxMethod, value: run.method },
      { key: cruxEnvironment, value: run.environment },
      { key: cruxStatus, value: 'running' },
    ],
  });
  if (run.state === 'blocked' || reopened > 0) await client.workflow.getHandle(run.id).signal('blocked', null);
}

/**
 * Has the tasks of a run wait again that a fault ended.
 * @returns null if nothing is left to do; else how many tasks there are, how many wait again, and what lets a run continue that ended for its budget,
 *   is blocked or rests
 */
export async function readyRun(
  store: Store,
  { id, state, finishedAt }: Run,
): Promise<{ total: number; reopened: number; wake(): Promise<void> } | null> {
  const reopened = state === 'cancelled' ? 0 : await store.runs.reopen(id);
  const { total, done } = await store.runs.countTasks(id);
  if (finishedAt !== null && total === done) return null;
  const isOver = state === 'finished' && reopened > 0;
  const goesOn = isOver || state === 'budget' || state === 'blocked' || state === 'resting';
  const wake = async () => {
    if (goesOn) await store.runs.setControl(id, { state: 'running' });
  };
  return { total, reopened, wake };
}

/**
 * Workflow ids are run ids, and closed workflows keep theirs for as long as the namespace retains them.
 * @throws CruxError `User.Config` if a run of another store has the id
 */
async function refuseForeign(client: Client, store: Store, runId: string): Promise<void> {
  let queue: string;
  try {
    queue = (await client.workflow.getHandle(runId).describe()).taskQueue;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return;
    throw error;
  }
  if (queue === taskQueue(store.id)) return;
  throw new CruxError('User.Config', `A run "${runId}" of another store is known to this Temporal server.`, {
    remedy: 'Choose another --run-id: its workflows have the names that this run would need.',
  });
}

/**
 * Replaces the run's own ceilings, and those of tasks and steps if they are given. A run that ended for its budget continues with its remaining work;
 * it needs a worker.
 * @throws CruxError `User.NotFound`; `User.Config` for a cancelled run, and for a ceiling on cost if a model has no price
 */
export async function retuneRun(client: Client, store: Store, runId: string, given: CeilingChanges): Promise<void> {
  const handle = client.workflow.getHandle(runId);
  const run = await store.runs.get(runId);
  if (run.state === 'cancelled') throw isOver(run);
  const ceilings = retunedCeilings(run.ceilings, given);
  checkCeilings(askedModels(run.config), ceilings);
  await store.runs.setControl(runId, { ceilings });
  const isServed = run.finishedAt === null && (await serves(store, run));
  if (isServed && (await told(client, () => order(handle, 'retune', [ceilings])))) return;
  const { state, finishedAt } = await store.runs.get(runId);
  if (state !== 'budget' || finishedAt === null) return;
  // The row is written shortly before the campaign ends.
  await handle.result().catch(() => {});
  await launchRun(client, store, await store.runs.get(runId));
}
