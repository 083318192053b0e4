/** How a trajectory of the policy ends: by itself, or by a fault, a ceiling or a cancellation. */

import { ApplicationFailure, CancellationScope, ContinueAsNew, isCancellation } from '@temporalio/workflow';
import { type Ending, isAtLimit } from '../../domain/ending.ts';
import { endingOfFault } from '../../domain/fault-ending.ts';
import type { Place } from '../../domain/methods/construct.ts';
import { methods } from '../../domain/methods/index.ts';
import type { Explored, TrajectorySummary } from '../../domain/wire/trajectory.ts';
import { agent, bookkeeping, faultOf } from '../proxies.ts';
import type { TaskRun } from './task-run.ts';

/**
 * Runs `work`, and records how the trajectory ended if a fault, a ceiling or a cancellation ends it.
 * @param at where it stands
 * @param hasPairs whether steps of a trajectory without an ending may have pairs already: then its ending is recorded in any case
 * @throws the fault of a ceiling that was reached: nothing can be learned from a trajectory without an ending of its own
 */
export async function toTheEnding(
  task: TaskRun,
  at: () => Place,
  hasPairs: boolean,
  work: () => Promise<TrajectorySummary>,
): Promise<TrajectorySummary> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const fault = faultOf(error);
    const ending = isCancellation(error) ? 'cancelled' : fault && endingOfFault(fault.kind);
    if (!ending) throw error;
    if (ending === 'budget') {
      await endAtCeiling(task, error, at(), hasPairs);
      throw error;
    }
    if (ending === 'cancelled') task.cancelled();
    return await CancellationScope.nonCancellable(() =>
      recordEnding(task, at().nodeId, ending, null, null, fault?.message),
    );
  }
}

/**
 * Takes a trajectory as the activity that opened the task made it.
 * @param hasPairs as above
 * @throws as above
 */
export function endedAs(task: TaskRun, { trajectory, stop }: Explored, hasPairs: boolean): TrajectorySummary {
  task.trajectory = trajectory;
  if (trajectory.ending === 'cancelled') task.cancelled();
  task.isLeftOpen = stop?.kind === 'Run.Budget' && !hasPairs;
  if (stop) throw ApplicationFailure.nonRetryable(stop.message, stop.kind);
  return trajectory;
}

/** If the run is out of budget, the trajectory stays open, as a branch does. */
async function endAtCeiling(task: TaskRun, error: unknown, { nodeId, step }: Place, hasPairs: boolean): Promise<void> {
  await task.cutShort(error);
  task.isLeftOpen = task.stoppedBy === 'budget' && !hasPairs;
  const open = { trajectoryId: task.opened.trajectoryId, success: null, reward: null, steps: step };
  task.trajectory = task.isLeftOpen
    ? { ...open, ending: 'budget' }
    : await recordEnding(task, nodeId, 'budget', null, null, faultOf(error)?.message);
}

export function recordEnding(
  { input }: TaskRun,
  leafId: string,
  ending: Ending,
  reward: number | null,
  success: boolean | null,
  fault: string | null = null,
): Promise<TrajectorySummary> {
  const { runId, position, method } = input;
  // A success is audited and, where it is evidence, confirmed on variants of the data. Both take an environment, not only the store.
  const takesEnvironment = success === true || isAtLimit(ending) || methods[method].gives === 'figures';
  const proxy = takesEnvironment ? agent : bookkeeping;
  const ended = { runId, position, leafId, ending, reward, success, fault };
  return proxy('record the trajectory').recordTrajectory(ended);
}
