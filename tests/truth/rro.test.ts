// Layer: truth. The real workflow, page and rules of RRO over exact chances; all seeds fixed. The stated error rate is how often a correct
// implementation would fail if the seeds were drawn anew.
import { describe, expect, it } from 'vitest';
import { wilsonInterval } from '../../src/domain/statistics/interval.ts';
import { binomial, meanDraws, mixture, risingStep } from './binomial.ts';
import { type ConstructedStep, construct, type DrawWorld } from './draw-world.ts';
import { ratio, standardErrorsFrom } from './estimates.ts';
import { rroOptionsOf } from './options.ts';

const drawsAt = (found: ConstructedStep[], wanted: number) =>
  ratio(found.filter(({ step }) => step === wanted).map(({ draws }) => ({ part: draws, whole: 1 })));

describe('mean draws of rising exploration', () => {
  // The published 1.86 and 1.64 candidates a step are p = 0.525 and 0.605 at K = 5 [methods.md]. 3 standard errors at each of three steps:
  // 0.8 % each.
  it.each([
    { chance: 0.525, published: 1.86 },
    { chance: 0.605, published: 1.64 },
  ])(
    'are (1 − (1 − p)^K) / p with exact values, where p = $chance of the actions rise',
    async ({ chance, published }) => {
      const spread = 0.1;
      const found = await construct(
        {
          seed: `exact ${chance}`,
          tasks: 3_000,
          steps: 4,
          isExact: true,
          start: () => 0.5,
          // Above the state's own value with this chance, below it else, and the same on average.
          actions: (value, random) => () => value + spread * (random.next() < chance ? 1 - chance : -chance),
        },
        rroOptionsOf('published'),
      );
      expect(meanDraws(chance, 5)).toBeCloseTo(published, 2);
      for (const step of [1, 2, 3]) {
        expect(standardErrorsFrom(meanDraws(chance, 5), drawsAt(found, step))).toBeLessThan(3);
      }
    },
  );

  // 3 standard errors at each of three steps: 0.8 % each.
  it.each([
    { chance: 0.3, previousValue: 'reuse' as const },
    { chance: 0.6, previousValue: 'reuse' as const },
    { chance: 0.6, previousValue: 'fresh' as const },
  ])(
    'are the exact mixture over the estimated value to rise above, all actions at $chance, $previousValue',
    async (world) => {
      const { chance, previousValue } = world;
      const found = await construct(
        {
          seed: `tied ${chance} ${previousValue}`,
          tasks: 4_000,
          steps: 4,
          start: () => chance,
          actions: () => () => chance,
        },
        rroOptionsOf('published', { previousValue }),
      );
      const drawn = binomial(5, chance);
      let previous = drawn;
      for (const step of [1, 2, 3]) {
        const exact = risingStep(previous, drawn, 5);
        expect(standardErrorsFrom(exact.meanDraws, drawsAt(found, step))).toBeLessThan(3);
        previous = previousValue === 'reuse' ? exact.accepted : drawn;
      }
    },
  );

  // 3 standard errors: 0.27 %.
  it('are the exact mixture where actions differ', async () => {
    const chances = [0.2, 0.5, 0.8];
    const found = await construct(
      {
        seed: 'different',
        tasks: 6_000,
        steps: 2,
        start: () => 0.5,
        actions: (_, random) => () => chances[random.below(3)]!,
      },
      rroOptionsOf('published'),
    );
    const drawn = mixture(chances.map((chance) => ({ weight: 1 / 3, shares: binomial(5, chance) })));
    const exact = risingStep(binomial(5, 0.5), drawn, 5).meanDraws;
    expect(standardErrorsFrom(exact, drawsAt(found, 1))).toBeLessThan(3);
    // Not what a fixed value to rise above would give.
    expect(standardErrorsFrom(meanDraws(1 / 3, 5), drawsAt(found, 1))).toBeGreaterThan(3);
  });
});

describe('mean draws of random exploration', () => {
  // Rises or not, each draw is the last one with the stated chance. 3 standard errors at each of three steps: 0.8 %.
  it('are (1 − (1 − q)^K) / q where q is the chance to stop, whatever the values are', async () => {
    const world = { seed: 'random', tasks: 1_500, steps: 4, start: () => 0.5, actions: () => () => 0.5 };
    const stopProbability = 0.525;
    const found = await construct(world, rroOptionsOf('published', { exploration: 'random', stopProbability }));
    for (const step of [1, 2, 3]) {
      expect(standardErrorsFrom(meanDraws(stopProbability, 5), drawsAt(found, step))).toBeLessThan(3);
    }
  });
});

describe('pairs of RRO', () => {
  // 3 standard errors at each of three steps: 0.8 %. All of them are false.
  it('come from as many tied steps as luck alone gives under the published preset', async () => {
    const chance = 0.5;
    const tied = { tasks: 2_000, steps: 4, start: () => chance, actions: () => () => chance };
    const found = await construct({ seed: 'luck', ...tied }, rroOptionsOf('published'));
    const drawn = binomial(5, chance);
    let previous = drawn;
    for (const step of [1, 2, 3]) {
      const exact = risingStep(previous, drawn, 5);
      const at = found.filter((one) => one.step === step);
      const share = ratio(at.map(({ pairs }) => ({ part: pairs.length, whole: 1 })));
      expect(standardErrorsFrom(exact.pairs, share)).toBeLessThan(3);
      previous = exact.accepted;
    }
  });

  const world = (tiedShare: number, tasks: number): DrawWorld => ({
    seed: `pairs ${tiedShare}`,
    tasks,
    steps: 2,
    start: () => 0.5,
    actions: (_, random) => {
      const [isTied, shared] = [random.next() < tiedShare, random.next()];
      return () => (isTied ? shared : random.next());
    },
  });

  // The truly better share is 0.98 to 0.99 here, of 250 pairs or more: for the lower limit to fall below 0.87 it must come out below 0.905,
  // 8 standard errors lower.
  it.each([
    { tiedShare: 0, tasks: 800 },
    { tiedShare: 0.5, tasks: 3_000 },
    { tiedShare: 0.8, tasks: 10_000 },
  ])(
    'are truly better with the promised confidence under the sound preset where $tiedShare of the steps are tied',
    async (given) => {
      const { tiedShare, tasks } = given;
      const found = await construct(world(tiedShare, tasks), rroOptionsOf('sound', { tieMass: tiedShare }));
      const pairs = found.flatMap((step) => step.pairs);
      expect(pairs.length).toBeGreaterThan(200);
      const better = pairs.filter(({ chosen, rejected }) => chosen.chance > rejected.chance);
      expect(wilsonInterval(better.length, pairs.length)!.lower).toBeGreaterThanOrEqual(0.9 - 0.03);
    },
  );

  // With this tie mass fresh rollouts accept 0.3 % of tied steps, so 1 % of 3,000 is 7 standard errors away; the rollouts that found a pair, which
  // are not evidence again, would accept 2.4 %.
  it('come from hardly any tied steps under the sound preset', async () => {
    const found = await construct(world(1, 3_000), rroOptionsOf('sound', { tieMass: 0.5 }));
    expect(found.filter(({ pairs }) => pairs.length > 0).length / found.length).toBeLessThan(0.01);
  });
});
