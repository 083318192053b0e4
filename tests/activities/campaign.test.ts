// Layer: activities in MockActivityEnvironment, with a real store.
import { expect, it } from 'vitest';
import { addRun } from '../helpers/store.ts';
import { workplace } from './workplace.ts';

it('a late order does not revive a run that the store has ended, and new ceilings do not either', async () => {
  const { activities, perform, store } = await workplace();
  const write = (order: { state?: 'paused' | 'running'; ceilings?: { calls: number } }) =>
    perform(activities.writeControl, { runId: 'run-1', ...order });
  await write({ state: 'paused' });
  expect((await store.runs.get('run-1')).state).toBe('paused');
  await store.runs.finish('run-1', 'budget');
  for (const state of ['running', 'paused'] as const) await write({ state });
  await write({ state: 'running', ceilings: { calls: 9 } });
  expect(await store.runs.get('run-1')).toMatchObject({ state: 'budget', ceilings: { calls: 9 } });
  await store.runs.finish('run-1', 'cancelled');
  await write({ state: 'running' });
  expect((await store.runs.get('run-1')).finishedAt).not.toBeNull();
});

it('a task that the environment no longer has is among the next ones: it is lost when it is opened, and not its run', async () => {
  const { activities, perform, store } = await workplace();
  await addRun(store, { id: 'run-2', taskIds: ['gone'] });
  const next = () => perform(activities.nextTasks, { runId: 'run-2', from: 0, limit: 1 });
  expect(await next()).toMatchObject({ tasks: [{ position: 0, title: 'gone' }], next: 1 });
  await store.database.kysely
    .updateTable('run_tasks')
    .set({ title: 'The lost door' })
    .where('run_id', '=', 'run-2')
    .execute();
  expect(await next()).toMatchObject({ tasks: [{ title: 'The lost door' }] });
});
