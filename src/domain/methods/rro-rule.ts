/** Choices of reward-rising sampling (RRO, arXiv 2505.20737): when to stop drawing, which action to continue with, which ones to pair. */

import { type AuditFlags, countedReward, isFlagged } from '../audit-flags.ts';
import type { UnpairedReason } from '../pairs/unpaired.ts';
import { meanWithError } from '../statistics/interval.ts';
import { mean } from '../statistics/sums.ts';

/** A drawn action with its value. */
export type ValuedAction = {
  candidateId: string;
  /** Mean outcome reward of the rollouts after it, in [0, 1]; null when none of them gave an outcome. */
  value: number | null;
  /** Whether the value is only an upper bound, because valuing stopped when it could no longer rise. Such an action is never preferred. */
  isBound?: boolean;
};

export type RisingOptions = {
  exploration: 'rising' | 'fixed' | 'random';
  /** With random exploration: the chance to stop after each action that was drawn. */
  stopProbability: number;
  draws: number;
  gap: number;
  saturation: number;
  extraDraw: boolean;
  /** Whether any value ranks above every bound. Absent: a bound counts as a value. */
  boundsLast?: boolean;
};

export type StepChoice = {
  /** `rising`: its value is above that of the state before. `saturated`: nothing can rise. `not-rising`: the best of those drawn. */
  verdict: 'rising' | 'saturated' | 'not-rising';
  /** Index of the action to continue with. */
  accepted: number;
  /** Index of the action that it is preferred to; null when there is no pair. */
  rejected: number | null;
};

/**
 * Whether enough actions are drawn at a step.
 * @param previous value of the state so far; null when unknown
 * @param luck in [0, 1), drawn anew after each action: random exploration uses it to stop
 */
export function isDrawnEnough(
  previous: number | null,
  drawn: readonly ValuedAction[],
  options: RisingOptions,
  luck: number,
): boolean {
  if (drawn.length >= options.draws) return true;
  if (options.exploration === 'fixed' || drawn.length === 0) return false;
  if (options.exploration === 'random') return luck < options.stopProbability;
  const accepted = drawn.findIndex((action) => isAccepted(previous, action, options));
  if (accepted < 0) return false;
  return accepted > 0 || !options.extraDraw || drawn.length > 1;
}

/**
 * Which action to continue with after drawing. With rising exploration it is the first action that rises [P]. If none rises, it is the best
 * one, and best against worst is still a pair [D]; with `boundsLast`, an action whose value is only a bound is chosen only if all are bounds.
 * With fixed or random exploration it is always the best of all. A pair needs a gap above τ [D].
 */
export function chooseStep(
  previous: number | null,
  drawn: readonly ValuedAction[],
  options: RisingOptions,
): StepChoice {
  const isRising = options.exploration === 'rising';
  const first = isRising ? drawn.findIndex((action) => isAccepted(previous, action, options)) : -1;
  const accepted = first >= 0 ? first : indexOfBest(drawn, options.boundsLast ?? false);
  const rivals = drawn.map((_, index) => index).filter((index) => index !== accepted && drawn[index]!.value !== null);
  const worst = rivals.reduce<number | null>(
    (lowest, index) => (lowest === null || drawn[index]!.value! < drawn[lowest]!.value! ? index : lowest),
    null,
  );
  const { value, isBound } = drawn[accepted]!;
  const rises = value !== null && isAbove(value, previous);
  const isSaturated = previous !== null && previous >= 1 - options.saturation;
  return {
    verdict: isSaturated ? 'saturated' : rises ? 'rising' : 'not-rising',
    accepted,
    rejected:
      !isBound && worst !== null && value !== null && isBetterBy(value, drawn[worst]!.value!, options.gap)
        ? worst
        : null,
  };
}

/**
 * Why a choice has no pair, although something was drawn.
 * @returns null if it has one
 */
export function whyUnpaired(
  drawn: readonly (ValuedAction & { equality: string; auditFlags?: AuditFlags })[],
  { accepted, rejected }: StepChoice,
): UnpairedReason | null {
  if (rejected !== null) return null;
  const chosen = drawn[accepted]!;
  const others = drawn.filter((_, index) => index !== accepted);
  if (others.length === 0) return 'no-alternative';
  const differing = others.filter(({ equality }) => equality !== chosen.equality);
  if (differing.length === 0) return 'same-state';
  const values = differing.map(({ value }) => value).filter((value) => value !== null);
  if (chosen.value === null || values.length === 0)
    return [chosen, ...differing].some(isFlagged) ? 'flagged' : 'no-outcome';
  if (chosen.isBound) return 'undecided';
  return isBetterBy(chosen.value, Math.min(...values), 0) ? 'gap' : 'tie';
}

function isAccepted(previous: number | null, { value }: ValuedAction, { saturation }: RisingOptions): boolean {
  if (previous !== null && previous >= 1 - saturation) return true;
  return value !== null && isAbove(value, previous);
}

function isAbove(value: number, previous: number | null): boolean {
  return previous === null || isBetterBy(value, previous, 0);
}

/** Means of the same rewards differ in their last bits by the order of adding; and as binary fractions 0.4 − 0.3 is more than 0.1. */
const tolerance = 1e-9;

/** Whether a value exceeds another one by more than `gap`, strictly: values 0.1 apart do not differ by more than 0.1. */
export function isBetterBy(better: number, worse: number, gap: number): boolean {
  return better - worse > gap + tolerance;
}

/** The highest value; among equals the first drawn. An unknown value ranks below every known one, and a bound below every value if bounds come last. */
function indexOfBest(drawn: readonly ValuedAction[], boundsLast: boolean): number {
  const rank = ({ value, isBound }: ValuedAction) => (value === null ? -3 : value - (boundsLast && isBound ? 2 : 0));
  return drawn.reduce((best, action, index) => (rank(action) > rank(drawn[best]!) ? index : best), 0);
}

/** A rollout: reward in [0, 1], null for one that ended by a fault. That says nothing, and neither does a success that the audit flagged. */
type Rewarded = { reward: number | null; auditFlags?: AuditFlags };

/**
 * Value by Monte Carlo: mean outcome reward of rollouts. Source: RRO (arXiv 2505.20737), process reward.
 * @returns in [0, 1]; null when no rollout gave an outcome
 */
export function meanReward(rollouts: readonly Rewarded[]): number | null {
  return mean(knownRewards(rollouts));
}

/**
 * Standard error of a value: the sample's standard deviation, divided by the root of its size.
 * @returns null for fewer than two rollouts with an outcome, which show no spread
 */
export function standardError(rollouts: readonly Rewarded[]): number | null {
  return meanWithError(knownRewards(rollouts)).standardError;
}

/**
 * Value of an action of which `planned` rollouts were wanted. If it was given up before, because it could no longer rise, its value is the
 * best possible one. So the gap of a pair that rejects it is never overrated.
 */
export function valueAtBest(rollouts: readonly Rewarded[], planned: number): number | null {
  const mean = meanReward(rollouts);
  if (mean === null || rollouts.length >= planned) return mean;
  const known = knownRewards(rollouts).length;
  const open = planned - rollouts.length;
  return (mean * known + open) / (known + open);
}

function knownRewards(rollouts: readonly Rewarded[]): number[] {
  return rollouts.map(countedReward).filter((reward) => reward !== null);
}
