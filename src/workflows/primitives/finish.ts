import { upsertSearchAttributes } from '@temporalio/workflow';
import { taskResult } from '../../domain/run/task-result.ts';
import type { TrajectoryResult } from '../../domain/wire/trajectory.ts';
import { bookkeeping } from '../proxies.ts';
import { cruxPairs, cruxReward, cruxStatus, cruxStep } from '../search-attributes.ts';
import { recordPairs } from './emit-pairs.ts';
import type { TaskRun } from './task-run.ts';

/** Writes pairs and result to the store: also when the trajectory was cancelled. */
export async function finish(task: TaskRun): Promise<TrajectoryResult> {
  await record(task);
  const result = resultOf(task);
  upsertSearchAttributes([
    { key: cruxStatus, value: task.stoppedBy ?? result.ending },
    { key: cruxStep, value: result.steps },
    { key: cruxPairs, value: result.pairs },
    ...(result.reward === null ? [] : [{ key: cruxReward, value: result.reward }]),
  ]);
  task.show('finished');
  return result;
}

async function record(task: TaskRun): Promise<void> {
  const { givesPairs, mined: pairsOf, stoppedBy } = task;
  const ended = { runId: task.input.runId, result: resultOf(task) };
  // A task that a ceiling of the run cut short is not done: a higher ceiling lets it continue.
  if (stoppedBy === 'budget') {
    if (givesPairs) await recordPairs(task);
  } else if (givesPairs) task.pairs = await bookkeeping('record pairs and result').endTask({ ...ended, pairsOf });
  else await bookkeeping('record the result').finishTask(ended);
}

function resultOf(task: TaskRun): TrajectoryResult {
  const { criticalSteps, branches, pairs, trajectory, expert, examples, stoppedBy, fault, leftOut } = task;
  const found = { criticalSteps, branches, pairs, trajectory, expert, examples, stoppedBy, fault };
  const { position } = task.input;
  return taskResult({ position, taskId: task.opened.taskId, ...found, ...leftOut });
}
