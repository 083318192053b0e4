import type { CsoOptions, StepDpoOptions } from '../../domain/methods/index.ts';
import { agent } from '../proxies.ts';
import type { TaskRun } from './task-run.ts';

/** Draws alternatives at a step. @returns how many different ones there are */
export async function propose(task: TaskRun<CsoOptions | StepDpoOptions>, step: number): Promise<number> {
  const { alternatives: count } = task.options;
  const { alternatives } = await task.places.run(() =>
    agent(`step ${step}: propose ${count} alternatives`).proposeAlternatives(task.address(step)),
  );
  return alternatives;
}
