// Layer: pure core.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanWithError, quantile, wilsonInterval } from '../../../src/domain/statistics/interval.ts';
import { normalDistribution, twoSidedQuantile } from '../../../src/domain/statistics/normal.ts';

describe('normal quantiles', () => {
  it('knows the z of the usual confidences', () => {
    expect(twoSidedQuantile(0.95)).toBeCloseTo(1.959963984540054, 10);
    expect(twoSidedQuantile(0.9)).toBeCloseTo(1.6448536269514722, 10);
    expect(twoSidedQuantile(0.99)).toBeCloseTo(2.5758293035489004, 10);
  });

  it('inverts the distribution', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.9999, noNaN: true }), (confidence) => {
        const z = twoSidedQuantile(confidence);
        expect(normalDistribution(z) - normalDistribution(-z)).toBeCloseTo(confidence, 9);
      }),
      { seed: 2 },
    );
  });

  it('refuses a confidence of 1', () => {
    expect(() => twoSidedQuantile(1)).toThrow(RangeError);
  });
});

describe('wilsonInterval', () => {
  it('gives 1 − z²/(n + z²) as upper bound for 0 of 10', () => {
    // Upper bound z²/(n + z²) = 3.8415 / 13.8415.
    const interval = wilsonInterval(0, 10)!;
    expect(interval.lower).toBe(0);
    expect(interval.upper).toBeCloseTo(0.27753, 4);
  });

  it('gives the hand-computed bounds for 5 of 10', () => {
    // Centre 0.5; half width z/(1 + z²/n) · √(0.025 + z²/400) = 1.41614 · 0.18604 = 0.26341.
    const interval = wilsonInterval(5, 10)!;
    expect(interval.lower).toBeCloseTo(0.23659, 4);
    expect(interval.upper).toBeCloseTo(0.76341, 4);
  });

  it('knows nothing without observations', () => {
    expect(wilsonInterval(0, 0)).toBeNull();
  });

  it('refuses more successes than observations', () => {
    expect(() => wilsonInterval(3, 2)).toThrow(RangeError);
  });

  it('holds the share, stays in [0, 1] and mirrors successes and failures', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(), (n, raw) => {
        const successes = raw % (n + 1);
        const interval = wilsonInterval(successes, n)!;
        const mirror = wilsonInterval(n - successes, n)!;
        expect(interval.lower).toBeGreaterThanOrEqual(0);
        expect(interval.upper).toBeLessThanOrEqual(1);
        expect(interval.lower).toBeLessThanOrEqual(successes / n);
        expect(interval.upper).toBeGreaterThanOrEqual(successes / n);
        expect(mirror.lower).toBeCloseTo(1 - interval.upper, 9);
      }),
      { seed: 3 },
    );
  });
});

describe('meanWithError and quantile', () => {
  it('computes mean 2 and error 1/√3 for 1, 2, 3', () => {
    // Variance ((−1)² + 0 + 1²) / 2 = 1; √(1/3) = 0.57735.
    const result = meanWithError([1, 2, 3]);
    expect(result.mean).toBe(2);
    expect(result.standardError).toBeCloseTo(0.57735, 5);
  });

  it('leaves undefined figures unknown', () => {
    expect(meanWithError([])).toEqual({ mean: null, standardError: null, n: 0 });
    expect(meanWithError([4])).toEqual({ mean: 4, standardError: null, n: 1 });
    expect(quantile([], 0.5)).toBeNull();
  });

  it('interpolates between order statistics', () => {
    expect(quantile([10, 0, 20, 30], 0.5)).toBe(15);
    expect(quantile([3], 0.9)).toBe(3);
  });
});
