import { isCancellation } from '@temporalio/workflow';
import { exploredIn } from '../../domain/stream.ts';
import type { TrajectorySummary } from '../../domain/wire/trajectory.ts';
import type { StepInput, StepResult } from '../../domain/wire/turn.ts';
import { agent, holder } from '../proxies.ts';
import { takeTurn } from '../turn.ts';
import type { TaskRun } from './task-run.ts';
import { endedAs, recordEnding, toTheEnding } from './to-the-ending.ts';

/** The policy's own trajectory: as it was explored when the task was opened, else step by step. A recorded one is taken as it is. */
export async function explore(task: TaskRun): Promise<TrajectorySummary> {
  const { imported, explored } = task.opened;
  task.trajectory ??= imported ?? (explored ? endedAs(task, explored, false) : await rollPolicy(task));
  task.show('explored');
  return task.trajectory;
}

async function rollPolicy(task: TaskRun): Promise<TrajectorySummary> {
  const { input, opened } = task;
  const { runId } = input;
  const cursor = input.cursor?.phase === 'explore' ? input.cursor : { nodeId: opened.rootId, step: 0 };
  let { nodeId, step } = cursor;
  const exploring = exploredIn(input.method, opened.sample);
  const takeStep = stepsAtTheHolder();
  task.status('exploring');
  const roll = async () => {
    while (step < opened.stepLimit) {
      if (step !== cursor.step) await task.continueAsNewIfLong({ phase: 'explore', nodeId, step });
      const where = { runId, nodeId, ...exploring };
      const taken = await takeTurn(step + 1, where, opened.wholeSteps, takeStep);
      if (taken.kind === 'ended') return await recordEnding(task, nodeId, taken.ending, 0, false);
      nodeId = taken.nodeId;
      step = taken.step;
      if (taken.done) return await recordEnding(task, nodeId, 'submitted', taken.reward, taken.success);
      task.stepped(step);
    }
    return await recordEnding(task, nodeId, 'step-limit', 0, false);
  };
  return toTheEnding(task, () => ({ nodeId, step }), false, roll);
}

/** Sends a step to the worker that holds the session, if there is one. When that fails, any worker becomes the new holder. */
function stepsAtTheHolder(): (label: string, input: StepInput) => Promise<StepResult> {
  /** The holder's queue; null if any worker will do. */
  let queue: string | null = null;
  return async (label, input) => {
    let taken: StepResult | null = null;
    if (queue !== null) {
      try {
        taken = await holder(label, queue).environmentStep(input);
      } catch (error) {
        if (isCancellation(error)) throw error;
      }
    }
    taken ??= await agent(label).environmentStep(input);
    queue = taken.holder;
    return taken;
  };
}
