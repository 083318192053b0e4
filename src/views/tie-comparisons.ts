import { isFlagged } from '../domain/audit-flags.ts';
import type { Branch } from '../domain/branch.ts';
import { outcomeKind } from '../domain/outcome-kind.ts';
import type { BranchPurpose } from '../domain/purpose.ts';
import type { Counts } from '../domain/statistics/beta-posterior.ts';
import type { Step } from '../domain/step.ts';
import { criticalActions } from './flips.ts';

/**
 * Rollouts that no outcome of their action selected: `placebo` and `calibrate` are drawn by the seed, the others are made at every candidate
 * critical step. Those of `screen` are not among them: the gate chose the actions by their outcomes.
 */
const ofPolicy: readonly BranchPurpose[] = ['placebo', 'baseline', 'calibrate'];
const ofAlternatives: readonly BranchPurpose[] = ['verify', 'calibrate'];

/** Each alternative against the policy's own action, at the candidate critical steps that have such rollouts of both. */
export function tieComparisons(
  steps: readonly Step[],
  branches: readonly Branch[],
): { alternative: Counts; policy: Counts }[] {
  const at = Map.groupBy(branches, (row) => row.candidateId);
  const counts = (id: string, purposes: readonly string[]): Counts => {
    const fair = (at.get(id) ?? []).filter(({ purpose }) => purposes.includes(purpose));
    const known = fair.filter((row) => row.success !== null && !isFlagged(row));
    return { successes: known.filter((row) => outcomeKind(row) === 'success').length, rollouts: known.length };
  };
  return criticalActions(steps).flatMap((step) => {
    const policy = counts(step.ownId ?? '', ofPolicy);
    const compared = step.branched.map((id) => ({ alternative: counts(id, ofAlternatives), policy }));
    return compared.filter(({ alternative }) => policy.rollouts > 0 && alternative.rollouts > 0);
  });
}
