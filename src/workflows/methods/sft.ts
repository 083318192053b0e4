import type { SftOptions } from '../../domain/methods/index.ts';
import type { TaskRun } from '../primitives.ts';

/** Supervised fine-tuning on one task: the expert's trajectory is kept to be imitated. The policy does nothing. */
export async function sft(task: TaskRun<SftOptions>): Promise<void> {
  await task.demonstrate();
  await task.keepExamples();
}
