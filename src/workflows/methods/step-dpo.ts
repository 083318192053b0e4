import type { StepDpoOptions } from '../../domain/run-config.ts';
import type { TaskRun } from '../primitives.ts';

/**
 * Step-DPO for agents on one task. Source: ours, after Step-DPO (arXiv 2406.18629); what is ours is said in docs/methods.md.
 *
 * At every step of the trajectory, failed or not, an expert proposes alternatives and a process reward model scores them and the policy's own
 * action. The best of them is preferred to the worst, where they are far enough apart. Nothing is verified.
 */
export async function stepDpo(task: TaskRun<StepDpoOptions>): Promise<void> {
  const trajectory = await task.explore();
  await task.eachStep(trajectory, async (step) => {
    await task.propose(step);
    await task.rank(step);
  });
  await task.emitPairs();
}
