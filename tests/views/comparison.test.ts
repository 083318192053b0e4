// Layer: the store, with rows written by hand.
import { describe, expect, it } from 'vitest';
import type { Environment } from '../../src/environments/contract.ts';
import type { Store } from '../../src/store/store.ts';
import { compareRuns, detectable } from '../../src/views/comparison.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { doors } from '../activities/doors.ts';
import { type RecordedTask, recordTask } from '../helpers/recorded-run.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

type Tasks = { [taskId: string]: RecordedTask };

async function record(store: Store, id: string, tasks: Tasks, run: Parameters<typeof addRun>[1] = {}): Promise<void> {
  await addRun(store, { id, taskIds: Object.keys(tasks), ...run });
  for (const [taskId, task] of Object.entries(tasks)) await recordTask(store, id, taskId, task);
  await store.runs.finish(id, 'finished');
}

/** The doors with a group for each task, by default `a` for `a1`. */
function grouped(taskIds: string[], groupOf = (id: string) => id[0]!): Environment {
  return doors({
    tasks: async () => taskIds.map((id) => ({ id, split: 'train', group: groupOf(id), title: id, difficulty: null })),
  }).environment;
}

const success: RecordedTask = { success: true };
const failure: RecordedTask = { success: false };

/** Two failures and a success: 4 judged steps with 6 alternatives, 4 branches, 2 pairs at 2 steps. */
const first: Tasks = {
  a1: {
    success: false,
    reward: 0.5,
    length: 6,
    steps: [
      { alternatives: 3, verify: [true, false], placebo: [true], pairs: 1, flags: ['verified-once'] },
      { alternatives: 1, verdict: 'not-critical' },
    ],
    tokens: 1_000,
    costMicroUsd: 300,
  },
  b1: {
    success: false,
    reward: 0,
    length: 4,
    steps: [
      { alternatives: 2, verify: [false], placebo: [false], pairs: 0 },
      { alternatives: 0, verify: [null], pairs: 1, flags: ['verified-once', 'ungrounded'] },
    ],
    tokens: 500,
    costMicroUsd: 200,
  },
  c1: { success: true, length: 5, tokens: 100, costMicroUsd: 50 },
};

describe('the figures of a run', () => {
  it('are sums over its tasks', async () => {
    const store = await temporaryStore();
    await record(store, 'first', first);
    await record(store, 'second', first);
    const { figures, ...facts } = (await compareRuns(store, ['first', 'second'])).runs[0]!;
    const values = Object.fromEntries(Object.entries(figures).map(([name, { value }]) => [name, value]));
    expect(values).toEqual({
      candidatesPerStep: 6 / 4,
      // Four through alternatives; two of placebo only measure luck.
      rolloutsPerPair: 4 / 2,
      tokensPerPair: 1_600 / 2,
      costMicroUsdPerPair: 550 / 2,
      // Of the ten steps of the two failures.
      shareOfStepsSupervised: 2 / 10,
      flipRate: 1 / 3,
      placeboFlipRate: 1 / 2,
      successRate: 1 / 3,
      meanReward: 1.5 / 3,
    });
    expect(facts).toMatchObject({
      pairs: { total: 2, steps: 2, tasks: 2, groups: 1 },
      flagShares: { 'verified-once': 1, ungrounded: 0.5 },
      calls: 3,
      reusedShare: 0,
      differences: null,
    });
  });

  it('are those of its summary', async () => {
    const store = await temporaryStore();
    await record(store, 'first', first);
    await record(store, 'second', { a1: success });
    const { figures } = (await compareRuns(store, ['first', 'second'])).runs[0]!;
    const { comparison, flipRate, placeboFlipRate } = await runSummary(store, 'first');
    for (const [name, value] of Object.entries({ ...comparison, flipRate, placeboFlipRate })) {
      expect({ name, value: figures[name as keyof typeof figures]!.value }).toEqual({ name, value });
    }
  });

  it('know nothing of luck where a step was meant for a placebo, but nothing was branched', async () => {
    const store = await temporaryStore();
    await record(store, 'unverified', { a1: { ...failure, steps: [{ placebo: [], pairs: 1 }] } });
    const { placeboFlipRate, placeboSteps } = await runSummary(store, 'unverified');
    expect({ placeboFlipRate, placeboSteps }).toEqual({ placeboFlipRate: null, placeboSteps: 0 });
  });

  it('are unknown, not 0, without anything to divide by, without usage and without prices', async () => {
    const store = await temporaryStore();
    await record(store, 'no-pairs', { a1: { ...failure, steps: [{ verify: [false] }], tokens: 100, costMicroUsd: 1 } });
    await record(store, 'no-usage', {
      ...first,
      c1: { ...success, tokens: null },
    });
    const [noPairs, noUsage] = (await compareRuns(store, ['no-pairs', 'no-usage'])).runs;
    expect(noPairs!.figures).toMatchObject({
      candidatesPerStep: { value: 1 },
      rolloutsPerPair: { value: null, interval: null },
      tokensPerPair: { value: null },
      costMicroUsdPerPair: { value: null },
      placeboFlipRate: { value: null },
      flipRate: { value: 0 },
    });
    expect(noUsage!.figures).toMatchObject({
      rolloutsPerPair: { value: 2 },
      tokensPerPair: { value: null, interval: null },
      costMicroUsdPerPair: { value: null, interval: null },
    });
    expect(noUsage!.differences!.tokensPerPair).toMatchObject({ value: null, interval: null, smallestSeen: null });
  });

  it('leave out outcomes that are not the policy’s: faults, recorded trajectories, those that RRO builds', async () => {
    const store = await temporaryStore();
    await record(store, 'faults', { a1: success, b1: { success: null, ending: 'model-fault' }, c1: failure });
    await record(
      store,
      'recorded',
      { a1: { ...success, origin: 'imported' } },
      { config: { trajectories: 'imported' } },
    );
    const { runs, notes } = await compareRuns(store, ['faults', 'recorded']);
    expect(runs.map(({ figures }) => figures.successRate!.value)).toEqual([0.5, null]);
    expect(runs[1]!.differences!.successRate).toMatchObject({ value: null, tasks: 0, groups: 0 });
    expect(notes.join('\n')).toMatch(/recorded mined recorded trajectories/);
  });
});

