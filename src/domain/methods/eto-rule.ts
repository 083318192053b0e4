/** The rule of ETO (arXiv 2403.02502): which of the expert's and the policy's trajectory is preferred. */
import { type AuditFlags, isFlagged } from '../audit-flags.ts';
import { outcomeKind } from '../outcome-kind.ts';
import { isBetterBy } from './rro-rule.ts';

/**
 * By final reward alone. `unknown`: one of them ended by a fault. `flagged`: one of them is a success that the environment's audit flagged.
 * `coincidental`: the better one is a success that does not hold on variants of the data.
 */
export type OutcomeVerdict = 'expert-better' | 'policy-better' | 'equal' | 'unknown' | 'flagged' | 'coincidental';

/** Two figures by which the trajectories are compared, each in [0, 1]; null when unknown. */
export type Compared = { expert: number | null; policy: number | null };

/** A trajectory, or the rest of one, with its final reward. */
export type Finished = {
  reward: number | null;
  success: boolean | null;
  confirmed: boolean | null;
  auditFlags: AuditFlags;
};

/**
 * The verdict on two trajectories. The reward of a flagged success says nothing, so there is none to compare. A success by accident is nothing to
 * learn from, so it is never preferred.
 */
export function contrastVerdict(expert: Finished, policy: Finished, gap: number): OutcomeVerdict {
  if (isFlagged(expert) || isFlagged(policy)) return 'flagged';
  const verdict = betterByOutcome({ expert: expert.reward, policy: policy.reward }, gap);
  const better = verdict === 'expert-better' ? expert : verdict === 'policy-better' ? policy : null;
  return better && outcomeKind(better) === 'coincidental' ? 'coincidental' : verdict;
}

/**
 * Which of two trajectories has the higher final reward.
 * @param gap τ: they are equal unless they differ by more
 */
export function betterByOutcome({ expert, policy }: Compared, gap: number): OutcomeVerdict {
  if (expert === null || policy === null) return 'unknown';
  if (isBetterBy(expert, policy, gap)) return 'expert-better';
  return isBetterBy(policy, expert, gap) ? 'policy-better' : 'equal';
}
