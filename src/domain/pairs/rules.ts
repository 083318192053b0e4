/** Which pairs the branches of a step prove. Pure: the runs' records and the simulations of the truth tests use the same rules. */
import { isFlagged } from '../audit-flags.ts';
import type { Compared } from '../methods/eto-rule.ts';
import type { CsoOptions, IprOptions, RroOptions } from '../methods/index.ts';
import { betterByBoth } from '../methods/ipr-rule.ts';
import type { VerificationOptions } from '../methods/options.ts';
import { isBetterBy, meanReward, valueAtBest } from '../methods/rro-rule.ts';
import { outcomeKind } from '../outcome-kind.ts';
import type { Purpose } from '../purpose.ts';
import type { BranchResult } from '../wire/branch.ts';
import type { VerificationRule } from './pair.ts';
import { type Compared as ComparedAction, leadsToTheSame, type Sameness, sameReason } from './sameness.ts';
import { addUnpaired, type UnpairedCounts, type UnpairedReason } from './unpaired.ts';
import { isVerifiedSuccess, type Tally, tally, type Verdict, verdictOn } from './verification.ts';

/** An action of a step, with the branches through it. */
export type BranchedAction = ComparedAction & {
  candidateId: string;
  /** Who proposed it: `policy`, `expert`, `imported`. */
  source: string;
  /** Outcome reward of an action that ends the task, in [0, 1]; null for any other. */
  endedWith: number | null;
  outcomes(purpose: Purpose): BranchResult[];
};

export type ProvenPair<Action extends BranchedAction> = {
  chosen: Action;
  rejected: Action;
  rule: VerificationRule;
  /** P(p_chosen > p_rejected); null if the rule needs none. */
  posterior: number | null;
  /** Mean outcome rewards by which the two actions were compared; null if the rule compares none. */
  values: { chosen: number; rejected: number } | null;
  /** Purposes of the branches through either action that the pair rests on. */
  evidence: { chosen: Purpose; rejected: Purpose };
  chosenTally: Tally;
  rejectedTally: Tally;
};

/** The pair of two actions, or why there is none. */
export type Proven<Action extends BranchedAction> =
  | { pair: ProvenPair<Action>; reason: null }
  | { pair: null; reason: UnpairedReason };

/** All pairs of a step, and why not the others. */
export type ProvenAtStep<Action extends BranchedAction> = { pairs: ProvenPair<Action>[]; unpaired: UnpairedCounts };

export function atStep<Action extends BranchedAction>({ pair, reason }: Proven<Action>): ProvenAtStep<Action> {
  return pair ? { pairs: [pair], unpaired: {} } : { pairs: [], unpaired: { [reason]: 1 } };
}

/**
 * Whether an alternative can be a side of a pair. If it leads to the same state as every action that it could be paired with, it is not worth
 * a rollout.
 * @param others the other alternatives of the step
 */
export function isWorthBranching(
  policy: ComparedAction,
  alternative: ComparedAction,
  others: readonly ComparedAction[],
  pairSources: CsoOptions['pairSources'],
  by: Sameness,
): boolean {
  const rivals = pairSources.endsWith('/policy') ? [policy] : others;
  return rivals.some((rival) => !leadsToTheSame(alternative, rival, by));
}

/**
 * All pairs of a candidate critical step. The rejected action is the policy's own, or an alternative without a successful branch, depending
 * on `pairSources`. Without verification a step gives one pair: its best alternative. Source: CSO (arXiv 2602.03412), pair construction.
 * @param alternatives best first
 */
export function csoPairs<Action extends BranchedAction>(
  policy: Action,
  alternatives: readonly Action[],
  options: CsoOptions,
  by: Sameness,
): ProvenAtStep<Action> {
  const [chosenSource, rejectedSource] = options.pairSources.split('/');
  const policyTally = tally(policy.outcomes('baseline'));
  const pairs: ProvenPair<Action>[] = [];
  const unpaired: UnpairedCounts = {};
  for (const chosen of alternatives) {
    if (chosen.source !== chosenSource) {
      if (chosen.source !== rejectedSource) addUnpaired(unpaired, 'source');
      continue;
    }
    const chosenTally = tally(chosen.outcomes('verify'));
    const decided = options.verify
      ? verdictOn(chosenTally, policyTally, options.verification)
      : { verdict: 'accepted' as const, rule: 'none' as const, posterior: null };
    if (decided.verdict !== 'accepted') {
      addUnpaired(unpaired, whyNotAccepted(chosen.outcomes('verify'), decided));
      continue;
    }
    const { rule, posterior } = decided;
    const rivals =
      rejectedSource === 'policy'
        ? [{ rejected: policy, purpose: 'baseline' as const, rejectedTally: policyTally }]
        : alternatives
            .filter((other) => other.source === 'expert' && other !== chosen)
            .map((rejected) => ({ rejected, purpose: 'verify' as const, rejectedTally: tallyOf(rejected) }))
            .filter(({ rejectedTally }) => isFailure(rejectedTally));
    if (rivals.length === 0) addUnpaired(unpaired, 'no-rival');
    for (const { purpose, ...rival } of rivals) {
      if (leadsToTheSame(chosen, rival.rejected, by)) addUnpaired(unpaired, sameReason(chosen, rival.rejected));
      else {
        const evidence = { chosen: 'verify' as const, rejected: purpose };
        pairs.push({ chosen, rule, posterior, values: null, chosenTally, ...rival, evidence });
      }
    }
  }
  if (options.verify) return { pairs, unpaired: options.stopAtFirst ? withSuperseded(pairs, unpaired) : unpaired };
  addUnpaired(unpaired, 'superseded', pairs.length - 1);
  return { pairs: pairs.slice(0, 1), unpaired };
}

