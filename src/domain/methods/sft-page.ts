import type { Sampling } from './sampling.ts';

/** Supervised fine-tuning on one task: the expert's trajectory is kept to be imitated. The policy does nothing. */
export async function sft(task: Sampling): Promise<void> {
  await task.demonstrate();
  await task.keepExamples();
}
