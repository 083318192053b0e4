// Layer: the store, with rows written by hand.
import { expect, it } from 'vitest';
import { improvementText } from '../../src/cli/terminal/improvement.ts';
import type { Phase } from '../../src/domain/improve/rounds.ts';
import type { ImproveSettings } from '../../src/domain/improve/settings.ts';
import { stateText, stillText } from '../../src/report/improvement-text.ts';
import { renderImprovement } from '../../src/report/index.ts';
import { improvementView } from '../../src/views/improvement.ts';
import { improvementPlace } from '../../src/views/improvement-place.ts';
import { recordEvaluation } from '../helpers/evaluation-run.ts';
import { recordTask } from '../helpers/recorded-run.ts';
import { addRun, taskResult, temporaryStore } from '../helpers/store.ts';

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
  expect(view.at).toMatchObject({ round: 2, phase: 'serve', since: null });
  expect(place).toMatchObject({ phase: 'serve', round: 1 });
  expect(view.history[0]!.ms).toBe(1_000 + 5_000 + 1);
});

it('a phase that the end of the improvement cut off took until that end', async () => {
  const { view, place } = await improvement(diverged.slice(0, 2), 4_000);
  expect(view.history[0]!.ms).toBe(1_000 + 2_000);
  expect([view.at, place.phase]).toEqual([null, null]);
});

it('a phase that is in progress is told, with its beginning', async () => {
  const { view, place } = await improvement(diverged.slice(0, 2));
  expect(view.at).toMatchObject({ round: 1, phase: 'train', since: 2_000, campaign: null });
  expect(place.phase).toBe('train');
});

const runId = 'rounds/round-1/collect';

/** An improvement that collects, with workers of these roles. */
async function collecting(roles: string[]) {
  const store = await temporaryStore();
  const worker = { host: 'elsewhere', process: null, endpoints: [], startedAt: null, command: 'crux up' };
  if (roles.length > 0) await store.workers.announce({ id: 'w', roles, environments: ['maze'], ...worker });
  await store.improvements.create('rounds', settings);
  const texts = async () => {
    const view = await improvementView(store, 'rounds');
    return { state: stateText(view), still: stillText('rounds', { ...view, ...view.at! }), at: view.at };
  };
  const collect = async () => {
    await store.improvements.beginPhase('rounds', 1, 'collect');
    await addRun(store, { id: runId, taskIds: ['a', 'b'] });
  };
  return { store, texts, collect };
}

it('the model that is loaded before any phase is told, and after that how many tasks of the campaign are over', async () => {
  const { store, texts, collect } = await collecting(['workflow', 'agent', 'train']);
  expect(await texts()).toMatchObject({ state: 'running, start of 3: serve (loading the model)', still: null });
  await collect();
  await store.runs.finishTask(runId, 0, {} as never);
  expect(await texts()).toMatchObject({ state: 'running, round 1 of 3: collect (1/2 tasks)', still: null });
});

it('an improvement says which workers it waits for', async () => {
  const alone = await collecting([]);
  expect((await alone.texts()).still).toBe(
    'waits for a worker with the role workflow, and one with the role train: `crux up`, or its own command again',
  );
  const { texts, collect } = await collecting(['workflow', 'agent']);
  expect(await texts()).toMatchObject({
    state: 'running, start of 3: serve',
    still: 'waits for a worker with the role train: `crux up`, or its own command again',
    at: { missingWorkers: ['train'] },
  });
  await collect();
  expect((await texts()).still).toBeNull();
});

it('a campaign that is blocked or paused is told with the reason', async () => {
  const { store, texts, collect } = await collecting(['workflow', 'agent', 'train']);
  await collect();
  await store.runs.steer(runId, 'paused');
  expect((await texts()).still).toBe(`${runId} is paused; to continue: crux resume rounds`);
  await store.runs.steer(runId, 'running');
  const message = 'The endpoint answered 402.';
  await store.runs.block(runId, {
    ...{ kind: 'Model.Account', endpoint: 'models', provider: 'provider', model: 'm', message, since: 1 },
  });
  expect(await texts()).toMatchObject({
    still: `${runId} is blocked: Model.Account, m: ${message} To continue: crux resume rounds`,
    at: { campaign: { runId, state: 'blocked', block: { message } } },
  });
});

