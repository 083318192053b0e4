import { isPolicyFailure } from '../../domain/ending.ts';
import type { StepDpoOptions } from '../../domain/methods/index.ts';
import { bearOut } from '../primitives/bear-out.ts';
import { branch } from '../primitives/branch.ts';
import { eachStep } from '../primitives/each-step.ts';
import { emitPairs } from '../primitives/emit-pairs.ts';
import { explore } from '../primitives/explore.ts';
import { propose } from '../primitives/propose.ts';
import type { TaskRun } from '../primitives/task-run.ts';
import { agent, bookkeeping } from '../proxies.ts';

/**
 * Step-DPO for agents on one task. Source: ours, after Step-DPO (arXiv 2406.18629); docs/methods.md says what is ours. The option
 * `first-error`, below, is what the paper does.
 *
 * At every step of the trajectory, failed or not, an expert proposes alternatives and a process reward model scores them and the policy's own
 * action. The best of them is preferred to the worst, if they are far enough apart. Nothing is verified, except under `sound`.
 */
export async function stepDpo(task: TaskRun<StepDpoOptions>): Promise<void> {
  if (task.options.select === 'first-error') return firstError(task);
  const trajectory = await explore(task);
  await eachStep(task, trajectory, async (step) => {
    await propose(task, step);
    const { pair } = await task.places.run(() =>
      agent(`step ${step}: score the actions`).rankCandidates(task.address(step)),
    );
    if (pair) await bearOut(task, step, pair);
  });
  await emitPairs(task);
}

/**
 * Step-DPO as published, on one task. Source: Step-DPO (arXiv 2406.18629); docs/methods.md says which parts are ours.
 *
 * A judge reads a failed trajectory and names its first wrong step. In the state before it, the policy itself draws its action anew and
 * continues from there, many times. The first action after which it succeeds is preferred to the one that went wrong.
 */
async function firstError(task: TaskRun<StepDpoOptions>): Promise<void> {
  const trajectory = await explore(task);
  if (!isPolicyFailure(trajectory) || trajectory.steps === 0) return;
  const { runId } = task.input;
  const { trajectoryId } = trajectory;
  const { step: wrongStep } = await task.places.run(() =>
    agent('locate the first wrong step').locateError({ runId, trajectoryId }),
  );
  if (wrongStep === null) return;
  await eachStep(task, trajectory, async (step) => {
    if (step === wrongStep) await correct(task, step);
  });
  await emitPairs(task);
}

/** All resamples at once [P]; the first by number counts, whichever ends first. */
async function correct(task: TaskRun<StepDpoOptions>, step: number): Promise<void> {
  const { nodeId, draws } = await task.places.run(() =>
    agent(`step ${step}: draw the action anew`).resampleStep(task.address(step)),
  );
  await Promise.all(
    draws.map(async (candidateId, rollout) => {
      if (candidateId !== null) await branch(task, step, { nodeId, candidateId, purpose: 'resample', rollout });
    }),
  );
  const { pair } = await bookkeeping(`step ${step}: record the correction`).recordCorrection({
    ...task.address(step),
    draws,
  });
  if (pair) await bearOut(task, step, pair);
}
