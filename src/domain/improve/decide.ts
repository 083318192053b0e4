/** Whether a candidate takes the place of the policy, from both evaluations on the same validation tasks. Statistics, without a model or a store. */
import type { Sample } from '../run/evaluation.ts';
import { groupBootstrap } from '../statistics/bootstrap.ts';
import type { Interval } from '../statistics/interval.ts';
import { twoSidedQuantile } from '../statistics/normal.ts';
import { inGroups } from '../statistics/ratio-by-group.ts';
import { mean } from '../statistics/sums.ts';
import { visibleFactor } from './samples.ts';

/**
 * `always` [P]: every candidate is the next policy. `not-worse` [D]: unless the validation leaves room for a loss above the margin. `better` [D]: only
 * if it shows a gain.
 */
export const promotions = ['always', 'not-worse', 'better'] as const;
export type Promotion = (typeof promotions)[number];

export type Decision = {
  isPromoted: boolean;
  reason: DecisionReason;
  /** Null where there was no candidate to compare. */
  comparison: PolicyComparison | null;
  /** Tasks of validation that would decide, at this difference; null if it is decided, if no number would, or if there are too few groups of them. */
  tasksToDecide: number | null;
  /** The fault that ended the round before there was a candidate. */
  fault?: { kind: string; message: string };
};

/**
 * Why. `undecided`: the interval leaves both open, or nothing differs. `few-groups`: too few to tell. `few-pairs`: too little to train on.
 * `training-ended`: the training went wrong and was stopped.
 */
export type DecisionReason =
  | 'always'
  | 'not-worse'
  | 'better'
  | 'worse'
  | 'undecided'
  | 'few-groups'
  | 'few-pairs'
  | 'training-ended';

/** Two policies on the same tasks. Rates are means over tasks of the share of their samples that succeeded. */
export type PolicyComparison = {
  before: number | null;
  after: number | null;
  /** After minus before. */
  difference: number | null;
  /** 95 %, by resampling groups; null with fewer than `bootstrapGroups`, or if all are alike. */
  interval: Interval | null;
  /** One-sided: how often flipped signs of the groups would give as much above the threshold. Null if the interval decides, or with too few groups. */
  pValue: number | null;
  /** The difference that the test holds it against: 0, or minus the margin. Absent in records of earlier versions. */
  threshold?: number;
  tasks: number;
  groups: number;
  /** Pairs of samples without an outcome on one side or both, which are in no figure. */
  missing: number;
  /** The smallest difference that these tasks can show: 80 % power at 5 %; null if unknown. */
  smallestVisible: number | null;
  /** How much worse a candidate may be that counts as not worse. */
  margin: number;
};

/** Fewer groups make bootstrap intervals too narrow: signs of groups are flipped instead. */
export const bootstrapGroups = 8;
/** Fewer groups than this decide nothing: if all of four gain, flipped signs give as much in one of 16 cases. */
export const leastGroupsToDecide = 5;
/** A loss below this is no loss. */
const leastMargin = 0.02;
/** One-sided, of the sign-flip test. */
const significance = 0.05;

type TaskChange = { taskId: string; group: string; before: number; after: number };

/** Pairs samples by task and number, and decides. */
export function decide(before: readonly Sample[], after: readonly Sample[], promote: Promotion): Decision {
  const comparison = comparePolicies(before, after, promote === 'better' ? 0 : null);
  return { ...verdict(comparison, promote), comparison };
}

/**
 * @param given the difference that a candidate must exceed in the test. Null: minus the margin
 */
export function comparePolicies(
  before: readonly Sample[],
  after: readonly Sample[],
  given: number | null = null,
): PolicyComparison {
  const { changes, missing } = pairedByTask(before, after);
  const groups = inGroups(changes);
  const difference = (own: readonly TaskChange[]) => mean(own.map((change) => change.after - change.before));
  const bootstrap = groupBootstrap(groups, difference, { seed: 'improve/decide' });
  const standardError = bootstrap.standardError === 0 ? null : bootstrap.standardError;
  const smallestVisible = standardError === null ? null : visibleFactor * standardError;
  const margin = Math.max(leastMargin, (smallestVisible ?? 0) / 2);
  const threshold = given ?? -margin;
  const hasInterval = groups.length >= bootstrapGroups && standardError !== null;
  return {
    before: mean(changes.map((change) => change.before)),
    after: mean(changes.map((change) => change.after)),
    difference: bootstrap.estimate,
    interval: hasInterval ? bootstrap.interval : null,
    pValue:
      hasInterval || groups.length < leastGroupsToDecide
        ? null
        : standardError === null
          ? signFlipOfAlike(groups.length, bootstrap.estimate! - threshold)
          : signFlip(groups, -threshold),
    threshold,
    tasks: changes.length,
    groups: groups.length,
    missing,
    smallestVisible,
    margin,
  };
}