it('what was left out of the rows of a round stands beside them with its reason, as far as it was recorded', async () => {
  const { store } = await collecting(['workflow', 'agent', 'train']);
  const exported = {
    ...{ folder: '/nowhere/data', file: 'pairs.jsonl', format: 'trl', rows: 11, leftOut: 48, items: 59 },
  };
  const rule = { rule: 'pair/without-solves-alone', effect: 'left-out', count: 48, reason: 'It is flagged.' };
  const note = { rule: 'pair/no-thought', effect: 'note', count: 3, reason: 'No thought.' };
  for (const [round, rules] of [
    [1, undefined],
    [2, [rule, note]],
  ] as const) {
    await store.improvements.beginPhase('rounds', round, 'export');
    await store.improvements.endPhase('rounds', round, 'export', { ...exported, ...(rules && { rules: [...rules] }) });
    // The page tells a round once it collected.
    await addRun(store, { id: `rounds/round-${round}/collect` });
  }
  const view = await improvementView(store, 'rounds');
  expect(view.history.map(({ exported: own }) => own!.rules)).toEqual([undefined, [rule, note]]);
  const text = improvementText(view);
  expect(text).toContain('11 of 59');
  expect(text).toMatch(/^Lint of the rows\nround 2: left-out 48 × pair\/without-solves-alone: It is flagged\.$/m);
  const page = renderImprovement(view);
  expect(page).toContain('<td>pair/without-solves-alone</td><td>It is flagged.</td>');
  expect(page).not.toContain('pair/no-thought');
});

it('the cost of an improvement includes what the steps of its environment cost', async () => {
  const store = await temporaryStore();
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

it('a round with the weights of an earlier one shows what was seen of these, and says so', async () => {
  const store = await temporaryStore();
  await store.improvements.create('rounds', settings);
  const runId = 'rounds/round-1/evaluate';
  await recordEvaluation(store, runId, { tasks: { a: { samples: ['success'] }, b: { samples: ['failure'] } } });
  for (const round of [1, 2]) {
    await store.improvements.beginPhase('rounds', round, 'evaluate');
    await store.improvements.endPhase('rounds', round, 'evaluate', { runId });
  }
  const { history, notes } = await improvementView(store, 'rounds');
  expect(history.map(({ evaluated }) => evaluated!.success.value)).toEqual([0.5, 0.5]);
  expect(notes.filter((note) => note.includes('not evaluated again'))).toEqual([
    `Round 2 trained weights that were evaluated before (${runId}): they were not evaluated again.`,
  ]);
});

it('a round and the start say over how many tasks their success is, and what took the others', async () => {
  const store = await temporaryStore();
  await store.improvements.create('rounds', settings);
  const tasks = { a: { samples: ['success'] }, b: { samples: ['missing'] }, c: { samples: ['failure'] } } as const;
  await store.improvements.beginPhase('rounds', 0, 'evaluate');
  await recordEvaluation(store, 'rounds/round-0/evaluate', { tasks: structuredClone(tasks) as never });
  await store.improvements.beginPhase('rounds', 1, 'collect');
  await addRun(store, { id: 'rounds/round-1/collect', taskIds: ['a', 'b'] });
  const cut = taskResult({ taskId: 'a', stoppedBy: 'fault', fault: 'Model.Exhausted: three faults' });
  await store.runs.finishTask('rounds/round-1/collect', 0, cut);
  const view = await improvementView(store, 'rounds');
  expect(view.history[0]!.evaluated!.outcomes).toEqual({ tasks: 2, of: 3, missing: { 'model-fault': 1 } });
  expect(view.history[1]!.collected!.losses).toEqual({ of: 1, lost: 1, kinds: { 'Model.Exhausted': 1 } });
  const text = 'start: success over 2 of 3 validation tasks (1 sample lost: model-fault 1)';
  expect(improvementText(view)).toContain(text);
  expect(renderImprovement(view)).toContain(text);
});
