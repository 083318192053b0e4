// Layer: activities with a real store, of a worker whose configuration lacks what a run needs.
import { expect, it } from 'vitest';
import { agentActivities } from '../../../src/activities/index.ts';
import { canaryOfRun } from '../../../src/activities/runtime/sealed-run.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { Gateway } from '../../../src/models/gateway.ts';
import { Garbage } from '../../../src/store/garbage.ts';
import { addRun } from '../../helpers/store.ts';
import { workplace } from '../workplace.ts';

it('work that this worker has no environment for comes back, for another worker to take', async () => {
  const { context, run, perform } = await workplace();
  const { openTask } = agentActivities({ ...context, environments: new EnvironmentRegistry([]) });
  await expect(perform(openTask, { runId: run.id, position: 0 })).rejects.toMatchObject({
    type: 'Run.Waiting',
    nonRetryable: false,
    category: 'BENIGN',
    message: expect.stringContaining(`has no environment "${run.environment}"`),
  });
});

it('the same holds for an endpoint that the run asks', async () => {
  const { context, run, perform } = await workplace();
  const { openTask } = agentActivities({ ...context, gateway: new Gateway(context.store, {}) });
  await expect(perform(openTask, { runId: run.id, position: 0 })).rejects.toMatchObject({
    type: 'Run.Waiting',
    message: expect.stringContaining('has no endpoint "models"'),
  });
});

it('an order reaches the store all the same', async () => {
  const { context, run, perform, store } = await workplace();
  const { writeControl } = agentActivities({ ...context, environments: new EnvironmentRegistry([]) });
  await perform(writeControl, { runId: run.id, state: 'cancelled' });
  expect((await store.runs.control(run.id)).state).toBe('cancelled');
});

it('a run that re-uses the id of a deleted one is not taken for it', async () => {
  const { activities, context, run, perform, store } = await workplace();
  await perform(activities.nextTasks, { runId: run.id, from: 0, limit: 1 });
  const canaryOf = canaryOfRun(context);
  expect(await canaryOf({ runId: run.id })).toBeNull();
  await store.runs.finish(run.id, 'finished');
  await new Garbage(store.database).deleteRun(run.id, () => {});
  await addRun(store, { id: run.id, environment: 'elsewhere' });
  const changes = { created_at: run.createdAt + 1, config: JSON.stringify({ ...run.config, sealed: 'canary' }) };
  await store.database.kysely.updateTable('runs').set(changes).execute();
  await expect(perform(activities.nextTasks, { runId: run.id, from: 0, limit: 1 })).rejects.toMatchObject({
    type: 'Run.Waiting',
    message: expect.stringContaining('has no environment "elsewhere"'),
  });
  expect(await canaryOf({ runId: run.id })).toBe('canary');
});
