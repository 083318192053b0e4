// Layer: the store, with rows written by hand.
import { expect, it } from 'vitest';
import type { Phase } from '../../src/domain/improve/rounds.ts';
import type { ImproveSettings } from '../../src/domain/improve/settings.ts';
import { improvementPlace, improvementView } from '../../src/views/improvement.ts';
import { recordTask } from '../helpers/recorded-run.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

const settings = {
  ...{ method: 'cso', environment: 'maze', preset: 'sound', seed: 1, rounds: 3, promote: 'always', data: 'round' },
  ...{ base: { from: '/base' }, config: { models: { policy: { model: 'base', trainedOn: null } } } },
  tasks: { collect: [], validation: [], test: [] },
} as unknown as ImproveSettings;

type Times = [phase: Phase, startedAt: number, finishedAt: number | null];

/** Round 1 of an improvement. Phases that have an end have a result. */
async function improvement(phases: Times[], finishedAt: number | null = null) {
  const store = await temporaryStore();
  const { kysely } = store.database;
  await store.improvements.create('better', settings);
  const kept = { isPromoted: false, reason: 'training-ended', comparison: null, tasksToDecide: null };
  const rows = phases.map(([phase, started_at, finished_at]) => ({
    ...{ improvement_id: 'better', round: 1, phase, started_at, finished_at, job: null },
    result:
      finished_at === null
        ? null
        : JSON.stringify(phase === 'decide' ? kept : { rows: 9, folder: '/nowhere/round-1/data' }),
  }));
  await kysely.insertInto('improve_phases').values(rows).execute();
  if (finishedAt !== null)
    await kysely.updateTable('improvements').set({ state: 'failed', finished_at: finishedAt }).execute();
  const view = await improvementView(store, 'better');
  return { view, place: await improvementPlace(store, await store.improvements.get('better')) };
}

const diverged: Times[] = [
  ['export', 1_000, 2_000],
  ['train', 2_000, null],
  ['decide', 7_000, 7_001],
];

it('a training that diverged is not in progress once its round is decided, and took until then', async () => {
  const { view, place } = await improvement(diverged);
  expect(view.at).toBeNull();
  expect(place).toMatchObject({ phase: null, progress: null, round: 1 });
  expect(view.history[0]!.ms).toBe(1_000 + 5_000 + 1);
});

it('a phase that the end of the improvement cut off took until that end', async () => {
  const { view, place } = await improvement(diverged.slice(0, 2), 4_000);
  expect(view.history[0]!.ms).toBe(1_000 + 2_000);
  expect([view.at, place.phase]).toEqual([null, null]);
});

it('a phase that is in progress is told, with its beginning', async () => {
  const { view, place } = await improvement(diverged.slice(0, 2));
  expect(view.at).toEqual({ round: 1, phase: 'train', since: 2_000 });
  expect(place.phase).toBe('train');
});

it('the cost of an improvement includes what the steps of its environment cost', async () => {
  const store = await temporaryStore();
  const runId = 'rounds/round-1/collect';
  await store.improvements.create('rounds', settings);
  await store.improvements.beginPhase('rounds', 1, 'collect');
  await addRun(store, { id: runId, taskIds: ['a'] });
  await recordTask(store, runId, 'a', { success: true, tokens: 20, costMicroUsd: 300 });
  await store.environmentCosts.add({
    ...{ id: 'step', scope: { runId, taskId: 'a', stepId: null }, environment: 'doors', taskId: 'a', nodeId: 'n' },
    ...{ purpose: 'explore', stream: 's', costMicroUsd: 5_000, mostMicroUsd: 5_000 },
  });
  const view = await improvementView(store, 'rounds');
  expect(view.costMicroUsd).toBe(5_300);
  expect(view.history[0]).toMatchObject({ costMicroUsd: 5_300, collected: { costMicroUsd: 5_300 } });
});
