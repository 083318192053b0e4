// Layer: pure core. The estimator against counting all subsets.
import { describe, expect, it } from 'vitest';
import { passAtK } from '../../../src/domain/statistics/pass-at-k.ts';
import { seededRandom } from '../../../src/domain/statistics/random.ts';

/** Share of the k-subsets of n samples, the first c of them successes, that hold a success. */
function bruteForce(n: number, c: number, k: number): number {
  let subsets = 0;
  let passed = 0;
  for (let mask = 0; mask < 2 ** n; mask += 1) {
    const members = Array.from({ length: n }, (_, sample) => sample).filter((sample) => (mask >> sample) & 1);
    if (members.length !== k) continue;
    subsets += 1;
    if (members.some((sample) => sample < c)) passed += 1;
  }
  return passed / subsets;
}

describe('passAtK', () => {
  it('is the share of all k-subsets with a success, for every n up to 8', () => {
    for (let n = 1; n <= 8; n += 1) {
      for (let c = 0; c <= n; c += 1) {
        for (let k = 1; k <= n; k += 1) {
          expect(passAtK(n, c, k), `n ${n}, c ${c}, k ${k}`).toBeCloseTo(bruteForce(n, c, k), 12);
        }
      }
    }
  });

  it('is unknown, not 0, with fewer than k samples', () => {
    expect(passAtK(3, 3, 4)).toBeNull();
    expect(passAtK(0, 0, 1)).toBeNull();
  });

  it('pass@1 is the success rate, no success is 0, and more failures than can be drawn is less than 1', () => {
    expect(passAtK(8, 2, 1)).toBeCloseTo(0.25, 15);
    expect(passAtK(8, 0, 8)).toBe(0);
    expect(passAtK(8, 1, 7)).toBeCloseTo(7 / 8, 12);
    expect(passAtK(8, 1, 8)).toBe(1);
  });

  it('rises with k and c and stays in [0, 1] where binomials overflow', () => {
    const random = seededRandom('pass-at-k');
    for (let round = 0; round < 200; round += 1) {
      const n = 2 + random.below(3_000);
      const c = random.below(n);
      const k = 1 + random.below(n - 1);
      const value = passAtK(n, c, k)!;
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
      expect(passAtK(n, c, k + 1)!).toBeGreaterThanOrEqual(value - 1e-12);
      expect(passAtK(n, c + 1, k)!).toBeGreaterThanOrEqual(value - 1e-12);
    }
  });

  it('has no bias: over random halves of the samples its mean is that of all', () => {
    // 8 samples, 3 successes: all 70 halves, pass@2 of each.
    let sum = 0;
    let halves = 0;
    for (let mask = 0; mask < 256; mask += 1) {
      const members = [...Array(8).keys()].filter((sample) => (mask >> sample) & 1);
      if (members.length !== 4) continue;
      sum += passAtK(4, members.filter((sample) => sample < 3).length, 2)!;
      halves += 1;
    }
    expect(halves).toBe(70);
    expect(sum / halves).toBeCloseTo(passAtK(8, 3, 2)!, 12);
  });

  it.each([
    [3, 4, 1],
    [3, -1, 1],
    [3, 1, 0],
    [3, 1.5, 1],
  ])('refuses %i samples with %d successes and k = %i', (n, c, k) => {
    expect(() => passAtK(n, c, k)).toThrow(RangeError);
  });
});
