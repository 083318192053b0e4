// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { comparePolicies, decide, type Promotion } from '../../../src/domain/improve/decide.ts';
import type { Sample } from '../../../src/domain/run/evaluation.ts';
import { seededRandom } from '../../../src/domain/statistics/random.ts';

/** One sample of each task: `tasks` in each of `groups`, of which a share succeeds. */
function samples(groups: number, tasks: number, share: number, seed = 'x'): Sample[] {
  const random = seededRandom(seed);
  return Array.from({ length: groups * tasks }, (_, index) => ({
    taskId: `t${index}`,
    group: `g${index % groups}`,
    difficulty: null,
    ending: 'submitted',
    outcome: random.next() < share ? ('success' as const) : ('failure' as const),
    reward: null,
  }));
}

const with_ = (own: Sample[], outcome: (index: number) => Sample['outcome']): Sample[] =>
  own.map((sample, index) => ({ ...sample, outcome: outcome(index) }));
const all = samples(10, 20, 1);
const success = with_(all, () => 'success');
const failure = with_(all, () => 'failure');

describe('a decision', () => {
  it('promotes every candidate under `always`, and still says how it compares', () => {
    const { isPromoted, reason, comparison } = decide(success, failure, 'always');
    expect({ isPromoted, reason, difference: comparison!.difference }).toEqual({
      isPromoted: true,
      reason: 'always',
      difference: -1,
    });
  });

  it('promotes a clear gain, and keeps the policy after a clear loss', () => {
    const [low, high] = [samples(12, 20, 0.4), samples(12, 20, 0.7, 'y')];
    for (const promote of ['better', 'not-worse'] as const) {
      expect(decide(low, high, promote)).toMatchObject({ isPromoted: true, reason: promote });
      expect(decide(high, low, promote)).toMatchObject({ isPromoted: false, reason: 'worse', tasksToDecide: null });
    }
  });

  it('keeps the policy if the validation cannot tell, and says how many tasks would', () => {
    const [before, after] = [samples(10, 3, 0.5), samples(10, 3, 0.6, 'z')];
    const decision = decide(before, after, 'better');
    expect(decision).toMatchObject({ isPromoted: false, reason: 'undecided' });
    if (decision.comparison!.difference! > 0) expect(decision.tasksToDecide).toBeGreaterThan(30);
  });

  it('decides nothing with fewer than five groups, unless every candidate is promoted', () => {
    const few = samples(4, 50, 0);
    const better = with_(few, () => 'success');
    expect(decide(few, better, 'better')).toMatchObject({ isPromoted: false, reason: 'few-groups' });
    expect(decide(few, better, 'always').isPromoted).toBe(true);
  });

  it('flips the signs of groups if there are fewer than eight: five that all gained are enough', () => {
    const gain = (groups: number) => {
      const before = samples(groups, 10, 0);
      // Every group gains, each by another amount.
      return decide(
        before,
        with_(before, (index) => (index / groups < 3 + (index % groups) ? 'success' : 'failure')),
        'better',
      );
    };
    expect(gain(5)).toMatchObject({ isPromoted: true, comparison: { pValue: 1 / 32, interval: null } });
    expect(gain(4)).toMatchObject({ isPromoted: false, reason: 'few-groups', comparison: { pValue: null } });
  });

  it('flips signs also if all groups changed alike, because four of them may do so by luck', () => {
    const alike = (groups: number, before: Sample['outcome'], after: Sample['outcome'], promote: Promotion) => {
      const own = samples(groups, 1, 0.5);
      return decide(
        with_(own, () => before),
        with_(own, () => after),
        promote,
      );
    };
    for (const promote of ['better', 'not-worse'] as const) {
      expect(alike(4, 'failure', 'success', promote)).toMatchObject({ isPromoted: false, reason: 'few-groups' });
      expect(alike(5, 'failure', 'success', promote)).toMatchObject({ isPromoted: true });
      expect(alike(60, 'failure', 'success', promote)).toMatchObject({ isPromoted: true });
    }
    expect(alike(4, 'success', 'success', 'not-worse')).toMatchObject({ isPromoted: false, reason: 'few-groups' });
    expect(alike(5, 'success', 'success', 'not-worse')).toMatchObject({ isPromoted: true });
    expect(alike(5, 'success', 'failure', 'not-worse')).toMatchObject({ reason: 'worse' });
  });

  it('names no number of tasks that are there already: their groups are too few', () => {
    const before = samples(5, 12, 0);
    // Four groups gain in all tasks, and the fifth loses in one.
    const after = with_(before, (index) => (index % 5 < 4 ? 'success' : 'failure'));
    const lost = before.map((sample, index) => (index === 4 ? { ...sample, outcome: 'success' as const } : sample));
    expect(decide(lost, after, 'better')).toMatchObject({ reason: 'undecided', tasksToDecide: null });
  });

  it('is certain if many groups changed alike', () => {
    expect(decide(failure, success, 'better')).toMatchObject({ isPromoted: true });
    expect(decide(success, failure, 'not-worse')).toMatchObject({ isPromoted: false, reason: 'worse' });
    // An unchanged model is not worse, and not better.
    expect(decide(success, success, 'not-worse').isPromoted).toBe(true);
    expect(decide(success, success, 'better')).toMatchObject({
      ...{ isPromoted: false, reason: 'undecided', tasksToDecide: null },
      comparison: { difference: 0 },
    });
  });
});

describe('a comparison', () => {
  it('leaves out samples without an outcome on either side, and counts them', () => {
    const before = with_(all, (index) => (index < 10 ? 'missing' : 'success'));
    const after = with_(all, (index) => (index >= 190 ? 'missing' : 'failure'));
    expect(comparePolicies(before, after)).toMatchObject({ tasks: 180, missing: 20, difference: -1 });
  });

  it('weighs every task the same, however many of its samples have an outcome', () => {
    const of = (taskId: string, outcome: Sample['outcome']) => ({ ...all[0]!, taskId, outcome });
    const before = [of('a', 'failure'), of('a', 'failure'), of('b', 'failure')];
    const after = [of('a', 'success'), of('a', 'success'), of('b', 'failure')];
    expect(comparePolicies(before, after)).toMatchObject({ before: 0, after: 0.5, tasks: 2 });
  });

  it('sees an effect of the size that it calls visible in four of five cases', () => {
    const runs = Array.from({ length: 30 }, (_, run) => {
      const before = samples(20, 20, 0.5, `before ${run}`);
      const after = samples(20, 20, 0.6, `after ${run}`);
      return comparePolicies(before, after, 0);
    });
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(runs.map(({ smallestVisible }) => smallestVisible!))).toBeCloseTo(0.1, 1);
    expect(mean(runs.map(({ interval }) => Number(interval!.lower > 0)))).toBeGreaterThan(0.65);
  });
});
