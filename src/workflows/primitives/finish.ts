import { upsertSearchAttributes } from '@temporalio/workflow';
import { taskResult } from '../../domain/run/task-result.ts';
import type { TrajectoryResult } from '../../domain/wire/trajectory.ts';
import { bookkeeping } from '../proxies.ts';
import { cruxPairs, cruxReward, cruxStatus, cruxStep } from '../search-attributes.ts';
import type { TaskRun } from './task-run.ts';

/** Writes the result to the store: also when the trajectory was cancelled. */
export async function finish(task: TaskRun): Promise<TrajectoryResult> {
  const { input, opened, stoppedBy } = task;
  const { criticalSteps, branches, pairs, trajectory, expert, examples, fault } = task;
  const found = { criticalSteps, branches, pairs, trajectory, expert, examples, stoppedBy, ...task.leftOut, fault };
  const result = taskResult({ position: input.position, taskId: opened.taskId, ...found });
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
