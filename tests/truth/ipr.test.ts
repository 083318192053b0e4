// Layer: truth. Values of two actions through the real primitives, and the real workflow, page and rules of IPR; all seeds fixed.
// The stated error rate is how often a correct implementation would fail if the seeds were drawn anew.
import { describe, expect, it } from 'vitest';
import { betterByOutcome } from '../../src/domain/methods/eto-rule.ts';
import { type Refining, refine } from '../../src/domain/methods/ipr-step.ts';
import { type Branched, numbers } from '../../src/domain/methods/rolling.ts';
import { value } from '../../src/domain/methods/value.ts';
import { seededRandom } from '../../src/domain/statistics/random.ts';
import type { DrawnAction } from '../../src/domain/wire/action.ts';
import type { TrajectorySummary } from '../../src/domain/wire/trajectory.ts';
import { binomial } from './binomial.ts';
import { type Estimate, ratio, standardErrorsFrom } from './estimates.ts';
import { openTask, rollingOf, runTrajectory, useActivities } from './in-process.ts';
import { iprOptionsOf } from './options.ts';
import { truthSeed } from './seed.ts';
import { openedTask, outcome } from './step-world.ts';

type Preference = -1 | 0 | 1;

/** The rule of IPR by which two step values are told apart. */
function preference(one: number, other: number, gap: number): Preference {
  const verdict = betterByOutcome({ expert: one, policy: other }, gap);
  return verdict === 'expert-better' ? 1 : verdict === 'policy-better' ? -1 : 0;
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

/** P(the estimates give this preference). */
function exactChance({ chances, rollouts, gapThousandths }: Comparison, wanted: Preference): number {
  const [one, other] = chances.map((chance) => binomial(rollouts, chance / 100)) as [number[], number[]];
  const isWanted = (successes: number, others: number) =>
    exactPreference(successes, others, rollouts, gapThousandths) === wanted;
  return one.reduce(
    (sum, share, successes) =>
      sum + share * other.reduce((inner, rest, others) => inner + (isWanted(successes, others) ? rest : 0), 0),
    0,
  );
}

/** P(the estimated preference is the true one), a tie or a gap of no more than τ included on both sides. */
function exactAgreement(comparison: Comparison): number {
  return exactChance(comparison, exactPreference(...comparison.chances, 100, comparison.gapThousandths));
}

/** Share of the comparisons that come out as the truth has it, values by the real `value`. */
async function measuredAgreement({ chances, rollouts, gapThousandths }: Comparison, times: number): Promise<Estimate> {
  const random = seededRandom(truthSeed(`${chances}/${rollouts}/${gapThousandths}`));
  const gap = gapThousandths / 1_000;
  const truth = preference(chances[0] / 100, chances[1] / 100, gap);
  const options = iprOptionsOf('published', { valueRollouts: rollouts, gap });
  useActivities({
    openTask: async ({ position }) => openedTask(position, options, null),
    rollOut: async ({ candidateId }) => outcome(random.next() < Number(candidateId) / 100),
  });
  const agreed: number[] = [];
  for (let position = 0; position < times; position++) {
    const task = await openTask('ipr', 'truth', position);
    const state = { nodeId: `root-${position}`, step: 2, value: null };
    const valuing = { ...rollingOf(task), options };
    const [one, other] = await Promise.all(
      chances.map((chance) => value(valuing, state, { ...goesOn, candidateId: String(chance) }, 'value')),
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

/**
 * Runs IPR on tasks whose expert took two steps: at the second one the two chances are those of the expert's and of the policy's action.
 * @returns verdicts on the second steps
 */
async function verdicts({ chances, rollouts, gapThousandths }: Comparison, tasks: number): Promise<string[]> {
  const random = seededRandom(truthSeed(`page ${chances}/${rollouts}/${gapThousandths}`));
  const [expertChance, policyChance] = chances.map((chance) => chance / 100) as [number, number];
  const options = iprOptionsOf('published', { valueRollouts: rollouts, gap: gapThousandths / 1_000 });
  const found: string[] = [];
  let policyReward: number | null = null;
  const trajectory = (position: number, success: boolean, steps: number): TrajectorySummary => ({
    trajectoryId: String(position),
    ending: 'submitted',
    success,
    reward: Number(success),
    steps,
  });
  let expertReward: number | null = null;
  const rollOut = ({ candidateId, purpose }: Branched) => {
    const result = outcome(random.next() < (candidateId === 'expert' ? expertChance : policyChance));
    if (purpose === 'contrast') policyReward = result.reward;
    return result;
  };
  const refining: Refining = {
    options,
    branches: async (_step, candidate, rollouts) => rollouts.map(() => rollOut(candidate)),
    rollOutAll: async (_step, candidate, count) => numbers(count).map(() => rollOut(candidate)),
    expertState: async () => ({ nodeId: 'second' }),
    async contrastStep() {
      const outcomes = { expert: expertReward, policy: policyReward };
      const verdict = betterByOutcome(outcomes, options.gap);
      if (verdict === 'equal') found.push(verdict);
      const actions = {
        expert: { ...goesOn, candidateId: 'expert' },
        policy: { ...goesOn, candidateId: 'policy' },
      };
      return { verdict, nodeId: 'second', outcomes, actions };
    },
    async recordContrast({ verdict }) {
      found.push(verdict);
      return { revalue: false };
    },
  };
  useActivities({
    openTask: async ({ position }) => openedTask(position, options, trajectory(position, false, 1)),
    demonstrate: async ({ position }) => {
      const success = random.next() < expertChance;
      expertReward = Number(success);
      return trajectory(position, success, 2);
    },
    contrastOutcomes: async () => ({ verdict: 'equal', revalue: false }),
    async refineStep({ step }) {
      await refine(refining, step);
      return { branches: 0 };
    },
    endTask: async () => 0,
    finishTask: async () => {},
  });
  for (let position = 0; position < tasks; position++) {
    const { stoppedBy, fault } = await runTrajectory('ipr', position);
    if (stoppedBy !== null) throw new Error(`Task ${position} was stopped by ${stoppedBy}: ${fault}`);
  }
  return found;
}

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

describe('the page of IPR', () => {
  // Final rewards and values are independent: each verdict's probability is a product. 3 standard errors of two shares: 0.54 % each.
  it.each<Comparison>([
    { chances: [70, 40], rollouts: 5, gapThousandths: 100 },
    { chances: [50, 50], rollouts: 5, gapThousandths: 100 },
    { chances: [30, 60], rollouts: 10, gapThousandths: 100 },
  ])('prefers a way on as often as outcome and value agree: $chances %, N = $rollouts', async (given) => {
    const [expert, policy] = given.chances.map((chance) => chance / 100) as [number, number];
    const found = await verdicts(given, 3_000);
    const share = (wanted: string) => ratio(found.map((verdict) => ({ part: Number(verdict === wanted), whole: 1 })));
    const exact = {
      'expert-better': expert * (1 - policy) * exactChance(given, 1),
      'policy-better': policy * (1 - expert) * exactChance(given, -1),
    };
    expect(found.length).toBe(3_000);
    for (const [verdict, chance] of Object.entries(exact)) {
      expect(standardErrorsFrom(chance, share(verdict))).toBeLessThan(3);
    }
  });
});
