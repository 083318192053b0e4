import { ApplicationFailure, patched } from '@temporalio/workflow';
import { isFlagged } from '../../domain/audit-flags.ts';
import type { IprOptions } from '../../domain/methods/index.ts';
import { type Refining, refine } from '../../domain/methods/ipr-step.ts';
import { isStepByStep } from '../../domain/run/run-config.ts';
import { rollingOf } from '../primitives/branch.ts';
import { contrastOutcomes } from '../primitives/contrast-outcomes.ts';
import { demonstrate } from '../primitives/demonstrate.ts';
import { eachStep } from '../primitives/each-step.ts';
import { emitPairs } from '../primitives/emit-pairs.ts';
import { explore } from '../primitives/explore.ts';
import type { TaskRun } from '../primitives/task-run.ts';
import { agent, bookkeeping } from '../proxies.ts';

/**
 * Iterative step-level process refinement on one task. Source: IPR (arXiv 2406.11176); docs/methods.md says which parts are ours.
 *
 * From every state of the expert's trajectory, the policy's continuation is compared with the expert's (ipr-step.ts). From the first state whole
 * trajectories are compared, by their final rewards alone.
 */
export async function ipr(task: TaskRun<IprOptions>): Promise<void> {
  const expert = await demonstrate(task);
  await explore(task);
  if (expert === null) return;
  await contrastOutcomes(task, expert);
  // If the expert's own success is flagged, no rest of it can be compared.
  if (!isFlagged(expert)) {
    const refineStep = stepsOf(task);
    await eachStep(task, expert, async (step) => {
      if (step > 1) await refineStep(step);
    });
  }
  await emitPairs(task);
}

/** A step in one activity, unless it is to be watched, or the run began when steps were several. */
function stepsOf(task: TaskRun<IprOptions>): (step: number) => Promise<void> {
  const isWatched = isStepByStep(task.opened.granularity);
  if (!isWatched && patched('step-refined-at-once')) return (step) => refineAtOnce(task, step);
  const refining = refiningOf(task);
  return (step) => refine(refining, step);
}

async function refineAtOnce(task: TaskRun<IprOptions>, step: number): Promise<void> {
  const { branches, stop } = await task.untilOver(
    task.places.run(() => agent(`step ${step}: refine`).refineStep(task.address(step))),
  );
  task.branches += branches;
  task.show('verifying');
  if (stop) throw ApplicationFailure.nonRetryable(stop.message, stop.kind);
}

/** The steps of IPR, by activities. */
function refiningOf(task: TaskRun<IprOptions>): Refining {
  return {
    ...rollingOf(task),
    options: task.options,
    expertState: (step) => bookkeeping(`step ${step}: state`).expertState(task.address(step)),
    contrastStep: (step) => bookkeeping(`step ${step}: contrast the outcomes`).contrastStep(task.address(step)),
    recordContrast: (contrast) =>
      bookkeeping(`step ${contrast.step}: record the contrast`).recordContrast({
        ...task.address(contrast.step),
        ...contrast,
      }),
  };
}
