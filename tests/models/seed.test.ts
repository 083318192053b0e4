// Layer: pure core.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expertMessages } from '../../src/models/prompts.ts';
import { seededFraction, seedOf } from '../../src/models/seed.ts';

it('draws seeds that every provider takes, from run and key alone', () => {
  fc.assert(
    fc.property(fc.nat(), fc.string(), (runSeed, key) => {
      const seed = seedOf(runSeed, key);
      expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31).toBe(true);
      expect(seedOf(runSeed, key)).toBe(seed);
    }),
    { seed: 1 },
  );
  expect(seedOf(1, 'a')).not.toBe(seedOf(2, 'a'));
  expect(seedOf(1, 'a')).not.toBe(seedOf(1, 'b'));
});

it('draws fractions that are spread evenly over [0, 1)', () => {
  const fractions = Array.from({ length: 10_000 }, (_, index) => seededFraction(1, `step-${index}`));
  expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true);
  // Standard deviation of a share of 10 % among 10,000 is 0.3 %.
  for (let part = 0; part < 10; part++) {
    const share = fractions.filter((fraction) => Math.floor(fraction * 10) === part).length / fractions.length;
    expect(Math.abs(share - 0.1)).toBeLessThan(0.015);
  }
});

it('gives the guidance of the expert a system message of its own where there is none', () => {
  const conversation = [{ role: 'user' as const, content: 'Two doors.' }];
  const [system, ...rest] = expertMessages(conversation, 'Red is dangerous.');
  expect(system).toMatchObject({ role: 'system', content: expect.stringContaining('Red is dangerous.') });
  expect(rest).toEqual(conversation);
});