/** What the rule says of a comparison. */
function verdict(comparison: PolicyComparison, promote: Promotion): Omit<Decision, 'comparison'> {
  const { difference, groups, interval, pValue, margin, smallestVisible, tasks } = comparison;
  const kept = (reason: DecisionReason, tasksToDecide: number | null = null) => ({
    isPromoted: false,
    reason,
    tasksToDecide,
  });
  if (promote === 'always') return { isPromoted: true, reason: 'always', tasksToDecide: null };
  if (difference === null || groups < leastGroupsToDecide) return kept('few-groups');
  const threshold = promote === 'better' ? 0 : -margin;
  const isAbove = interval === null ? pValue !== null && pValue <= significance : interval.lower > threshold;
  if (isAbove) return { isPromoted: true, reason: promote, tasksToDecide: null };
  // All groups changed alike. What is not above the threshold may still be no loss: a candidate that changed nothing.
  const isAlikeLoss = smallestVisible === null && signFlipOfAlike(groups, -difference) <= significance;
  if (interval === null ? isAlikeLoss : interval.upper < threshold) return kept('worse');
  const needed = tasksNeeded(tasks, difference - threshold, smallestVisible);
  // If that many tasks are there already, their groups are too few.
  return kept('undecided', needed !== null && needed > tasks ? needed : null);
}

/** The standard error falls with the root of the tasks. @returns null if the candidate is not above the threshold at all */
function tasksNeeded(tasks: number, excess: number, smallestVisible: number | null): number | null {
  if (excess <= 0 || smallestVisible === null) return null;
  const standardError = smallestVisible / visibleFactor;
  return Math.ceil(tasks * ((twoSidedQuantile(0.95) * standardError) / excess) ** 2);
}

function pairedByTask(before: readonly Sample[], after: readonly Sample[]): { changes: TaskChange[]; missing: number } {
  const afterOf = Map.groupBy(after, ({ taskId }) => taskId);
  let missing = 0;
  const changes = [...Map.groupBy(before, ({ taskId }) => taskId)].flatMap(([taskId, own]): TaskChange[] => {
    const others = afterOf.get(taskId) ?? [];
    // Samples of a task come in the order of their numbers.
    const pairs = own.flatMap((sample, number) => {
      const pair = [successOf(sample), others[number] ? successOf(others[number]) : null] as const;
      if (pair[0] !== null && pair[1] !== null) return [[pair[0], pair[1]] as const];
      missing += 1;
      return [];
    });
    if (pairs.length === 0) return [];
    const share = (side: 0 | 1) => mean(pairs.map((pair) => pair[side]))!;
    return [{ taskId, group: own[0]!.group, before: share(0), after: share(1) }];
  });
  return { changes, missing };
}

/** Null without an outcome. */
function successOf({ outcome }: Sample): number | null {
  return outcome === 'missing' || outcome === 'open' ? null : Number(outcome === 'success');
}

/**
 * Exact test of whether the difference, moved by `shift`, is above 0: under the null each group's sum has either sign with the same probability. All
 * signs are tried, of at most seven groups.
 * Source: Fisher, "The Design of Experiments" (1935), the randomization test for pairs; groups in place of pairs is ours.
 */
function signFlip(groups: readonly (readonly TaskChange[])[], shift: number): number {
  const sums = groups.map((own) => own.reduce((sum, { before, after }) => sum + after - before + shift, 0));
  const observed = sums.reduce((sum, own) => sum + own, 0);
  const flips = 2 ** sums.length;
  let asMuch = 0;
  for (let signs = 0; signs < flips; signs += 1) {
    const flipped = sums.reduce((sum, own, group) => sum + ((signs >> group) & 1 ? -own : own), 0);
    if (flipped >= observed - 1e-12) asMuch += 1;
  }
  return asMuch / flips;
}

/**
 * The same test of groups that all changed alike, of any number: only the signs that they have give as much as was seen.
 * @param excess of their difference above the threshold
 */
function signFlipOfAlike(groups: number, excess: number): number {
  return excess > 0 ? 2 ** -groups : 1;
}
