// Layer: pure core.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom, shuffled, splitMix64, xoshiro128 } from '../../../src/domain/statistics/random.ts';

describe('seeded random numbers', () => {
  it('gives the published words of SplitMix64 for seed 1234567', () => {
    const next = splitMix64(1234567n);
    expect([next(), next(), next()]).toEqual([6457827717110365317n, 3203168211198807973n, 9817491932198370423n]);
  });

  it('gives the words of xoshiro128** that follow by hand from state 1, 2, 3, 4', () => {
    // rotl(2·5, 7)·9 = 11520; the state then is 7, 0, 1026, 12288; rotl(0)·9 = 0; then the second word is 1029: rotl(5145, 7)·9 = 5927040.
    const next = xoshiro128([1, 2, 3, 4]);
    expect([next(), next(), next()]).toEqual([11520, 0, 5927040]);
  });

  it('repeats itself for the same seed and differs for another, numbers and texts alike', () => {
    const draws = (seed: number | string) => {
      const random = seededRandom(seed);
      return [random.next(), random.next(), random.below(1000)];
    };
    expect(draws(7)).toEqual(draws(7));
    expect(draws('run/a')).toEqual(draws('run/a'));
    expect(draws(7)).not.toEqual(draws(8));
    expect(draws('run/a')).not.toEqual(draws('run/b'));
  });

  it('stays in range and uses every value below the limit', () => {
    const random = seededRandom('range');
    const seen = new Set<number>();
    let sum = 0;
    for (let draw = 0; draw < 20_000; draw += 1) {
      seen.add(random.below(6));
      const value = random.next();
      expect(value >= 0 && value < 1).toBe(true);
      sum += value;
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(sum / 20_000).toBeCloseTo(0.5, 1);
  });

  it('refuses a limit below 1', () => {
    expect(() => seededRandom(1).below(0)).toThrow(RangeError);
  });

  it('shuffles into a permutation without touching its input', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
        const before = [...items];
        const result = shuffled(items, seededRandom(seed));
        expect(items).toEqual(before);
        expect([...result].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
      }),
      { seed: 1 },
    );
  });
});
