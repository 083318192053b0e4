// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { differenceInterval } from '../../../src/domain/statistics/difference.ts';

describe('the interval of a difference of means', () => {
  it('is that of Newcombe for proportions', () => {
    // His example (a): 56 of 70 against 48 of 80, method 10: 0.0524 to 0.3339.
    const { lower, upper } = differenceInterval({ mean: 56 / 70, n: 70 }, { mean: 48 / 80, n: 80 });
    expect(lower).toBeCloseTo(0.0524, 4);
    expect(upper).toBeCloseTo(0.3339, 4);
  });

  it('says something also where all outcomes are alike', () => {
    // His example (h): 10 of 10 against 0 of 10: 0.6075 to 1.
    const { lower, upper } = differenceInterval({ mean: 1, n: 10 }, { mean: 0, n: 10 });
    expect(lower).toBeCloseTo(0.6075, 4);
    expect(upper).toBeCloseTo(1, 12);
    expect(differenceInterval({ mean: 0, n: 10 }, { mean: 0, n: 10 }).lower).toBeLessThan(0);
  });

  it('changes its sign with the order, and takes graded outcomes', () => {
    const [one, other] = [
      { mean: 0.33, n: 64 },
      { mean: 0.7, n: 32 },
    ];
    const there = differenceInterval(one, other);
    const back = differenceInterval(other, one);
    expect(there.lower).toBeCloseTo(-back.upper, 12);
    expect(there.upper).toBeCloseTo(-back.lower, 12);
  });

  it('knows nothing without outcomes', () => {
    expect(() => differenceInterval({ mean: 0, n: 0 }, { mean: 0, n: 4 })).toThrow(RangeError);
  });
});
