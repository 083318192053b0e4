import { upsertSearchAttributes } from '@temporalio/workflow';
import { isFlagged } from '../../domain/audit-flags.ts';
import type { TrajectoryResult } from '../../domain/wire/trajectory.ts';
import { bookkeeping } from '../proxies.ts';
import { cruxPairs, cruxReward, cruxStatus, cruxStep } from '../search-attributes.ts';
import type { TaskRun } from './task-run.ts';

/** Writes the result to the store: also when the trajectory was cancelled. */
export async function finish(task: TaskRun): Promise<TrajectoryResult> {
  const { input, opened, expert, stoppedBy } = task;
  // SFT has no trajectory of the policy.
  const trajectory = task.trajectory ?? expert;
  const lacksExpert = task.trajectory === null && expert === null;
  const result: TrajectoryResult = {
    position: input.position,
    taskId: opened.taskId,
    ending: trajectory?.ending ?? (lacksExpert ? 'environment-fault' : 'cancelled'),
    success: trajectory?.success ?? null,
    reward: trajectory?.reward ?? null,
    steps: trajectory?.steps ?? 0,
    ...(trajectory && isFlagged(trajectory) && { flagged: true as const }),
    criticalSteps: task.criticalSteps,
    branches: task.branches,
    pairs: task.pairs,
    ...(task.examples !== undefined && { examples: task.examples }),
    stoppedBy,
    ...task.leftOut,
    fault: lacksExpert ? 'User.NotFound: nobody has an expert trajectory of this task' : task.fault,
  };
  // A task that a ceiling of the run cut short is not done: a higher ceiling lets it continue.
  if (stoppedBy !== 'budget') await bookkeeping('record the result').finishTask({ runId: input.runId, result });
  upsertSearchAttributes([
    { key: cruxStatus, value: stoppedBy ?? result.ending },
    { key: cruxStep, value: result.steps },
    { key: cruxPairs, value: result.pairs },
    ...(result.reward === null ? [] : [{ key: cruxReward, value: result.reward }]),
  ]);
  task.show('finished');
  return result;
}
