/** Why a pair that a step could have given was not made: one vocabulary for all methods, in the order in which a pair can be lost. */

export const unpairedReasons = [
  /** A draw held no action. */
  'unreadable',
  /** Drawn before: the alternative is already stored. */
  'duplicate',
  /** It equals the action that it would be compared with, by `canonicalAction`. */
  'same-action',
  /** There was no other action at the step. */
  'no-alternative',
  /** The judge found no wrong step in the failure. */
  'no-error',
  /** None of the judge's answers could be read. */
  'unjudged',
  /** An action has no process reward. */
  'unscored',
  /** The policy's own action does not score below γ_low. */
  'own-score',
  /** The alternative does not score above γ_high. */
  'alternative-score',
  /** The policy's action or the alternative missed its threshold, in a step that did not keep the two scores apart. */
  'not-critical',
  /** `pairSources` excludes the model that proposed it from both sides. */
  'source',
  /** Both lead to the same state of the environment. */
  'same-state',
  /** More alternatives than are branched at a step (`branchesPerStep`). */
  'branch-limit',
  /** The policy ended the conversation instead of acting. */
  'no-action',
  /** Faults left no outcome or value to compare. */
  'no-outcome',
  /** Outcomes, values or scores are equal. */
  'tie',
  /** They differ by too little. */
  'gap',
  /** Outcome and value do not prefer the same side. */
  'disagree',
  /** Rollouts were not all made, or leave the verdict open. */
  'undecided',
  /** A success was a coincidence: it does not hold on variants of the data. */
  'coincidental',
  /** A success was not won as the task means, says the environment's audit. */
  'flagged',
  /** Rollouts do not show that one is better. */
  'not-accepted',
  /** No rejected side: none of the other alternatives fails. */
  'no-rival',
  /** The method takes one pair of a step, and another pair came first. */
  'superseded',
  /** Over `pairsPerStep`. */
  'step-limit',
  /** Over `pairsPerTask`, which counts the pairs of one trajectory. */
  'task-limit',
  /** The same pair is recorded with another step or trajectory. */
  'shared',
  /** Not known: the step is from an earlier version, which kept no reasons. */
  'not-recorded',
] as const;

export type UnpairedReason = (typeof unpairedReasons)[number];

/** Pairs that were not made, by reason. */
export type UnpairedCounts = { [reason in UnpairedReason]?: number };

/** The result of a step when its pairs were recorded. */
export type SettledStep = {
  /** Ids of the pairs that it gave. */
  pairs: string[];
  unpaired: UnpairedCounts;
};

export function addUnpaired(counts: UnpairedCounts, reason: UnpairedReason, times = 1): void {
  if (times > 0) counts[reason] = (counts[reason] ?? 0) + times;
}

/** In the order of the vocabulary. */
export function sumUnpaired(all: readonly UnpairedCounts[]): UnpairedCounts {
  const sum: UnpairedCounts = {};
  for (const reason of unpairedReasons)
    addUnpaired(
      sum,
      reason,
      all.reduce((times, counts) => times + (counts[reason] ?? 0), 0),
    );
  return sum;
}

/** Why a step gave no pair at all: the reason by which the last of its pairs was lost. @returns null if none was lost */
export function decidingReason(counts: UnpairedCounts): UnpairedReason | null {
  return unpairedReasons.findLast((reason) => (counts[reason] ?? 0) > 0) ?? null;
}

/** Why a step from an earlier version gave no pair, as far as its verdict shows. */
export function reasonOfVerdict(verdict: string): UnpairedReason {
  return byVerdict[verdict] ?? 'not-recorded';
}

const byVerdict: { [verdict: string]: UnpairedReason } = {
  ...{ 'no-alternative': 'no-alternative', 'no-error': 'no-error', unjudged: 'unjudged', unscored: 'unscored' },
  ...{ 'not-critical': 'not-critical', 'no-preference': 'gap', 'not-corrected': 'not-accepted', equal: 'tie' },
  ...{
    unknown: 'no-outcome',
    flagged: 'flagged',
    coincidental: 'coincidental',
    disagree: 'disagree',
    'same-action': 'same-action',
    'same-state': 'same-state',
  },
};
