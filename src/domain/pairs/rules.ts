/** Which pairs the branches of a step prove. Pure: the runs' records and the simulations of the truth tests use the same rules. */
import { isFlagged } from '../audit-flags.ts';
import type { NumberedResult } from '../branch.ts';
import type { Compared } from '../methods/eto-rule.ts';
import type { CsoOptions, IprOptions, RroOptions } from '../methods/index.ts';
import { betterByBoth } from '../methods/ipr-rule.ts';
import type { VerificationOptions } from '../methods/options.ts';
import { isBetterBy, meanReward, valueAtBest } from '../methods/rro-rule.ts';
import { outcomeKind } from '../outcome-kind.ts';
import type { Purpose } from '../purpose.ts';
import type { BranchResult } from '../wire/branch.ts';
import { type Decision, decisionOn, decisionsOn } from './decision.ts';
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
  outcomes(purpose: Purpose): NumberedResult[];
};

/** The branches of an action that a pair rests on: all of a purpose, or those with a number below `before`. */
export type Evidence = { purpose: Purpose; before?: number };

export type ProvenPair<Action extends BranchedAction> = {
  chosen: Action;
  rejected: Action;
  rule: VerificationRule;
  /** P(p_chosen > p_rejected); null if the rule needs none. */
  posterior: number | null;
  /** Mean outcome rewards by which the two actions were compared; null if the rule compares none. */
  values: { chosen: number; rejected: number } | null;
  evidence: { chosen: Evidence; rejected: Evidence };
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
  const pairs: ProvenPair<Action>[] = [];
  const unpaired: UnpairedCounts = {};
  const contest = decisionsOn(
    alternatives.map((alternative) => alternative.outcomes('verify')),
    policy.outcomes('baseline'),
    options,
  );
  for (const [index, chosen] of alternatives.entries()) {
    if (chosen.source !== chosenSource) {
      if (chosen.source !== rejectedSource) addUnpaired(unpaired, 'source');
      continue;
    }
    const decision = contest[index]!;
    if (options.verify && decision.verdict !== 'accepted') {
      addUnpaired(unpaired, whyNotAccepted(decision.ofAlternative, decision));
      continue;
    }
    const accepted = options.verify ? acceptedBy(decision) : unverified;
    const rivals =
      rejectedSource === 'policy'
        ? [{ ...accepted, rejected: policy }]
        : failures(alternatives, contest)
            .filter(({ rejected }) => rejected !== chosen)
            .map(({ evidence, ...failure }) => ({
              ...accepted,
              ...failure,
              evidence: { ...accepted.evidence, rejected: evidence },
            }));
    if (rivals.length === 0) addUnpaired(unpaired, 'no-rival');
    for (const rival of rivals) {
      if (leadsToTheSame(chosen, rival.rejected, by)) addUnpaired(unpaired, sameReason(chosen, rival.rejected));
      else pairs.push({ chosen, values: null, ...rival });
    }
  }
  if (options.verify) return { pairs, unpaired: options.stopAtFirst ? withSuperseded(pairs, unpaired) : unpaired };
  addUnpaired(unpaired, 'superseded', pairs.length - 1);
  return { pairs: pairs.slice(0, 1), unpaired };
}

/** What is said of a pair for which nothing was rolled out. */
const unverified = {
  rule: 'none' as const,
  posterior: null,
  chosenTally: tally([]),
  rejectedTally: tally([]),
  evidence: {
    chosen: { purpose: 'verify' as const, before: 0 },
    rejected: { purpose: 'baseline' as const, before: 0 },
  },
};

/** The expert's alternatives that never succeeded. */
function failures<Action extends BranchedAction>(alternatives: readonly Action[], contest: readonly Decision[]) {
  return alternatives
    .map((rejected, index) => {
      const { ofAlternative, before } = contest[index]!;
      return { rejected, rejectedTally: tally(ofAlternative), evidence: { purpose: 'verify' as const, before } };
    })
    .filter(({ rejected, rejectedTally }) => rejected.source === 'expert' && isFailure(rejectedTally));
}

/** What fresh rollouts of both actions say about a pair of them. */
function acceptedBy({ rule, posterior, before, ofAlternative, ofRival }: Decision) {
  return {
    rule,
    posterior,
    chosenTally: tally(ofAlternative),
    rejectedTally: tally(ofRival),
    evidence: { chosen: { purpose: 'verify' as const, before }, rejected: { purpose: 'baseline' as const, before } },
  };
}

/** If the first verified alternative ends the step, those that were open then are not undecided. */
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
  const sides = { chosen: best, rejected: worst, values: null };
  if (!verification || verification.rollouts === 1) return proven({ ...sides, ...unverified });
  if (leadsToTheSame(best, worst, by)) return none(sameReason(best, worst));
  const decision = decisionOn(best.outcomes('verify'), worst.outcomes('baseline'), verification);
  if (decision.verdict !== 'accepted') return none(whyNotAccepted(decision.ofAlternative, decision));
  return proven({ ...sides, ...acceptedBy(decision) });
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
  const evidence = { chosen: { purpose: 'resample' as const }, rejected: { purpose: 'baseline' as const } };
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
  const sides = { chosen, rejected, values };
  if (verification.rollouts === 1) {
    const tallies = { chosenTally: tally(chosen.outcomes(found)), rejectedTally: tally(rejected.outcomes(found)) };
    const evidence = { chosen: { purpose: found }, rejected: { purpose: found } };
    return proven({ ...sides, rule: 'values', posterior: null, ...tallies, evidence });
  }
  const decision = decisionOn(chosen.outcomes('verify'), rejected.outcomes('baseline'), verification);
  if (decision.verdict !== 'accepted') return none(whyNotAccepted(decision.ofAlternative, decision));
  return proven({ ...sides, ...acceptedBy(decision) });
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

function isFailure({ successes, rollouts }: Tally): boolean {
  return rollouts > 0 && successes === 0;
}
