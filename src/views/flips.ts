import type { Branch } from '../domain/branch.ts';
import { outcomeKind } from '../domain/outcome-kind.ts';
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
  const at = Map.groupBy(branches, (row) => `${row.nodeId}/${row.purpose}`);
  const branchesOf = (step: Step, purpose: string) => at.get(`${step.nodeId}/${purpose}`) ?? [];
  const flip = (step: Step, purpose: string): Flip => ({
    step,
    flipped: branchesOf(step, purpose).some((row) => outcomeKind(row) === 'success'),
  });
  const critical = steps.filter((step) => step.verdict === 'critical');
  return {
    byAlternatives: critical
      .filter((step) => branchesOf(step, 'verify').length > 0)
      .map((step) => flip(step, 'verify')),
    byPlacebo: critical
      .filter((step) => step.placebo && branchesOf(step, 'placebo').length > 0)
      .map((step) => flip(step, 'placebo')),
  };
}
