// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { lowerBound, mostEvents, ratioUpperBound, upperBound } from '../../../src/domain/statistics/exact-bound.ts';
import { seededRandom } from '../../../src/domain/statistics/random.ts';

describe('the bound of a proportion', () => {
  it('of no success in n is 1 − 0.05^(1/n), and 1 where nothing was observed', () => {
    expect(upperBound({ count: 0, of: 11 })).toBeCloseTo(1 - 0.05 ** (1 / 11), 10);
    expect(upperBound({ count: 0, of: 1 })).toBeCloseTo(0.95, 10);
    expect(upperBound({ count: 0, of: 0 })).toBe(1);
    expect(upperBound({ count: 7, of: 7 })).toBe(1);
    expect(lowerBound({ count: 7, of: 7 })).toBeCloseTo(0.05 ** (1 / 7), 10);
    expect(lowerBound({ count: 0, of: 7 })).toBe(0);
  });

  it('is that of Clopper and Pearson, also of thousands, whose terms underflow', () => {
    expect(upperBound({ count: 3, of: 10 })).toBeCloseTo(0.6066, 4);
    expect(lowerBound({ count: 3, of: 10 })).toBeCloseTo(0.0873, 4);
    const [bound, z] = [upperBound({ count: 2_000, of: 4_000 }), 1.6449];
    expect(bound).toBeCloseTo(0.5 + z * Math.sqrt(0.25 / 4_000), 3);
  });

  it('refuses counts that are none', () => {
    expect(() => upperBound({ count: 3, of: 2 })).toThrow(RangeError);
    expect(() => upperBound({ count: 0.5, of: 2 })).toThrow(RangeError);
  });
});

describe('the bound of a ratio', () => {
  it('is of no use without a success to divide by, or without any observation', () => {
    expect(ratioUpperBound({ count: 0, of: 5 }, { count: 0, of: 5 })).toBe(Number.POSITIVE_INFINITY);
    expect(ratioUpperBound({ count: 0, of: 0 }, { count: 3, of: 5 })).toBe(Number.POSITIVE_INFINITY);
  });

  it('is above the ratio, and comes down to it with the number of observations', () => {
    const at = (times: number) =>
      ratioUpperBound({ count: times, of: 10 * times }, { count: 5 * times, of: 10 * times });
    expect(at(1)).toBeGreaterThan(at(10));
    expect(at(1_000)).toBeGreaterThan(0.2);
    expect(at(1_000)).toBeLessThan(0.22);
  });

  it.each([
    [0.1, 0.4, 11, 20],
    [0.05, 0.5, 11, 11],
    [0.3, 0.6, 40, 40],
    [0.02, 0.3, 8, 60],
  ])('holds at least 95 times in 100: %s ÷ %s from %s and %s observations', (first, second, n, m) => {
    const random = seededRandom(`ratio/${first}/${second}`);
    const draw = (chance: number, of: number) => ({
      count: Array.from({ length: of }, () => random.next() < chance).filter(Boolean).length,
      of,
    });
    const trials = 2_000;
    let below = 0;
    for (let trial = 0; trial < trials; trial += 1)
      below += Number(ratioUpperBound(draw(first, n), draw(second, m)) < first / second);
    // Stated error: at exactly 5 % the standard error is 0.5 %, so more than 6.5 % would happen once in 700 times.
    expect(below / trials).toBeLessThan(0.065);
  });
});

describe('the most events', () => {
  it('is none for none, all for certain ones, and what 95 % of the ways stay within', () => {
    expect(mostEvents([])).toBe(0);
    expect(mostEvents([1, 1, 0])).toBe(2);
    expect(mostEvents([0.04])).toBe(0);
    expect(mostEvents([0.06])).toBe(1);
    // P(0) = 0.774, P(≤ 1) = 0.977.
    expect(mostEvents([0.05, 0.05, 0.05, 0.05, 0.05])).toBe(1);
  });

  it('of many is some two standard deviations above the mean', () => {
    // Mean 400, standard deviation √360 = 19.
    expect(mostEvents(Array.from({ length: 4_000 }, () => 0.1))).toBe(431);
  });
});
