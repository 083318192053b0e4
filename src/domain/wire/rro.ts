/** What RRO alone asks of activities. */

import type { UnpairedReason } from '../pairs/unpaired.ts';
import type { StepAddress } from './trajectory.ts';

export type DrawInput = {
  runId: string;
  nodeId: string;
  sample: number;
  /** From 0. */
  draw: number;
};

export type ChoiceInput = StepAddress & {
  nodeId: string;
  verdict: 'rising' | 'saturated' | 'not-rising';
  acceptedId: string;
  rejectedId: string | null;
  /** Why there is no pair; null if there is one. Absent in histories from earlier versions. */
  unpaired?: UnpairedReason | null;
  /** Draws that ended the task by a success that the environment's audit flagged; absent if there are none. */
  flaggedDraws?: number;
};
