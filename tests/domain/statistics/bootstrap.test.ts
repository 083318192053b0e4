// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { groupBootstrap } from '../../../src/domain/statistics/bootstrap.ts';

const mean = (items: readonly number[]) =>
  items.length === 0 ? null : items.reduce((a, b) => a + b, 0) / items.length;

describe('groupBootstrap', () => {
  it('gives the same interval for the same seed', () => {
    const groups = [[0, 1, 1], [0, 0], [1], [1, 1, 0, 1]];
    expect(groupBootstrap(groups, mean, { seed: 5 })).toEqual(groupBootstrap(groups, mean, { seed: 5 }));
    expect(groupBootstrap(groups, mean, { seed: 5 }).estimate).toBe(0.6);
  });

  it('is wider when the same items sit in few groups than in many', () => {
    const items = Array.from({ length: 40 }, (_, index) => (index < 20 ? 1 : 0));
    const alone = groupBootstrap(
      items.map((item) => [item]),
      mean,
      { seed: 6 },
    ).interval!;
    const inFour = groupBootstrap(
      [0, 10, 20, 30].map((start) => items.slice(start, start + 10)),
      mean,
      { seed: 6 },
    ).interval!;
    expect(inFour.upper - inFour.lower).toBeGreaterThan(alone.upper - alone.lower);
  });

  it('has no interval for a single group', () => {
    expect(groupBootstrap([[1, 0]], mean, { seed: 1 })).toEqual({
      estimate: 0.5,
      interval: null,
      standardError: null,
      undefinedResamples: 0,
    });
  });

  it('gives the standard error of the mean', () => {
    // 100 coins, half of them heads: sqrt(0.5 * 0.5 / 100).
    const groups = Array.from({ length: 100 }, (_, index) => [index % 2]);
    expect(groupBootstrap(groups, mean, { seed: 3 }).standardError).toBeCloseTo(0.05, 2);
    expect(groupBootstrap([[1], [1]], mean, { seed: 3 }).standardError).toBe(0);
  });

  it('counts resamples in which the statistic is undefined', () => {
    // Two groups, one of them empty: a quarter of the resamples draw the empty one twice.
    const result = groupBootstrap([[1], []], mean, { seed: 2, resamples: 4000 });
    expect(result.undefinedResamples / 4000).toBeCloseTo(0.25, 1);
    expect(result.interval).toEqual({ lower: 1, upper: 1 });
  });

  it('covers the true mean in about 95 of 100 data sets', async () => {
    const { seededRandom } = await import('../../../src/domain/statistics/random.ts');
    const random = seededRandom('coverage');
    let covered = 0;
    for (let trial = 0; trial < 200; trial += 1) {
      // 30 groups whose own mean varies around 0.5: within a group items are alike.
      const groups = Array.from({ length: 30 }, () => {
        const level = random.next();
        return Array.from({ length: 1 + random.below(6) }, () => level);
      });
      const { interval } = groupBootstrap(groups, mean, { seed: trial, resamples: 300 });
      if (interval!.lower <= 0.5 && interval!.upper >= 0.5) covered += 1;
    }
    expect(covered / 200).toBeGreaterThan(0.88);
    expect(covered / 200).toBeLessThan(0.99);
  });
});
