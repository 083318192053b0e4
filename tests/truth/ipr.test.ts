// Layer: truth. Values of two actions through the real primitives, compared as IPR (arXiv 2406.11176) compares step values; all seeds fixed.
// The stated error rate is how often a correct implementation would fail if the seeds were drawn anew.
import { describe, expect, it } from 'vitest';
import { isBetterBy } from '../../src/domain/rising.ts';
import { seededRandom } from '../../src/domain/statistics/random.ts';
import type { DrawnAction } from '../../src/domain/wire.ts';
import { binomial } from './binomial.ts';
import { rroOptionsOf } from './draw-world.ts';
import { type Estimate, ratio, standardErrorsFrom } from './estimates.ts';
import { openTask, useActivities } from './in-process.ts';
import { truthSeed } from './seed.ts';
import { openedTask, outcome } from './step-world.ts';

type Preference = -1 | 0 | 1;

/** The rule by which two step values are told apart: the one place where it is chosen. */
function preference(one: number, other: number, gap: number): Preference {
  if (isBetterBy(one, other, gap)) return 1;
  return isBetterBy(other, one, gap) ? -1 : 0;
}

/** The same in whole numbers, so that nothing is rounded: τ in thousandths. */
function exactPreference(successes: number, others: number, rollouts: number, gapThousandths: number): Preference {
  const difference = (successes - others) * 1_000;
  if (difference > gapThousandths * rollouts) return 1;
  return -difference > gapThousandths * rollouts ? -1 : 0;
}

type Comparison = {
  /** Percentages of success of the two actions. */
  chances: [number, number];
  rollouts: number;
  gapThousandths: number;
};

/** P(the estimated preference is the true one), a tie or a gap of no more than τ included on both sides. */
function exactAgreement({ chances, rollouts, gapThousandths }: Comparison): number {
  const truth = exactPreference(...chances, 100, gapThousandths);
  const [one, other] = chances.map((chance) => binomial(rollouts, chance / 100)) as [number[], number[]];
  return one.reduce(
    (sum, share, successes) =>
      sum +
      other.reduce((inner, otherShare, others) => {
        const isAgreed = exactPreference(successes, others, rollouts, gapThousandths) === truth;
        return inner + (isAgreed ? share * otherShare : 0);
      }, 0),
    0,
  );
}

/** Share of the comparisons that come out as the truth has it, values by the real `value`. */
async function measuredAgreement({ chances, rollouts, gapThousandths }: Comparison, times: number): Promise<Estimate> {
  const random = seededRandom(truthSeed(`${chances}/${rollouts}/${gapThousandths}`));
  const gap = gapThousandths / 1_000;
  const truth = preference(chances[0] / 100, chances[1] / 100, gap);
  const options = rroOptionsOf('published', { rollouts, gap });
  useActivities({
    openTask: async ({ position }) => openedTask(position, options, null),
    rollOut: async ({ candidateId }) => outcome(random.next() < Number(candidateId) / 100),
  });
  const agreed: number[] = [];
  for (let position = 0; position < times; position++) {
    const task = await openTask('rro', 'truth', position);
    const state = { nodeId: `root-${position}`, step: 2, value: null };
    const [one, other] = await Promise.all(
      chances.map((chance) => task.value(state, { ...goesOn, candidateId: String(chance) }, 'value')),
    );
    agreed.push(Number(preference(one!, other!, gap) === truth));
  }
  return ratio(agreed.map((part) => ({ part, whole: 1 })));
}

const goesOn: DrawnAction = {
  candidateId: '',
  equality: '',
  nodeId: 'next',
  done: false,
  ending: null,
  reward: null,
  success: null,
};

describe('the preference between two step values', () => {
  // 3 standard errors: 0.27 % each. With N = 10 gaps of exactly τ are frequent, and must be none.
  it.each<Comparison>([
    { chances: [60, 40], rollouts: 5, gapThousandths: 10 },
    { chances: [60, 40], rollouts: 10, gapThousandths: 100 },
    { chances: [90, 30], rollouts: 5, gapThousandths: 100 },
    // A tie: right only when the estimates are not apart.
    { chances: [50, 50], rollouts: 5, gapThousandths: 10 },
    { chances: [50, 50], rollouts: 10, gapThousandths: 100 },
    // Truly apart by exactly τ, which is no preference, and by less.
    { chances: [40, 30], rollouts: 10, gapThousandths: 100 },
    { chances: [55, 50], rollouts: 10, gapThousandths: 100 },
  ])(
    'agrees with the truth as often as the binomials say: $chances %, N = $rollouts, τ = $gapThousandths ‰',
    async (given) => {
      const measured = await measuredAgreement(given, 3_000);
      expect(standardErrorsFrom(exactAgreement(given), measured)).toBeLessThan(3);
    },
  );
});
