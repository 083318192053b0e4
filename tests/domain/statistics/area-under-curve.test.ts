// Layer: pure core.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaUnderCurve } from '../../../src/domain/statistics/area-under-curve.ts';
import { luckFlipRate } from '../../../src/domain/statistics/luck.ts';

describe('areaUnderCurve', () => {
  it('counts wins, and ties as half', () => {
    // 3 beats 1 and 2, ties 3 → 2.5; 1 ties 1 → 0.5; 3 of 6 possible.
    expect(areaUnderCurve([3, 1], [1, 2, 3])).toBe(3 / 6);
  });

  it('is 0.5 when all scores are equal and 1 when they are separated', () => {
    expect(areaUnderCurve([1, 1], [1])).toBe(0.5);
    expect(areaUnderCurve([5, 6], [1, 2])).toBe(1);
  });

  it('is unknown when a side is empty', () => {
    expect(areaUnderCurve([], [1])).toBeNull();
    expect(areaUnderCurve([1], [])).toBeNull();
  });

  it('agrees with counting all pairs, and with its own mirror image', () => {
    const scores = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        let wins = 0;
        for (const p of positives) for (const n of negatives) wins += p > n ? 1 : p === n ? 0.5 : 0;
        expect(areaUnderCurve(positives, negatives)).toBeCloseTo(wins / (positives.length * negatives.length), 12);
        expect(areaUnderCurve(negatives, positives)! + areaUnderCurve(positives, negatives)!).toBeCloseTo(1, 12);
      }),
      { seed: 4 },
    );
  });
});

describe('luckFlipRate', () => {
  it('is 66 % for three worthless alternatives at p = 0.3', () => {
    expect(luckFlipRate(0.3, 3)).toBeCloseTo(0.657, 10);
  });

  it('is 0 without alternatives and 1 for a certain success', () => {
    expect(luckFlipRate(0.3, 0)).toBe(0);
    expect(luckFlipRate(1, 1)).toBe(1);
  });

  it('refuses a probability above 1', () => {
    expect(() => luckFlipRate(1.2, 3)).toThrow(RangeError);
  });
});