/** If the first verified alternative ends the step, those that were not branched are not undecided. */
function withSuperseded(pairs: readonly unknown[], { undecided = 0, ...unpaired }: UnpairedCounts): UnpairedCounts {
  const counts: UnpairedCounts = { ...unpaired };
  addUnpaired(counts, pairs.length > 0 ? 'superseded' : 'undecided', undecided);
  return counts;
}

/** Why the rollouts of an alternative make no pair. */
export function whyNotAccepted(
  rollouts: readonly BranchResult[],
  { verdict }: Pick<Verdict, 'verdict'>,
): UnpairedReason {
  const { rollouts: genuine, missing } = tally(rollouts);
  if (genuine === 0) return missing > 0 ? noOutcome(rollouts) : 'undecided';
  if (verdict === 'continue') return 'undecided';
  if (rollouts.some(isVerifiedSuccess)) return 'not-accepted';
  const kinds = rollouts.map(outcomeKind);
  return kinds.includes('flagged') ? 'flagged' : kinds.includes('coincidental') ? 'coincidental' : 'not-accepted';
}

/** Why rollouts leave no outcome or value. */
function noOutcome(rollouts: readonly BranchResult[]): 'flagged' | 'no-outcome' {
  return rollouts.some(isFlagged) ? 'flagged' : 'no-outcome';
}

/** The pair of a step at which actions were drawn, if their values are far enough apart. Source: RRO (arXiv 2505.20737). */
export function rroPair<Action extends BranchedAction>(
  chosen: Action,
  rejected: Action,
  { gap, rollouts, verification }: RroOptions,
  by: Sameness,
): Proven<Action> {
  // An action that was given up before all its rollouts were made has no value for which it could be preferred.
  if (chosen.endedWith === null && chosen.outcomes('value').length < rollouts) return none('undecided');
  const better = valueOfAction(chosen);
  const worse = rejected.endedWith ?? valueAtBest(rejected.outcomes('value'), rollouts);
  if (better === null || worse === null) return none(noValue(chosen, rejected));
  if (!isBetterBy(better, worse, gap)) return none(tieOrGap(better, worse));
  return pairByValues(chosen, rejected, { chosen: better, rejected: worse }, verification, by);
}

/**
 * The pair of a step of the expert and the policy's own step there, if final rewards and values agree on the better continuation. Source: IPR
 * (arXiv 2406.11176).
 * @param outcomes final rewards of the two continuations
 */
export function iprPair<Action extends BranchedAction>(
  expert: Action,
  policy: Action,
  outcomes: Compared,
  { gap, verification }: IprOptions,
  by: Sameness,
): Proven<Action> {
  const values = { expert: valueOfAction(expert), policy: valueOfAction(policy) };
  switch (betterByBoth(outcomes, values, gap)) {
    case 'expert-better':
      return pairByValues(expert, policy, { chosen: values.expert!, rejected: values.policy! }, verification, by);
    case 'policy-better':
      return pairByValues(policy, expert, { chosen: values.policy!, rejected: values.expert! }, verification, by);
    case 'unknown':
      return none(noValue(expert, policy));
    case 'flagged':
      return none('flagged');
    case 'equal':
      return none(tieOrGap(outcomes.expert, outcomes.policy));
    default:
      return none('disagree');
  }
}

/**
 * The pair of a step that scores prefer, if the options ask for no more or fresh rollouts confirm it. Checks whether the two actions lead to
 * the same state only if both were taken for this step. Otherwise the pairs would depend on which other trajectory happened to take an action
 * in this state first. Source: ours, after Step-DPO (arXiv 2406.18629).
 */
