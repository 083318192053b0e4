/** A branch: a state, a candidate, and the policy's continuation. */

import type { Ending } from '../ending.ts';
import type { BranchPurpose } from '../purpose.ts';

export type BranchInput = {
  runId: string;
  trajectoryId: string;
  nodeId: string;
  /** Empty when the policy continues from the state itself. */
  candidateId: string;
  purpose: BranchPurpose;
  /** Number of the rollout among those of the same candidate and purpose, from 0. */
  rollout: number;
};

/** Several rollouts of one action, by number: those from `from` on, before `to`. */
export type RolloutsInput = Omit<BranchInput, 'rollout'> & { from: number; to: number };

export type BranchResult = {
  ending: Ending;
  success: boolean | null;
  reward: number | null;
  /** Whether a success held on variants of the data; null when it was not asked. */
  confirmed: boolean | null;
  /** Flags of a success that the environment's audit flagged; absent for any other result. */
  auditFlags?: string[];
};

/** A branch as a workflow of its own. */
export type BranchWorkflowInput = BranchInput & { historyLimit?: number; cursor?: BranchCursor };

/** Where a branch continues after it continued as new. */
export type BranchCursor = {
  nodeId: string;
  step: number;
  stepLimit: number;
  compared: number;
  /** See `OpenedTask`. */
  wholeSteps?: boolean;
};

export type OpenedBranch = BranchCursor & { outcome: BranchResult | null };

export type RecordBranchInput = BranchInput & {
  leafId: string;
  /** Observations of the prefix that were compared before branching. */
  compared: number;
  ending: Ending;
  reward: number | null;
  success: boolean | null;
  /** Message of the fault that ended it; null otherwise. */
  fault: string | null;
};

export type BranchWorkflow = (input: BranchWorkflowInput) => Promise<BranchResult>;
