import type { AuditFlags } from './audit-flags.ts';
import type { Details, Ending } from './ending.ts';
import type { TrajectoryOrigin } from './example.ts';

/** One attempt at a task, from its first state to an ending. */
export type Trajectory = {
  /** For a recorded one that no run has taken up yet, the scope of its environment. */
  runId: string;
  id: string;
  taskId: string;
  /** Number among those of the same task, from 0. */
  sample: number;
  origin: TrajectoryOrigin;
  /** Name of the model that made it. */
  model: string;
  rootId: string;
  leafId: string;
  steps: number;
  /** Actions in it that the environment took; a message may hold several, or none. Null in trajectories from earlier versions. */
  environmentSteps: number | null;
  /** Messages without an action. Absent in rows from earlier versions, in which every other message was one action. */
  malformed?: number;
  ending: Ending;
  /** Outcome reward in [0, 1]; null when there is none, as after a fault. */
  reward: number | null;
  success: boolean | null;
  /** Whether a success held on variants of the data; null when it was not asked. */
  confirmed: boolean | null;
  /** What the environment's audit says about a success; null when it was not asked. */
  auditFlags: AuditFlags;
  details: Details | null;
};
