/** A trajectory of a task, from its opening to its result. */

import type { Ending } from '../ending.ts';
import type { MethodName, MethodOptions } from '../methods/index.ts';
import type { Granularity } from '../run/run-config.ts';

/** One trajectory of a run, by its position among the run's tasks. */
export type TaskAddress = { runId: string; position: number };

/** A task to open. */
export type OpenTaskInput = TaskAddress & {
  /** Whether the policy's trajectory is made at once, in the same activity. Absent in histories from before that. */
  explore?: boolean;
  /** Whether the task was cancelled while nobody worked at it. Its trajectory then ends where it stands: at the first call that is not stored. */
  isCancelled?: boolean;
};

/** The policy's trajectory, made in one activity. */
export type Explored = {
  trajectory: TrajectorySummary;
  /** The ceiling that ended it; absent if none did. */
  stop?: { kind: string; message: string };
};

/** The same, made of chosen steps. */
export type Constructed = Explored & {
  /** Rollouts that the choices took. */
  branches: number;
};

/** One step of one trajectory. */
export type StepAddress = {
  runId: string;
  trajectoryId: string;
  /** From 1. */
  step: number;
};

/** What the workflow of a trajectory must know; the rest stays in the store. */
export type OpenedTask = {
  taskId: string;
  title: string;
  environment: string;
  sample: number;
  /** The run's. */
  seed: number;
  rootId: string;
  trajectoryId: string;
  stepLimit: number;
  granularity: Granularity;
  /** Whether a step is one activity, because any worker may hold its session. Absent in histories from before there was a choice. */
  wholeSteps?: boolean;
  parallel: number;
  options: MethodOptions;
  /** Set when the trajectory was recorded elsewhere: nothing is explored then. */
  imported: TrajectorySummary | null;
  /** Set when it was explored as it was opened. */
  explored?: Explored;
  /** Set when it was constructed as it was opened. */
  constructed?: Constructed;
};

export type TrajectorySummary = {
  trajectoryId: string;
  ending: Ending;
  success: boolean | null;
  reward: number | null;
  steps: number;
  /** Flags of a success that the environment's audit flagged; absent for any other outcome. */
  auditFlags?: string[];
};

export type RecordTrajectoryInput = TaskAddress & {
  leafId: string;
  ending: Ending;
  reward: number | null;
  success: boolean | null;
  /** Message of the fault that ended it; null otherwise. */
  fault: string | null;
};

/** `budget`: a ceiling of the run; the task is not done, and continues with a higher one. `task-budget`, `step-budget`: its own ceiling; it is done. */
export type StopReason = 'budget' | 'task-budget' | 'step-budget' | 'cancelled' | 'fault';

export type TrajectoryResult = {
  position: number;
  taskId: string;
  ending: Ending;
  success: boolean | null;
  reward: number | null;
  steps: number;
  /** Whether the environment's audit flagged its success; absent if not. */
  flagged?: true;
  criticalSteps: number;
  branches: number;
  pairs: number;
  /** Trajectories kept to imitate (SFT, RFT). */
  examples?: number;
  /** What cut the mining short; null when it was finished. */
  stoppedBy: StopReason | null;
  /** Steps that were left out because they reached the ceiling of a step; absent if there are none. */
  stepsLeftOut?: number;
  /** Kind and words of the fault, shortened; null if there was none. */
  fault: string | null;
};

export type EndTaskInput = {
  runId: string;
  result: TrajectoryResult;
  /** Trajectory whose pairs are emitted first. */
  pairsOf: string;
};

export type TrajectoryInput = TaskAddress & {
  method: MethodName;
  campaignId: string | null;
  historyLimit?: number;
  cursor?: TrajectoryCursor;
};

/** Where a trajectory continues after it continued as new. */
export type TrajectoryCursor =
  | { phase: 'explore'; nodeId: string; step: number }
  | { phase: 'construct'; nodeId: string; step: number; value: number | null; branches: number }
  | {
      phase: 'mine';
      /** The policy's own. */
      trajectory: TrajectorySummary;
      nextStep: number;
      criticalSteps: number;
      branches: number;
      stepsLeftOut?: number;
    };

/** The code that starts a trajectory or continues it as new knows only this type, not the trajectory's code. */
export type TrajectoryWorkflow = (input: TrajectoryInput) => Promise<TrajectoryResult>;

/** A fault as results carry it: its kind and the beginning of its words, so that histories stay small. */
export function faultWords({ kind, message }: { kind: string; message: string }): string {
  const words = `${kind}: ${message}`;
  return words.length > 240 ? `${words.slice(0, 239)}…` : words;
}