describe('a difference', () => {
  it('is over the tasks that both runs came to', async () => {
    const store = await temporaryStore();
    // Alone the first succeeds in 3 of 4 and the second in 2 of 3; in a1, b1, both have an outcome: 1 of 2, and 2 of 2.
    await record(store, 'first', { a1: success, b1: failure, c1: success, d1: success });
    await record(store, 'second', { a1: success, b1: success, c1: { success: null, ending: 'budget' }, e1: failure });
    const { runs } = await compareRuns(store, ['first', 'second']);
    expect(runs.map(({ figures }) => figures.successRate!.value)).toEqual([3 / 4, 2 / 3]);
    expect(runs[1]!.differences!.successRate).toMatchObject({ value: 0.5, tasks: 2, groups: 2 });
  });

  it('resamples groups with both runs in them: shared ups and downs of the groups cancel out', async () => {
    const store = await temporaryStore();
    // Rewards vary from 0 to 0.9 between tasks; the second run's are 0.1 higher in all but one.
    const tasks = Array.from({ length: 20 }, (_, index) => [`task-${index}`, (index % 10) / 10] as const);
    const rewarded = (more: (index: number) => number) =>
      Object.fromEntries(tasks.map(([id, reward], index) => [id, { ...failure, reward: reward + more(index) }]));
    await record(
      store,
      'first',
      rewarded(() => 0),
    );
    await record(
      store,
      'second',
      rewarded((index) => (index === 0 ? 0 : 0.1)),
    );
    const { runs, grouping, notes } = await compareRuns(store, ['first', 'second']);
    const own = runs[1]!.figures.meanReward!.interval!;
    const { value, interval, smallestSeen, groups } = runs[1]!.differences!.meanReward!;
    expect(value).toBeCloseTo(0.095, 10);
    expect(groups).toBe(20);
    expect(own.upper - own.lower).toBeGreaterThan(0.2);
    expect(interval!.upper - interval!.lower).toBeLessThan(0.03);
    // One task of 20 at 0, the others at 0.1: a standard error of 0.1 * sqrt(0.05 * 0.95 / 20) = 0.00487.
    expect(smallestSeen!).toBeGreaterThan(2.8 * 0.00487 * 0.95);
    expect(smallestSeen!).toBeLessThan(2.8 * 0.00487 * 1.05);
    expect(grouping).toBe('task');
    expect(notes.join('\n')).toContain('each task is taken as a group of its own');
  });

  it('is less sure when the environment says that tasks belong together', async () => {
    const store = await temporaryStore();
    // In groups a, b and c the second run is better in all tasks, in d to f in none.
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((group) => [1, 2, 3, 4].map((task) => `${group}${task}`));
    await record(store, 'first', Object.fromEntries(ids.map((id) => [id, failure])));
    await record(store, 'second', Object.fromEntries(ids.map((id) => [id, id < 'd' ? success : failure])));
    const difference = async (environments: Environment[]) => {
      const comparison = await compareRuns(store, ['first', 'second'], { environments });
      return { ...comparison, ...comparison.runs[1]!.differences!.successRate! };
    };
    const [alone, together] = [await difference([]), await difference([grouped(ids)])];
    expect([alone.value, together.value]).toEqual([0.5, 0.5]);
    expect([alone.groups, together.groups]).toEqual([24, 6]);
    expect([alone.grouping, together.grouping]).toEqual(['task', 'environment']);
    // A quarter as many groups: twice the standard error.
    expect(together.smallestSeen! / alone.smallestSeen!).toBeGreaterThan(1.8);
    expect(together.smallestSeen! / alone.smallestSeen!).toBeLessThan(2.2);
    expect(together.notes).toContain(
      'Intervals from fewer than 10 groups are too narrow; from fewer than 5 there are none.',
    );
    expect(alone.notes.join('\n')).not.toContain('fewer than 10');
  });

  it('has no interval where all groups are alike, or there are fewer than five', async () => {
    const store = await temporaryStore();
    const ids = ['a1', 'b1', 'c1', 'd1', 'e1', 'e2'];
    const all = (task: RecordedTask) => Object.fromEntries(ids.map((id) => [id, task]));
    await record(store, 'first', all(failure));
    await record(store, 'second', all(success));
    await record(store, 'third', { ...all(success), a1: failure });
    const alike = (await compareRuns(store, ['first', 'second'])).runs[1]!.differences!.successRate!;
    expect(alike).toEqual({ value: 1, interval: null, smallestSeen: null, tasks: 6, groups: 6 });
    const third = async (environment: Environment) =>
      (await compareRuns(store, ['first', 'third'], { environments: [environment] })).runs[1]!;
    const five = await third(grouped(ids));
    expect(five.differences!.successRate).toMatchObject({ value: 5 / 6, groups: 5, interval: { upper: 1 } });
    expect(five.differences!.successRate!.smallestSeen).toBeGreaterThan(0);
    const four = await third(grouped(ids, (id) => (id === 'd1' ? 'e' : id[0]!)));
    expect(four.differences!.successRate).toMatchObject({
      value: 5 / 6,
      interval: null,
      smallestSeen: null,
      groups: 4,
    });
    expect([five, four].map(({ figures }) => figures.successRate!.interval !== null)).toEqual([true, false]);
  });

  it('of a ratio keeps groups in which only one run has pairs', async () => {
    const store = await temporaryStore();
    const pair = { ...failure, steps: [{ verify: [true], pairs: 1 }] };
    const none = { ...failure, steps: [{ verify: [false, false] }] };
    const ids = ['a1', 'b1', 'c1', 'd1', 'e1', 'f1'];
    const rest = ids.slice(1).map((id) => [id, none] as const);
    await record(store, 'first', Object.fromEntries(ids.map((id) => [id, pair])));
    await record(store, 'second', { a1: pair, ...Object.fromEntries(rest) });
    // 6 branches for 6 pairs; 11 branches for 1 pair.
    const { differences } = (await compareRuns(store, ['first', 'second'])).runs[1]!;
    expect(differences!.rolloutsPerPair).toMatchObject({ value: 10, tasks: 6, groups: 6 });
    // A third of the resamples lack the only task with a pair: the others would look too sure.
    expect(differences!.rolloutsPerPair).toMatchObject({ interval: null, smallestSeen: null });
    expect(differences!.flipRate).toMatchObject({ value: 1 / 6 - 1, tasks: 6, groups: 6 });
    expect(differences!.flipRate!.interval).not.toBeNull();
  });

  it('of 2.80 standard errors is found in four of five cases', () => {
    expect(detectable(1)).toBeCloseTo(1.95996 + 0.84162, 4);
  });
});

