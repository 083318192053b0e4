import type { BranchTable, StepTable } from '../store/schema.ts';

export type Flip = { step: StepTable; flipped: boolean };

/**
 * Candidate critical steps at which something was branched, and whether a success came of it that held.
 * @returns by alternatives, and by the policy's own action (placebo): what luck alone gives
 */
export function flips(
  steps: readonly StepTable[],
  branches: readonly BranchTable[],
): { byAlternatives: Flip[]; byPlacebo: Flip[] } {
  const at = Map.groupBy(branches, (row) => `${row.node_id}/${row.purpose}`);
  const branchesOf = (step: StepTable, purpose: string) => at.get(`${step.node_id}/${purpose}`) ?? [];
  const flip = (step: StepTable, purpose: string): Flip => ({
    step,
    flipped: branchesOf(step, purpose).some((row) => row.success === 1 && row.confirmed !== 0),
  });
  const critical = steps.filter((step) => step.verdict === 'critical');
  return {
    byAlternatives: critical
      .filter((step) => branchesOf(step, 'verify').length > 0)
      .map((step) => flip(step, 'verify')),
    byPlacebo: critical
      .filter((step) => step.placebo === 1 && branchesOf(step, 'placebo').length > 0)
      .map((step) => flip(step, 'placebo')),
  };
}
