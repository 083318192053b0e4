/** Actions that are drawn in a state. */

import type { Ending } from '../ending.ts';

/** An action that was drawn in a state and taken. */
export type DrawnAction = {
  /** Empty when the policy ended the conversation instead of acting. */
  candidateId: string;
  /** Equal for equal actions. */
  equality: string;
  /** State that it leads to. */
  nodeId: string;
  done: boolean;
  /** Set when it ended the trajectory; null while the trajectory continues. */
  ending: Ending | null;
  reward: number | null;
  success: boolean | null;
  /** Flags of a success that the environment's audit flagged; absent for any other outcome. */
  auditFlags?: string[];
};

export type ProposeResult = { alternatives: number; equalToPolicy: number; duplicates: number; unreadable: number };

/** A pair that was selected at a step. */
export type Preference = {
  nodeId: string;
  /** Candidate ids. */
  best: string;
  worst: string;
  /** Whether it is in the seeded sample whose actions are rolled out. */
  revalue: boolean;
};
