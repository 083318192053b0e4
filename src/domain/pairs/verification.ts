/** Whether branches prove that an alternative is better than the policy's own action. */
import { isFlagged } from '../audit-flags.ts';
import { isPolicyEnding } from '../ending.ts';
import type { VerificationOptions } from '../methods/options.ts';
import { outcomeKind } from '../outcome-kind.ts';
import { betaBelow } from '../statistics/beta-posterior.ts';
import { sequentialDecision } from '../statistics/sequential-rule.ts';
import type { BranchResult } from '../wire/branch.ts';

/** Branches of one action. */
export type Tally = {
  successes: number;
  rollouts: number;
  /** Ended by a fault, or by a success that the audit flagged: unknown, counted against the pair. */
  missing: number;
};

/**
 * A success that does not hold on variants of the task's data is an accident, and no success. Neither is one that the audit flagged, nor one that
 * was recorded together with a fault.
 */
export function isVerifiedSuccess(result: BranchResult): boolean {
  return isPolicyEnding(result.ending) && outcomeKind(result) === 'success';
}

export function tally(branches: readonly BranchResult[]): Tally {
  const genuine = branches.filter((branch) => isPolicyEnding(branch.ending) && !isFlagged(branch));
  return {
    successes: genuine.filter(isVerifiedSuccess).length,
    rollouts: genuine.length,
    missing: branches.length - genuine.length,
  };
}

export type Verdict = {
  verdict: 'accepted' | 'rejected' | 'continue';
  rule: 'none' | 'once' | 'posterior' | 'lasting';
  /** P(p_alternative > p_policy); null if the rule needs none. */
  posterior: number | null;
};

/**
 * The verdict on an alternative after the rollouts made so far.
 * With n = 1, one successful branch verifies. Source: CSO (arXiv 2602.03412), verification.
 * With n > 1, the alternative must beat the policy's own action from the same state: the sequential rule of the `sound` preset. Source: ours.
 */
export function verdictOn(alternative: Tally, policy: Tally, verification: VerificationOptions): Verdict {
  if (verification.rollouts === 1) {
    const open = alternative.rollouts + alternative.missing === 0;
    const accepted = alternative.successes > 0;
    return { verdict: open ? 'continue' : accepted ? 'accepted' : 'rejected', rule: 'once', posterior: null };
  }
  const { verdict, posterior } = sequentialDecision(
    tallyForRule(alternative, verification.rollouts),
    tallyForRule(policy, verification.baselineRollouts),
    { confidence: verification.confidence, equalityMass: verification.tieMass },
  );
  return { verdict, rule: 'posterior', posterior };
}

function tallyForRule({ successes, rollouts, missing }: Tally, planned: number) {
  return { successes, failures: rollouts - successes, missing, remaining: Math.max(0, planned - rollouts - missing) };
}

/**
 * Whether fresh trajectories confirm that the policy loses, or wins, against the expert as a rule and not by luck: its success rate p must
 * lie on the right side of `maxPassRate`, with a uniform prior. Missing trajectories count against it.
 * @param policyLost whether the policy's outcome was the worse one
 * Source: ours; the `sound` preset of methods that compare whole trajectories.
 */
export function lastingVerdict(
  { successes, rollouts, missing }: Tally,
  policyLost: boolean,
  { maxPassRate, verification }: { maxPassRate: number; verification: VerificationOptions },
): Verdict {
  const counted = policyLost ? successes + missing : successes;
  const below = betaBelow(1 + counted, 1 + rollouts + missing - counted, maxPassRate);
  const posterior = policyLost ? below : 1 - below;
  return { verdict: posterior >= verification.confidence ? 'accepted' : 'rejected', rule: 'lasting', posterior };
}
