/** Which pairs the branches of a step prove. Pure: what a run stores and what the truth tests simulate go by the same rules. */
import { betterByBoth, type Compared } from './contrast.ts';
import type { CsoOptions, IprOptions, RroOptions } from './methods/index.ts';
import type { VerificationOptions } from './methods/options.ts';
import type { VerificationRule } from './pair.ts';
import type { BranchPurpose } from './purpose.ts';
import { isBetterBy, meanReward, valueAtBest } from './rising.ts';
import { type Tally, tally, verdictOn } from './verification.ts';
import type { BranchResult } from './wire.ts';

/** An action of a step, with the branches through it. */
export type BranchedAction = {
  candidateId: string;
  /** Who proposed it: `policy`, `expert`, `imported`. */
  source: string;
  /** What the agent reads after it while the task goes on; null where it ends the task, or nobody knows. */
  observation: string | null;
  /** Outcome reward of an action that ends the task, in [0, 1]; null for any other. */
  endedWith: number | null;
  outcomes(purpose: BranchPurpose): BranchResult[];
};

export type ProvenPair<Action extends BranchedAction> = {
  chosen: Action;
  rejected: Action;
  rule: VerificationRule;
  /** P(p_chosen > p_rejected); null where the rule needs none. */
  posterior: number | null;
  /** Mean outcome rewards that the two actions were compared by; null where the rule compares none. */
  values: { chosen: number; rejected: number } | null;
  /** Purposes of the branches through either action that the pair rests on. */
  evidence: { chosen: BranchPurpose; rejected: BranchPurpose };
  chosenTally: Tally;
  rejectedTally: Tally;
};

/**
 * All pairs of a candidate critical step. The rejected action is the policy's own, or an alternative of which no branch succeeds, by
 * `pairSources`. Without verification a step gives one pair: its best alternative. Source: CSO (arXiv 2602.03412), pair construction.
 * @param alternatives best first
 */
export function csoPairs<Action extends BranchedAction>(
  policy: Action,
  alternatives: readonly Action[],
  options: CsoOptions,
): ProvenPair<Action>[] {
  const [chosenSource, rejectedSource] = options.pairSources.split('/');
  const policyTally = tally(policy.outcomes('baseline'));
  const pairs = alternatives
    .filter(({ source }) => source === chosenSource)
    .flatMap((chosen): ProvenPair<Action>[] => {
      const chosenTally = tally(chosen.outcomes('verify'));
      const { verdict, rule, posterior } = options.verify
        ? verdictOn(chosenTally, policyTally, options.verification)
        : { verdict: 'accepted' as const, rule: 'none' as const, posterior: null };
      if (verdict !== 'accepted') return [];
      const found = { chosen, rule, posterior, values: null, chosenTally };
      const rivals =
        rejectedSource === 'policy'
          ? [{ rejected: policy, purpose: 'baseline' as const, rejectedTally: policyTally }]
          : alternatives
              .filter((other) => other.source === 'expert' && other !== chosen)
              .map((rejected) => ({ rejected, purpose: 'verify' as const, rejectedTally: tallyOf(rejected) }))
              .filter(({ rejectedTally }) => isFailure(rejectedTally));
      return rivals
        .filter(({ rejected }) => !leadsToTheSame(chosen, rejected))
        .map(({ purpose, ...rival }) => ({ ...found, ...rival, evidence: { chosen: 'verify', rejected: purpose } }));
    });
  return options.verify ? pairs : pairs.slice(0, 1);
}

/** The pair of a step at which actions were drawn, if their values are far enough apart. Source: RRO (arXiv 2505.20737). */
export function rroPair<Action extends BranchedAction>(
  chosen: Action,
  rejected: Action,
  { gap, rollouts, verification }: RroOptions,
): ProvenPair<Action> | null {
  // One that was given up before all its rollouts were made has no value to be preferred by.
  if (chosen.endedWith === null && chosen.outcomes('value').length < rollouts) return null;
  const better = valueOfAction(chosen);
  const worse = rejected.endedWith ?? valueAtBest(rejected.outcomes('value'), rollouts);
  if (better === null || worse === null || !isBetterBy(better, worse, gap)) return null;
  return pairByValues(chosen, rejected, { chosen: better, rejected: worse }, verification);
}

/**
 * The pair of a step of the expert and the policy's own there, if final rewards and values both tell which way on is better. Source: IPR
 * (arXiv 2406.11176).
 * @param outcomes final rewards of the two ways on
 */
