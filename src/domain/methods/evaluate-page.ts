import type { Sampling } from './sampling.ts';

/** Evaluates the policy on one sample of a task: its own trajectory, made for this purpose alone, and nothing more. */
export async function evaluate(task: Sampling): Promise<void> {
  await task.explore();
}