export function stepDpoPair<Action extends BranchedAction>(
  best: Action,
  worst: Action,
  verification: VerificationOptions | undefined,
  by: Sameness,
): Proven<Action> {
  const evidence = { chosen: 'verify' as const, rejected: 'baseline' as const };
  const sides = { chosen: best, rejected: worst, values: null, evidence };
  const [chosenTally, rejectedTally] = [tally(best.outcomes('verify')), tally(worst.outcomes('baseline'))];
  if (!verification || verification.rollouts === 1)
    return proven({ ...sides, rule: 'none', posterior: null, chosenTally, rejectedTally });
  if (leadsToTheSame(best, worst, by)) return none(sameReason(best, worst));
  const decided = verdictOn(chosenTally, rejectedTally, verification);
  if (decided.verdict !== 'accepted') return none(whyNotAccepted(best.outcomes('verify'), decided));
  const { rule, posterior } = decided;
  return proven({ ...sides, rule, posterior, chosenTally, rejectedTally });
}

/**
 * The pair of the first wrong step and its correction. One completion that succeeds proves it [P]. With n > 1, fresh rollouts of both must:
 * the completions that found it are not evidence again [D]. Source: Step-DPO (arXiv 2406.18629).
 */
export function correctedPair<Action extends BranchedAction>(
  correction: Action,
  wrong: Action,
  verification: VerificationOptions,
  by: Sameness,
): Proven<Action> {
  if (verification.rollouts > 1) return stepDpoPair(correction, wrong, verification, by);
  if (leadsToTheSame(correction, wrong, by)) return none(sameReason(correction, wrong));
  const [chosenTally, rejectedTally] = [tally(correction.outcomes('resample')), tally([])];
  const decided = verdictOn(chosenTally, rejectedTally, verification);
  if (decided.verdict !== 'accepted') return none(whyNotAccepted(correction.outcomes('resample'), decided));
  const evidence = { chosen: 'resample' as const, rejected: 'baseline' as const };
  const sides = { chosen: correction, rejected: wrong, values: null, evidence };
  const { rule, posterior } = decided;
  return proven({ ...sides, rule, posterior, chosenTally, rejectedTally });
}

/**
 * The pair of the best and the worst action of a state, by the returns of the trajectories that took them. Source: GiGPO (arXiv 2505.10978); the
 * pair, and its proof by fresh rollouts, are ours.
 */
export function anchorPair<Action extends BranchedAction>(
  chosen: Action,
  rejected: Action,
  values: { chosen: number; rejected: number },
  verification: VerificationOptions,
  by: Sameness,
): Proven<Action> {
  return pairByValues(chosen, rejected, values, verification, by, 'explore');
}

/** With n > 1, fresh rollouts must confirm the values: those that found a pair are not evidence again. Source: ours. */
function pairByValues<Action extends BranchedAction>(
  chosen: Action,
  rejected: Action,
  values: { chosen: number; rejected: number },
  verification: VerificationOptions,
  by: Sameness,
  found: 'value' | 'explore' = 'value',
): Proven<Action> {
  if (leadsToTheSame(chosen, rejected, by)) return none(sameReason(chosen, rejected));
  const isSound = verification.rollouts > 1;
  const evidence = isSound
    ? { chosen: 'verify' as const, rejected: 'baseline' as const }
    : { chosen: found, rejected: found };
  const [chosenTally, rejectedTally] = [
    tally(chosen.outcomes(evidence.chosen)),
    tally(rejected.outcomes(evidence.rejected)),
  ];
  const decided = isSound
    ? verdictOn(chosenTally, rejectedTally, verification)
    : { verdict: 'accepted' as const, rule: 'values' as const, posterior: null };
  if (decided.verdict !== 'accepted') return none(whyNotAccepted(chosen.outcomes(evidence.chosen), decided));
  const { rule, posterior } = decided;
  return proven({ chosen, rejected, rule, posterior, values, evidence, chosenTally, rejectedTally });
}

function proven<Action extends BranchedAction>(pair: ProvenPair<Action>): Proven<Action> {
  return { pair, reason: null };
}

function none(reason: UnpairedReason): { pair: null; reason: UnpairedReason } {
  return { pair: null, reason };
}

/** The reason for two rewards or values that do not differ enough. */
export function tieOrGap(one: number | null, other: number | null): 'tie' | 'gap' {
  return isBetterBy(one ?? 0, other ?? 0, 0) || isBetterBy(other ?? 0, one ?? 0, 0) ? 'gap' : 'tie';
}

/**
 * The best of the proven pairs: by posterior if there is one, else in the given order; never by score gap, which selects the PRM's
 * overconfidence. Source: ours.
 * @param most null for all
 * @param order a seeded number for each, so that equals are drawn by lot and not taken in order of arrival
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

function valueOfAction(action: BranchedAction): number | null {
  return action.endedWith ?? meanReward(action.outcomes('value'));
}

/** Why one of two actions has no value. */
function noValue(...actions: BranchedAction[]): UnpairedReason {
  return noOutcome(actions.flatMap((action) => action.outcomes('value')));
}

function tallyOf(action: BranchedAction): Tally {
  return tally(action.outcomes('verify'));
}

function isFailure({ successes, rollouts }: Tally): boolean {
  return rollouts > 0 && successes === 0;
}
