// Layer: the store, with rows written by hand.
import { expect, it } from 'vitest';
import type { ImproveSettings } from '../../src/domain/improve/settings.ts';
import { improvementView } from '../../src/views/improvement.ts';
import { recordTask } from '../helpers/recorded-run.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

const settings = {
  method: 'cso',
  rounds: 1,
  tasks: { collect: ['a'], validation: [], test: [] },
  data: 'round',
  base: { from: 'base' },
  config: { models: { policy: { model: 'm', trainedOn: [] } } },
} as unknown as ImproveSettings;

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
