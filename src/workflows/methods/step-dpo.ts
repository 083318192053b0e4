import type { StepDpoOptions } from '../../domain/methods/index.ts';
import type { TaskRun } from '../primitives.ts';
import { firstError } from './first-error.ts';
import { provePreference } from './prove-preference.ts';

/**
 * Step-DPO for agents on one task. Source: ours, after Step-DPO (arXiv 2406.18629); what is ours is said in docs/methods.md. What the paper
 * does is the option `first-error`, and a page of its own.
 *
 * At every step of the trajectory, failed or not, an expert proposes alternatives and a process reward model scores them and the policy's own
 * action. The best of them is preferred to the worst, where they are far enough apart. Nothing is verified, but under `sound`.
 */
export async function stepDpo(task: TaskRun<StepDpoOptions>): Promise<void> {
  if (task.options.select === 'first-error') return firstError(task);
  const trajectory = await task.explore();
  await task.eachStep(trajectory, async (step) => {
    await task.propose(step);
    const { pair } = await task.rank(step);
    if (pair) await provePreference(task, step, pair);
  });
  await task.emitPairs();
}
