import { countedReward } from '../audit-flags.ts';
import type { DrawnAction } from '../wire/action.ts';
import type { BranchResult } from '../wire/branch.ts';
import type { IprOptions } from './ipr.ts';
import type { Rolling, StepState } from './rolling.ts';
import type { RroOptions } from './rro.ts';
import { isBetterBy, meanReward, valueAtBest } from './rro-rule.ts';

/** A task whose steps are valued. */
export type Valuing<Options extends RroOptions | IprOptions = RroOptions | IprOptions> = Rolling & {
  readonly options: Options;
};

/**
 * Value of an action in a state, or of the state itself: mean outcome reward of m rollouts by the policy; the outcome itself if the action
 * ends the task, unless that is a flagged success. Source: RRO (arXiv 2505.20737), process reward by Monte Carlo.
 * @returns in [0, 1]; null when no rollout gave an outcome
 */
export async function value(
  task: Valuing,
  { nodeId, step }: StepState,
  action: DrawnAction | null,
  purpose: 'value' | 're-value' | 're-estimate',
): Promise<number | null> {
  if (action?.ending) return countedReward(action);
  const candidate = { nodeId, candidateId: action?.candidateId ?? '', purpose };
  return meanReward(await task.rollOutAll(step, candidate, task.options.rollouts));
}

/**
 * Value of an action as in `value`, two rollouts at a time. Gives up as soon as the value cannot end above `beat`.
 * @returns if it was given up, the value at best
 */
export async function valueUnlessBeaten(
  task: Valuing,
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
    results.push(...(await task.branches(step, candidate, pair)));
    const atBest = valueAtBest(results, planned);
    if (results.length < planned && atBest !== null && !isBetterBy(atBest, beat, 0))
      return { value: atBest, isBound: true };
  }
  return { value: meanReward(results), isBound: false };
}
