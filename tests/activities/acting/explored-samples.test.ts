// Layer: activities, with a real store. What Temporal says of the workflow of a sample is given.
import { expect, it } from 'vitest';
import { exploredSamples } from '../../../src/activities/acting/explored-samples.ts';
import type { ActivityContext } from '../../../src/activities/runtime/context.ts';
import type { Store } from '../../../src/store/store.ts';
import { addRun, taskResult, temporaryStore } from '../../helpers/store.ts';
import { quietEnvironment } from '../workplace.ts';

/** Two samples of a task; the second is over. */
async function samples(): Promise<Store> {
  const store = await temporaryStore();
  const run = await addRun(store, { id: 'like' });
  const rows = [0, 1].map((sample) => ({ position: sample, taskId: 'task-1', sample, importedId: null }));
  await store.runs.create({ ...run, id: 'run-1' }, rows);
  await store.runs.finishTask('run-1', 1, taskResult({ position: 1 }));
  return store;
}

function lookAt(store: Store, statusOf: () => Promise<string>): Promise<unknown> {
  const context = { store } as ActivityContext;
  return quietEnvironment({}, statusOf).run(() => exploredSamples(context, { runId: 'run-1', position: 1 }));
}

it.each(['RUNNING', 'TERMINATED', 'TIMED_OUT', 'FAILED', 'PAUSED', 'CONTINUED_AS_NEW'])(
  'waits for a sample whose workflow is %s: it is explored, or the campaign settles it',
  async (status) => {
    await expect(lookAt(await samples(), async () => status)).rejects.toMatchObject({ kind: 'Run.Waiting' });
  },
);

it('is out of budget when the workflow of a sample completed and left it open', async () => {
  await expect(lookAt(await samples(), async () => 'COMPLETED')).rejects.toMatchObject({ kind: 'Run.Budget' });
});

it('looks again when a sample was over while its workflow was looked up', async () => {
  const store = await samples();
  const ends = async () => {
    await store.runs.finishTask('run-1', 0, taskResult());
    return 'COMPLETED';
  };
  await expect(lookAt(store, ends)).rejects.toMatchObject({ kind: 'Run.Waiting' });
  await expect(lookAt(store, ends)).resolves.toEqual([]);
});
