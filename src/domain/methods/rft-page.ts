import type { RftOptions } from './rft.ts';
import type { Sampling } from './sampling.ts';

/**
 * Rejection-sampling fine-tuning on one task. Source: RFT, as the baseline of ETO (arXiv 2403.02502); docs/methods.md says which parts are
 * ours.
 *
 * The policy tries the task N times. Its successes are kept to be imitated, besides the expert's trajectory.
 */
export async function rft(task: Sampling, { trajectories }: RftOptions): Promise<void> {
  await task.explore();
  await Promise.all([task.sampleAgain(trajectories - 1), task.demonstrate()]);
  await task.keepExamples();
}