describe('runs over other tasks', () => {
  it.each([
    ['environment', { environment: 'maze', config: { environment: 'maze' } }],
    ['version of the environment', { config: { environmentVersion: '2' } }],
    ['split', { config: { split: 'test' as const } }],
  ])('are refused: another %s', async (_, run) => {
    const store = await temporaryStore();
    await record(store, 'first', { a1: success });
    await record(store, 'second', { a1: success }, run);
    await expect(compareRuns(store, ['first', 'second'])).rejects.toMatchObject({
      kind: 'User.Config',
      message: expect.stringContaining('second is over'),
      remedy: expect.stringContaining('--ledger-only'),
    });
    const { runs, notes } = await compareRuns(store, ['first', 'second'], { ledgerOnly: true });
    expect(runs.map(({ differences }) => differences)).toEqual([null, null]);
    expect(Object.keys(runs[0]!.figures)).not.toContain('successRate');
    expect(Object.keys(runs[0]!.figures)).toContain('tokensPerPair');
    expect(notes.join('\n')).toContain('there are no differences');
  });

  it('of the same environment share nothing when their tasks differ, and it is said', async () => {
    const store = await temporaryStore();
    await record(store, 'first', { a1: success });
    await record(store, 'second', { b1: success });
    const { runs, notes } = await compareRuns(store, ['first', 'second']);
    expect(runs[1]!.differences!.successRate).toMatchObject({ value: null, tasks: 0 });
    expect(notes).toContain('second and first have no task in common.');
  });
});

it('takes two runs or more that exist, each once', async () => {
  const store = await temporaryStore();
  await record(store, 'first', { a1: success });
  for (const runIds of [[], ['first'], ['first', 'first']]) {
    await expect(compareRuns(store, runIds)).rejects.toMatchObject({ kind: 'User.Config' });
  }
  await expect(compareRuns(store, ['first', 'other'])).rejects.toMatchObject({ kind: 'User.NotFound' });
});

it('says which run is not over, and which settings differ', async () => {
  const store = await temporaryStore();
  await record(store, 'first', { a1: success });
  await record(store, 'second', { a1: success }, { config: { stepLimit: 9 } });
  await store.runs.setControl('second', { state: 'running' });
  const { notes } = await compareRuns(store, ['first', 'second']);
  expect(notes).toContain('second is running: its figures are of a part of its work.');
  expect(notes).toContain('second differs from first also by stepLimit 9 (5).');
});
