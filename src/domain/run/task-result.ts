import { isFlagged } from '../audit-flags.ts';
import type { TrajectoryResult, TrajectorySummary } from '../wire/trajectory.ts';

/** What came of a task, as whoever made it knows it. */
export type TaskFindings = Pick<
  TrajectoryResult,
  'position' | 'taskId' | 'criticalSteps' | 'branches' | 'pairs' | 'stoppedBy' | 'stepsLeftOut' | 'fault'
> & {
  /** The policy's own; null when it made none. */
  trajectory: TrajectorySummary | null;
  /** The expert's; undefined if none was asked for, null when there is none. */
  expert: TrajectorySummary | null | undefined;
  /** Undefined under methods that keep none. */
  examples: number | undefined;
};

/** The result of a task: that of its trajectory. Where the policy does nothing, as under SFT, it is the expert's. */
export function taskResult({ trajectory: own, expert, examples, fault, ...counts }: TaskFindings): TrajectoryResult {
  const trajectory = own ?? expert;
  const lacksExpert = own === null && expert === null;
  return {
    ...counts,
    ending: trajectory?.ending ?? (lacksExpert ? 'environment-fault' : 'cancelled'),
    success: trajectory?.success ?? null,
    reward: trajectory?.reward ?? null,
    steps: trajectory?.steps ?? 0,
    ...(trajectory && isFlagged(trajectory) && { flagged: true as const }),
    ...(examples !== undefined && { examples }),
    fault: lacksExpert ? 'User.NotFound: nobody has an expert trajectory of this task' : fault,
  };
}
