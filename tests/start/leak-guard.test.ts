// Layer: the leak guard with a store, and the start of an evaluation, without any workflow.
import { beforeEach, describe, expect, it } from 'vitest';
import { type CruxConfig, type CruxConfigInput, checkConfig } from '../../src/config/config.ts';
import type { EvaluationConfig } from '../../src/domain/run/run-config.ts';
import { evaluate } from '../../src/start/methods.ts';
import { prepareRun } from '../../src/start/prepare.ts';
import type { RunRequest } from '../../src/start/request.ts';
import { recordUse } from '../../src/store/data-uses.ts';
import type { Run } from '../../src/store/runs.ts';
import type { Store } from '../../src/store/store.ts';
import { doors } from '../activities/doors.ts';
import { recordTask } from '../helpers/recorded-run.ts';
import { addRun, runConfig, temporaryStore } from '../helpers/store.ts';

/** Groups `a`, `b` and `c` with a test task each; `a` has a train task too. */
const tasks = [
  ...['a', 'b', 'c'].map((group) => ({
    id: `${group}1`,
    split: 'test' as const,
    group,
    title: group,
    difficulty: 'easy',
  })),
  { id: 'a2', split: 'train' as const, group: 'a', title: 'a', difficulty: null },
];

const { environment } = doors({ tasks: async () => tasks });

function config(changes: Partial<CruxConfigInput> = {}): CruxConfig {
  const role = { endpoint: 'models', model: 'm' };
  return checkConfig({
    environments: [environment],
    endpoints: { models: { baseUrl: 'http://127.0.0.1:2/v1' } },
    models: { policy: role, expert: role, prm: role },
    ...changes,
  });
}

let store: Store;
beforeEach(async () => {
  store = await temporaryStore();
});

const start = (request: Partial<RunRequest> = {}, configured = config()) =>
  prepareRun(configured, store, { ...evaluate(), runId: 'test', ...request });

const leakedOf = (run: Run) => (run.config as EvaluationConfig).leaked;

/** A run of CSO whose policy was trained on these. */
async function round(id: string, trainedOn?: string[], taskIds = ['a2']): Promise<void> {
  const { models } = runConfig();
  const policy = { ...models.policy, ...(trainedOn && { trainedOn }) };
  await addRun(store, {
    id,
    taskIds,
    config: { models: { ...models, policy, prm: { ...models.prm!, trainedOn: ['none'] } } },
  });
}

describe('an evaluation', () => {
  it('takes the test split, with groups and difficulties, and as many tasks as its limit with all their samples', async () => {
    const run = await start({ limit: 2, samples: 3 });
    expect(run.config).toMatchObject({
      method: 'evaluate',
      split: 'test',
      options: { confirmOnVariants: true },
      leaked: [],
    });
    const kept = await store.runs.tasks(run.id);
    expect(kept.map(({ taskId, sample, group, difficulty }) => `${taskId}/${sample} ${group} ${difficulty}`)).toEqual([
      ...[0, 1, 2].map((sample) => `a1/${sample} a easy`),
      ...[0, 1, 2].map((sample) => `b1/${sample} b easy`),
    ]);
  });

  it('refuses recorded trajectories, and needs no environment that can be branched', async () => {
    await expect(start({ trajectories: 'imported' })).rejects.toMatchObject({ kind: 'User.Config' });
    const linear = { ...environment, capabilities: { ...environment.capabilities, branchable: false } };
    expect(await start({}, config({ environments: [linear] }))).toMatchObject({ method: 'evaluate' });
  });

  it('takes another policy, whose lineage is not that of the configured one', async () => {
    const role = { endpoint: 'models', model: 'm' };
    const declared = config({ models: { policy: { ...role, trainedOn: ['none'] }, expert: role, prm: role } });
    const own = await start({}, declared);
    expect(own.config.models.policy).toMatchObject({ model: 'm', trainedOn: ['none'] });
    const other = await start({ runId: 'other', policy: { model: 'n', temperature: 0 } }, declared);
    expect(other.config.models.policy).toMatchObject({ model: 'n', temperature: 0 });
    expect(other.config.models.policy).not.toHaveProperty('trainedOn');
    const said = await start({ runId: 'said', policy: { model: 'n' }, trainedOn: ['none'] }, declared);
    expect(said.config.models.policy).toMatchObject({ model: 'n', trainedOn: ['none'] });
  });
});

