// Layer: a real store. No worker lives, and no server can be reached.
import { expect, it } from 'vitest';
import { steerRun } from '../../src/start/steer-run.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

const unreached = async () => false;

it('an order holds although no worker lives: it is written to the store', async () => {
  const store = await temporaryStore();
  await addRun(store);
  const state = async () => (await store.runs.get('run-1')).state;
  expect(await steerRun(store, 'run-1', 'pause', unreached)).toBe(false);
  expect(await state()).toBe('paused');
  await steerRun(store, 'run-1', 'resume', unreached);
  expect(await state()).toBe('running');
  await steerRun(store, 'run-1', 'cancel', unreached);
  expect(await store.runs.get('run-1')).toMatchObject({ state: 'cancelled', finishedAt: expect.any(Number) });
});

it('a run that is over or unknown is not steered', async () => {
  const store = await temporaryStore();
  await addRun(store);
  await store.runs.finish('run-1', 'finished');
  const refused = steerRun(store, 'run-1', 'resume', unreached);
  await expect(refused).rejects.toMatchObject({ kind: 'User.Config', message: 'Run run-1 is over (finished).' });
  expect((await store.runs.get('run-1')).state).toBe('finished');
  await expect(steerRun(store, 'nobody', 'pause', unreached)).rejects.toMatchObject({ kind: 'User.NotFound' });
});
