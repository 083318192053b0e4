/** What IPR alone asks of activities. */

import type { Compared, OutcomeVerdict } from '../methods/eto-rule.ts';
import type { ContrastVerdict } from '../methods/ipr-rule.ts';
import type { DrawnAction } from './action.ts';
import type { StepAddress } from './trajectory.ts';

/** The same comparison from one of the expert's states on, with the two actions that were taken there. */
export type StepContrast = {
  verdict: OutcomeVerdict;
  /** Id of s_t. */
  nodeId: string;
  /** Final rewards. */
  outcomes: Compared;
  /** Null if the policy did not act, or took the same action. */
  actions: { expert: DrawnAction; policy: DrawnAction } | null;
};

/** A step that one activity refined. */
export type RefinedStep = {
  /** Rollouts that it took. */
  branches: number;
  /** What cut it short; absent if nothing did. */
  stop?: { kind: string; message: string };
};

export type ContrastInput = StepAddress & {
  nodeId: string;
  verdict: ContrastVerdict;
  expertId: string;
  policyId: string;
};
