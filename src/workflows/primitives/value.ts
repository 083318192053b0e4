import { countedReward } from '../../domain/audit-flags.ts';
import type { IprOptions, RroOptions } from '../../domain/methods/index.ts';
import { isBetterBy, meanReward, valueAtBest } from '../../domain/methods/rro-rule.ts';
import { isStepByStep } from '../../domain/run/run-config.ts';
import type { DrawnAction } from '../../domain/wire/action.ts';
import type { BranchResult } from '../../domain/wire/branch.ts';
import { agent } from '../proxies.ts';
import { type Branched, branches, numbers } from './branch.ts';
import type { StepState, TaskRun } from './task-run.ts';

type ValuingTask = TaskRun<RroOptions | IprOptions>;

/**
 * Value of an action in a state, or of the state itself: mean outcome reward of m rollouts by the policy; the outcome itself if the action
 * ends the task, unless that is a flagged success. Source: RRO (arXiv 2505.20737), process reward by Monte Carlo.
 * @returns in [0, 1]; null when no rollout gave an outcome
 */
export async function value(
  task: ValuingTask,
  { nodeId, step }: StepState,
  action: DrawnAction | null,
  purpose: 'value' | 're-value' | 're-estimate',
): Promise<number | null> {
  if (action?.ending) return countedReward(action);
  const candidate = { nodeId, candidateId: action?.candidateId ?? '', purpose };
  if (!isStepByStep(task.opened.granularity)) return meanReward(await rollOutAll(task, step, candidate));
  return meanReward(await branches(task, step, candidate, numbers(task.options.rollouts)));
}

/**
 * Value of an action as in `value`, two rollouts at a time. Gives up as soon as the value cannot end above `beat`.
 * @returns if it was given up, the value at best
 */
export async function valueUnlessBeaten(
  task: ValuingTask,
  { nodeId, step }: StepState,
  action: DrawnAction,
  beat: number,
): Promise<{ value: number | null; isBound: boolean }> {
  if (action.ending) return { value: countedReward(action), isBound: false };
  const planned = task.options.rollouts;
  const candidate = { nodeId, candidateId: action.candidateId, purpose: 'value' as const };
  const results: BranchResult[] = [];
  while (results.length < planned) {
    const pair = [results.length, results.length + 1].filter((rollout) => rollout < planned);
    results.push(...(await branches(task, step, candidate, pair)));
    const atBest = valueAtBest(results, planned);
    if (results.length < planned && atBest !== null && !isBetterBy(atBest, beat, 0))
      return { value: atBest, isBound: true };
  }
  return { value: meanReward(results), isBound: false };
}

/** The m rollouts of a value in one activity: they are short, so one activity for each would cost as much as they do. */
async function rollOutAll(task: ValuingTask, step: number, candidate: Branched): Promise<BranchResult[]> {
  const { runId, trajectoryId } = task.address(step);
  const to = task.options.rollouts;
  const label = `step ${step}: ${candidate.purpose} ${candidate.candidateId.slice(0, 8)} #0–${to - 1}`;
  const results = await task.untilOver(
    task.places.run(() => agent(label).rollOutAll({ runId, trajectoryId, ...candidate, from: 0, to })),
  );
  task.branches += to;
  task.show('verifying');
  return results;
}