export function iprPair<Action extends BranchedAction>(
  expert: Action,
  policy: Action,
  outcomes: Compared,
  { gap, verification }: IprOptions,
): ProvenPair<Action> | null {
  const values = { expert: valueOfAction(expert), policy: valueOfAction(policy) };
  switch (betterByBoth(outcomes, values, gap)) {
    case 'expert-better':
      return pairByValues(expert, policy, { chosen: values.expert!, rejected: values.policy! }, verification);
    case 'policy-better':
      return pairByValues(policy, expert, { chosen: values.policy!, rejected: values.expert! }, verification);
    default:
      return null;
  }
}

/**
 * The pair of a step that scores prefer, if the options ask for no more or fresh rollouts bear it out. Whether the two actions lead to the same is
 * asked only where both were taken: else what others happened to take in this state would make the pairs depend on who was first. Source: ours,
 * after Step-DPO (arXiv 2406.18629).
 */
export function stepDpoPair<Action extends BranchedAction>(
  best: Action,
  worst: Action,
  verification: VerificationOptions | undefined,
): ProvenPair<Action> | null {
  const evidence = { chosen: 'verify' as const, rejected: 'baseline' as const };
  const sides = { chosen: best, rejected: worst, values: null, evidence };
  const [chosenTally, rejectedTally] = [tally(best.outcomes('verify')), tally(worst.outcomes('baseline'))];
  if (!verification || verification.rollouts === 1)
    return { ...sides, rule: 'none', posterior: null, chosenTally, rejectedTally };
  if (leadsToTheSame(best, worst)) return null;
  const { verdict, rule, posterior } = verdictOn(chosenTally, rejectedTally, verification);
  return verdict === 'accepted' ? { ...sides, rule, posterior, chosenTally, rejectedTally } : null;
}

/**
 * The pair of the first wrong step and what corrects it: one completion that succeeds proves it [P], or with n > 1 fresh rollouts of both,
 * because the completions that found it are not evidence again [D]. Source: Step-DPO (arXiv 2406.18629).
 */
export function correctedPair<Action extends BranchedAction>(
  correction: Action,
  wrong: Action,
  verification: VerificationOptions,
): ProvenPair<Action> | null {
  if (verification.rollouts > 1) return stepDpoPair(correction, wrong, verification);
  if (leadsToTheSame(correction, wrong)) return null;
  const [chosenTally, rejectedTally] = [tally(correction.outcomes('resample')), tally([])];
  const { verdict, rule, posterior } = verdictOn(chosenTally, rejectedTally, verification);
  const evidence = { chosen: 'resample' as const, rejected: 'baseline' as const };
  const sides = { chosen: correction, rejected: wrong, values: null, evidence };
  return verdict === 'accepted' ? { ...sides, rule, posterior, chosenTally, rejectedTally } : null;
}

/** With n > 1 fresh rollouts must bear the values out, because those that found a pair are not evidence again. Source: ours. */
function pairByValues<Action extends BranchedAction>(
  chosen: Action,
  rejected: Action,
  values: { chosen: number; rejected: number },
  verification: VerificationOptions,
): ProvenPair<Action> | null {
  if (leadsToTheSame(chosen, rejected)) return null;
  const isSound = verification.rollouts > 1;
  const evidence = isSound
    ? { chosen: 'verify' as const, rejected: 'baseline' as const }
    : { chosen: 'value' as const, rejected: 'value' as const };
  const [chosenTally, rejectedTally] = [
    tally(chosen.outcomes(evidence.chosen)),
    tally(rejected.outcomes(evidence.rejected)),
  ];
  const { verdict, rule, posterior } = isSound
    ? verdictOn(chosenTally, rejectedTally, verification)
    : { verdict: 'accepted' as const, rule: 'values' as const, posterior: null };
  return verdict === 'accepted'
    ? { chosen, rejected, rule, posterior, values, evidence, chosenTally, rejectedTally }
    : null;
}

/**
 * The best of what was proven: by posterior where there is one, else in the given order; never by score gap, which selects the PRM's
 * overconfidence. Source: ours.
 * @param most null for all
 * @param order a seeded number for each, so that equals are drawn and not taken as they come
 */
export function keepBest<Proven extends { posterior: number | null }>(
  proven: readonly Proven[],
  most: number | null,
  order: (one: Proven) => number,
): Proven[] {
  return proven
    .toSorted((one, other) => (other.posterior ?? 0) - (one.posterior ?? 0) || order(one) - order(other))
    .slice(0, most ?? undefined);
}

/** Two actions after which the agent sees the same and can do the same are no preference. */
export function leadsToTheSame(one: BranchedAction, other: BranchedAction): boolean {
  return one.observation !== null && one.observation === other.observation;
}

function valueOfAction(action: BranchedAction): number | null {
  return action.endedWith ?? meanReward(action.outcomes('value'));
}

function tallyOf(action: BranchedAction): Tally {
  return tally(action.outcomes('verify'));
}

function isFailure({ successes, rollouts }: Tally): boolean {
  return rollouts > 0 && successes === 0;
}
