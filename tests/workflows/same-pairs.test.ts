// Layer: whole runs against a real Temporal server, simulated models over HTTP and a real store.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Lab, type LabRequest, outcomeOf } from '../helpers/lab.ts';
import { expectTasksAlone } from '../helpers/task-views.ts';

const { address } = inject('temporal');
let lab: Lab;
/** What the run with seed 1 and all defaults comes to. */
let expected: string;

beforeAll(async () => {
  lab = await Lab.open({ address });
  await lab.work();
});
afterAll(() => lab.close());

it('a run finds pairs, counts what it did and is recorded as finished', async () => {
  const { findings, runs } = lab.store;
  const run = await lab.start();
  const result = await run.result();
  expected = await outcomeOf(lab.store, run.id);
  const pairs = await findings.pairs(run.id);
  const branches = await findings.branches(run.id);
  const trajectories = await findings.trajectories(run.id);
  expect(result).toMatchObject({
    total: 5,
    done: 5,
    state: 'finished',
    pairs: pairs.length,
    branches: branches.length,
  });
  expect(Object.values(result.endings).reduce((sum, count) => sum + count, 0)).toBe(5);
  expect(await runs.get(run.id)).toMatchObject({ state: 'finished', finishedAt: expect.any(Number) });
  expect(pairs.length).toBeGreaterThan(1);
  for (const pair of pairs) {
    const { trajectoryId, branches, chosen, rejected } = pair.certificate;
    expect(branches.some(({ side, success }) => side === 'chosen' && success)).toBe(true);
    expect(trajectories.find(({ id }) => id === trajectoryId)).toMatchObject({ success: false });
    expect(rejected.source).toBe('policy');
    expect(chosen.canonical).not.toBe(rejected.canonical);
    expect(chosen.score).toBeGreaterThan(0.65);
    expect(rejected.score).toBeLessThan(0.45);
  }
  await expectTasksAlone(lab.store, run.id);
});

describe('the same seed gives the same endings, branches and pairs', () => {
  it('when it is run again', async () => {
    expect(await lab.outcome()).toBe(expected);
  });

  it('when trajectories and their activities run one at a time', async () => {
    expect(await lab.outcome({ config: { run: { window: 1, parallel: 1 } } })).toBe(expected);
  });

  it('when branches are workflows of their own', async () => {
    expect(await lab.outcome({ granularity: 'step' })).toBe(expected);
  });

  it('when two workers share the run', async () => {
    const other = await lab.workApart();
    expect(await lab.outcome()).toBe(expected);
    await other.end('SIGKILL');
  });

  it('when verdicts are reached in rounds of rollouts, in any order', async () => {
    const request: LabRequest = { preset: 'sound', taskIds: ['maze-1-3', 'maze-1-5'] };
    const sound = await lab.outcome(request);
    expect(await lab.outcome({ ...request, granularity: 'step', config: { run: { parallel: 3 } } })).toBe(sound);
    expect(sound).toContain('"baseline"');
  });

  it('when the provider answers with 429, 500, cut, malformed and truncated bodies', async () => {
    const faults = {
      rate429: 0.02,
      rate500: 0.2,
      rateCut: 0.15,
      rateMalformed: 0.15,
      rateTruncated: 0.1,
      retryAfterMs: 20,
    };
    const disturbed = await Lab.open({ address, faults });
    try {
      await disturbed.work();
      expect(await disturbed.outcome()).toBe(expected);
      const stats = disturbed.simulation.stats();
      expect(stats.keysAnsweredAgain).toBe(0);
      for (const fault of ['server-error', 'cut', 'malformed', 'truncated'] as const)
        expect(stats.faults[fault]).toBeGreaterThan(5);
      expect(stats.faults['rate-limit']).toBeGreaterThan(0);
    } finally {
      await disturbed.close();
    }
  });

  it('but another seed gives others', async () => {
    expect(await lab.outcome({ seed: 2 })).not.toBe(expected);
  });
});