describe('the leak guard', () => {
  it('refuses groups that gave the policy data in any round, and says which, from where, and what to do', async () => {
    await round('round-1', ['none']);
    await round('round-2', ['round-1'], ['b1']);
    await recordUse(store, 'round-1', 'sft', ['a']);
    await recordUse(store, 'round-2', 'pairs', ['b']);
    await expect(start({ trainedOn: ['round-2'] })).rejects.toMatchObject({
      kind: 'User.Leak',
      message: 'The policy has seen 2 of the 3 groups of this test: "a" (SFT rows of round-1), "b" (pairs of round-2).',
      remedy: expect.stringContaining('--allow-leak'),
    });
    expect(await store.runs.find('test')).toBeNull();
    await expect(start({ trainedOn: ['round-1'] })).rejects.toMatchObject({
      message: expect.stringContaining('1 of the 3 groups'),
    });
    expect(leakedOf(await start({ trainedOn: ['round-2'], taskIds: ['c1'] }))).toEqual([]);
  });

  it('refuses what any run gave out where nobody said what the policy was trained on, but not for a base model', async () => {
    await round('round-1');
    await recordTask(store, 'round-1', 'a2', { success: false, steps: [{ verify: [true], pairs: 1 }] });
    await recordUse(store, 'round-1', 'thresholds', ['c']);
    await expect(start()).rejects.toMatchObject({
      kind: 'User.Leak',
      message: expect.stringMatching(/may have seen 1 of the 3 groups.*"c" \(thresholds of round-1\)/),
      remedy: expect.stringContaining('--trained-on'),
    });
    expect(leakedOf(await start({ trainedOn: ['none'] }))).toEqual([]);
  });

  it('takes a round whose own policy nobody spoke of for unknown, unless it is said that there is nothing else', async () => {
    await round('round-1');
    await round('other', ['none'], ['b1']);
    await recordUse(store, 'round-1', 'pairs', ['a']);
    await recordUse(store, 'other', 'pairs', ['b']);
    const leaks = async (runId: string, trainedOn: string[]) =>
      leakedOf(await start({ runId, trainedOn, allowLeak: true })).map(({ group, isCertain }) => [group, isCertain]);
    expect(await leaks('open', ['round-1'])).toEqual([
      ['a', true],
      ['b', false],
    ]);
    expect(await leaks('closed', ['round-1', 'none'])).toEqual([['a', true]]);
  });

  it('follows what the thresholds of a round were chosen on', async () => {
    await round('calibrated', ['none']);
    await recordUse(store, 'calibrated', 'thresholds', ['c']);
    await recordUse(store, 'calibrated', 'pairs', ['x']);
    const request = { method: 'cso', split: 'train', runId: 'round-1', trainedOn: ['none'] } as const;
    await prepareRun(config({ cso: { thresholdsFrom: 'calibrated' } }), store, request);
    await recordUse(store, 'round-1', 'pairs', ['x']);
    await expect(start({ trainedOn: ['round-1', 'none'] })).rejects.toMatchObject({
      message: expect.stringContaining('"c" (thresholds of calibrated)'),
    });
    const gone = config({ cso: { thresholdsFrom: 'gone' } });
    await expect(prepareRun(gone, store, { ...request, runId: 'round-2' })).rejects.toMatchObject({
      kind: 'User.NotFound',
    });
  });

  it('takes all tasks of a run for seen of which nobody recorded what it gave out', async () => {
    await round('by-hand', ['none'], ['a2', 'c1']);
    await recordUse(store, 'by-hand', 'thresholds', ['b']);
    const run = await start({ trainedOn: ['by-hand'], allowLeak: true });
    expect(leakedOf(run).map(({ group, from }) => [group, from[0]!.use])).toEqual([
      ['a', 'tasks'],
      ['b', 'thresholds'],
      ['c', 'tasks'],
    ]);
  });

  it('leaves out what was given out in other environments', async () => {
    await addRun(store, { id: 'maze-run', environment: 'maze' });
    await recordUse(store, 'maze-run', 'pairs', ['a']);
    expect(leakedOf(await start())).toEqual([]);
  });

  it('always refuses groups of the examples in the prompts', async () => {
    const taught = config({ environments: [{ ...environment, fewShotTasks: ['a2'] }] });
    await expect(start({ trainedOn: ['none'] }, taught)).rejects.toMatchObject({
      kind: 'User.Leak',
      message: 'The policy has seen 1 of the 3 groups of this test: "a" (examples in the prompts).',
    });
  });

  it('with allowLeak marks the run, also when it is taken up later and more has leaked by then', async () => {
    await round('round-1', ['none']);
    await recordUse(store, 'round-1', 'pairs', ['a']);
    const request = { trainedOn: ['round-1'], allowLeak: true };
    const marked = leakedOf(await start(request));
    expect(marked).toEqual([{ group: 'a', from: [{ runId: 'round-1', use: 'pairs' }], isCertain: true }]);
    await recordUse(store, 'round-1', 'pairs', ['b']);
    expect(leakedOf(await start(request))).toEqual(marked);
    expect(leakedOf(await start({ trainedOn: ['round-1'] }))).toEqual(marked);
  });

  it('takes no run up that was made when something else was said about its policy', async () => {
    await start();
    await expect(start({ trainedOn: ['none'] })).rejects.toMatchObject({
      message: expect.stringContaining('other settings'),
    });
    await start({ runId: 'base', trainedOn: ['none'] });
    await expect(start({ runId: 'base' })).rejects.toMatchObject({
      message: expect.stringContaining('other settings'),
    });
  });

  it('refuses a lineage of runs that are not there', async () => {
    await expect(start({ trainedOn: ['gone'] })).rejects.toMatchObject({ kind: 'User.NotFound' });
    await expect(start({ trainedOn: [] })).rejects.toMatchObject({ kind: 'User.Config' });
  });
});
