import type { Branch } from '../domain/branch.ts';
import { outcomeKind } from '../domain/outcome-kind.ts';
import type { BranchPurpose } from '../domain/purpose.ts';
import type { Step } from '../domain/step.ts';

export type Flip = { step: Step; flipped: boolean };

/**
 * Branched candidate critical steps, and whether branching gave a success that held.
 * @returns by alternatives, and by the policy's own action (placebo): the rate of luck alone
 */
export function flips(
  steps: readonly Step[],
  branches: readonly Branch[],
): { byAlternatives: Flip[]; byPlacebo: Flip[] } {
  const at = Map.groupBy(branches, (row) => `${row.nodeId}/${row.candidateId}/${row.purpose}`);
  const flipsBy = (purpose: BranchPurpose, actionsOf: (step: Step) => string[]): Flip[] =>
    criticalActions(steps).flatMap((step) => {
      const own = actionsOf(step).flatMap((id) => at.get(`${step.nodeId}/${id}/${purpose}`) ?? []);
      return own.length === 0 ? [] : [{ step, flipped: own.some((row) => outcomeKind(row) === 'success') }];
    });
  return {
    byAlternatives: flipsBy('verify', ({ branched }) => branched),
    byPlacebo: flipsBy('placebo', ({ placebo, ownId }) => (placebo && ownId !== null ? [ownId] : [])),
  };
}

/** The candidate critical steps. Trajectories that took the same action in the same state share its branches, and count once. */
export function criticalActions(steps: readonly Step[]): Step[] {
  const critical = steps.filter(({ verdict }) => verdict === 'critical');
  return [...new Map(critical.map((step) => [`${step.nodeId}/${step.ownId}`, step])).values()];
}
