import type { RftOptions } from '../../domain/methods/index.ts';
import type { TaskRun } from '../primitives.ts';

/**
 * Rejection-sampling fine-tuning on one task. Source: RFT, as the baseline of ETO (arXiv 2403.02502); which parts are ours is said in
 * docs/methods.md.
 *
 * The policy tries the task N times. What succeeded is kept to be imitated, beside the expert's trajectory.
 */
export async function rft(task: TaskRun<RftOptions>): Promise<void> {
  await task.explore();
  await Promise.all([task.sampleAgain(task.options.trajectories - 1), task.demonstrate()]);
  await task.keepExamples();
}
