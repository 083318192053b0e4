import { type AuditFlags, isFlagged } from './audit-flags.ts';
import type { Details, Ending } from './ending.ts';
import type { Purpose } from './purpose.ts';
import type { BranchResult } from './wire/branch.ts';

/** A state, a candidate taken there, and the policy's continuation to an ending. */
export type Branch = {
  runId: string;
  id: string;
  /** Trajectory that it was made for. Others through the same state share it. */
  trajectoryId: string;
  nodeId: string;
  /** Empty when the policy continues from the state itself. */
  candidateId: string;
  purpose: Purpose;
  /** Number among those of the same candidate and purpose, from 0. */
  rollout: number;
  leafId: string;
  /** From the branch point to the leaf, including the candidate. */
  steps: number;
  /** Actions from the branch point on that the environment took. Null in branches from earlier versions. */
  environmentSteps: number | null;
  /** Messages without an action. Absent in rows from earlier versions, in which every other message was one action. */
  malformed?: number;
  seed: number | null;
  ending: Ending;
  /** Outcome reward in [0, 1]; null after a fault. */
  reward: number | null;
  success: boolean | null;
  /** Whether a success held on variants of the data; null when it was not asked. */
  confirmed: boolean | null;
  /** What the environment's audit says about a success; null when it was not asked. */
  auditFlags: AuditFlags;
  details: Details | null;
  /** Observations of the prefix that were compared before branching. */
  compared: number;
};

/** A rollout of an action, with its number among those of the same action and purpose, from 0. */
export type NumberedResult = BranchResult & { rollout: number };

/** What verification needs to know of a branch. */
export function branchOutcome(branch: Branch): BranchResult {
  const { ending, success, reward, confirmed, auditFlags } = branch;
  return { ending, success, reward, confirmed, ...(isFlagged(branch) && { auditFlags: auditFlags! }) };
}

export function numberedOutcome(branch: Branch): NumberedResult {
  return { rollout: branch.rollout, ...branchOutcome(branch) };
}
