// Layer: pure core.
import { expect, it } from 'vitest';
import { roundSeed } from '../../../src/domain/improve/round-seed.ts';

it.each([
  // The warm start, the first round, and the round after each promotion.
  [0, 0],
  [1, 0],
  [2, 1],
  [4, 3],
])('round %i has the seed of the improvement, since its policy is new (of round %i)', (round, policyRound) => {
  expect(roundSeed(7, round, policyRound)).toBe(7);
});

it('each round after a refused one has a seed of its own, the same whenever it is asked for', () => {
  const seeds = [1, 2, 3, 4].map((round) => roundSeed(7, round, 0));
  expect(new Set(seeds).size).toBe(4);
  expect(seeds).toEqual([1, 2, 3, 4].map((round) => roundSeed(7, round, 0)));
  for (const seed of seeds) expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31).toBe(true);
  expect(roundSeed(8, 2, 0)).not.toBe(roundSeed(7, 2, 0));
});
