import { isPolicyFailure } from '../../domain/ending.ts';
import type { StepDpoOptions } from '../../domain/methods/index.ts';
import type { TaskRun } from '../primitives.ts';
import { provePreference } from './prove-preference.ts';

/**
 * Step-DPO as published, on one task. Source: Step-DPO (arXiv 2406.18629); which parts are ours is said in docs/methods.md.
 *
 * A judge reads a failed trajectory and names its first wrong step. In the state before it the policy, and nobody else, draws its action anew and
 * goes on from there, many times. The first action after which it succeeds is preferred to the one that went wrong.
 */
export async function firstError(task: TaskRun<StepDpoOptions>): Promise<void> {
  const trajectory = await task.explore();
  if (!isPolicyFailure(trajectory) || trajectory.steps === 0) return;
  const { step: wrongStep } = await task.locateError(trajectory);
  if (wrongStep === null) return;
  await task.eachStep(trajectory, async (step) => {
    if (step === wrongStep) await correct(task, step);
  });
  await task.emitPairs();
}

/** All resamples at once [P]; the first by number counts, whoever is over first. */
async function correct(task: TaskRun<StepDpoOptions>, step: number): Promise<void> {
  const { nodeId, draws } = await task.resample(step);
  await Promise.all(
    draws.map(async (candidateId, rollout) => {
      if (candidateId !== null) await task.branch(step, { nodeId, candidateId, purpose: 'resample', rollout });
    }),
  );
  const { pair } = await task.recordCorrection(step, draws);
  if (pair) await provePreference(task, step, pair);
}
