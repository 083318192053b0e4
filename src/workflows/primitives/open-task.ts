import { CancellationScope, isCancellation, patched } from '@temporalio/workflow';
import { type MethodName, methods, type OptionsOf } from '../../domain/methods/index.ts';
import type { OpenedTask, OpenTaskInput, TrajectoryInput } from '../../domain/wire/trajectory.ts';
import { agent } from '../proxies.ts';
import { TaskRun } from './task-run.ts';

/** Opens a task. Where the policy's own trajectory is all that comes next, it is made in the same activity. */
export async function openTask<Name extends MethodName>(
  input: TrajectoryInput & { method: Name },
): Promise<TaskRun<OptionsOf[Name]>> {
  const opened = await openedFor(input);
  // A run's options are those of its method: its configuration made sure of that.
  return new TaskRun(input, opened, opened.options as OptionsOf[Name]);
}

async function openedFor({ runId, position, method, cursor }: TrajectoryInput): Promise<OpenedTask> {
  const { trajectory } = methods[method];
  const explore = cursor === undefined && trajectory !== 'demonstrated';
  const open = (more: Partial<OpenTaskInput>) =>
    CancellationScope.nonCancellable(() => agent('open the task').openTask({ runId, position, ...more }));
  if (!explore || !patched('explored-as-opened')) return open({});
  try {
    return await agent(trajectory === 'constructed' ? 'construct' : 'explore').openTask({ runId, position, explore });
  } catch (error) {
    // Cancelled before a worker took it up, or between two attempts: the task still gets its ending.
    if (isCancellation(error)) return open({ explore, isCancelled: true });
    throw error;
  }
}
