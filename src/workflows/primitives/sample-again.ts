import { numbers } from '../../domain/methods/rolling.ts';
import { fromTheStart } from './branch.ts';
import type { TaskRun } from './task-run.ts';

/** More trajectories of the policy, numbered from 1: the first one is its own. */
export async function sampleAgain(task: TaskRun, count: number): Promise<void> {
  task.status('sampling');
  await fromTheStart(
    task,
    'sample',
    numbers(count).map((index) => index + 1),
  );
}
