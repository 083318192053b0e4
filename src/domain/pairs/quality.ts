/** Whether a pair is right, judged by reference rollouts of its two actions, which had no part in making it. Source: ours. */
import type { AuditFlags } from '../audit-flags.ts';
import { outcomeKind } from '../outcome-kind.ts';
import { differenceInterval, type MeanOutcome } from '../statistics/difference.ts';
import type { Interval } from '../statistics/interval.ts';

/** `better`: the chosen action is better. `equal`: no difference between the two is shown. `wrong`: the rejected action is better. */
export type PairQuality = 'better' | 'equal' | 'wrong';

export const pairQualities: readonly PairQuality[] = ['better', 'equal', 'wrong'];

export type JudgedPair = {
  /** Mean outcome of the chosen action minus that of the rejected one. */
  difference: number;
  /** 95 %. */
  interval: Interval;
  quality: PairQuality;
};

/**
 * A pair is right or wrong if the 95 % interval of the difference lies on one side of 0. Of pairs that are exactly equal, one in forty is
 * judged better, and one in forty wrong.
 */
export function judgePair(chosen: MeanOutcome, rejected: MeanOutcome): JudgedPair {
  const interval = differenceInterval(chosen, rejected);
  const quality = interval.lower > 0 ? 'better' : interval.upper < 0 ? 'wrong' : 'equal';
  return { difference: chosen.mean - rejected.mean, interval, quality };
}

/**
 * Mean outcome of rollouts: their reward, but 0 for a success that does not hold on variants of the data.
 * @param rollouts those that ended by a fault have no reward, and are left out; so are successes that the audit flagged
 * @returns null when none is left
 */
export function meanOutcome(
  rollouts: readonly {
    reward: number | null;
    success: boolean | null;
    confirmed: boolean | null;
    auditFlags?: AuditFlags;
  }[],
): MeanOutcome | null {
  const outcomes = rollouts.flatMap((rollout) => {
    const kind = outcomeKind(rollout);
    return rollout.reward === null || kind === 'flagged' ? [] : [kind === 'coincidental' ? 0 : rollout.reward];
  });
  const n = outcomes.length;
  return n === 0 ? null : { mean: outcomes.reduce((sum, outcome) => sum + outcome, 0) / n, n };
}
