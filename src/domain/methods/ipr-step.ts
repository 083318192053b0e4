import type { ContrastInput, StepContrast } from '../wire/ipr.ts';
import type { IprOptions } from './ipr.ts';
import { betterByBoth } from './ipr-rule.ts';
import { type Valuing, value } from './value.ts';
import { verifyValued } from './verify.ts';

/** What IPR does at the steps of an expert's trajectory. A workflow does it by activities; where no step is to be watched, one activity does a step. */
export type Refining = Valuing<IprOptions> & {
  /** Where the expert took the step. */
  expertState(step: number): Promise<{ nodeId: string }>;
  /** Compares the expert's continuation with the policy's, which must be over. */
  contrastStep(step: number): Promise<StepContrast>;
  /** @returns whether the pair is in the seeded sample that is valued again */
  recordContrast(contrast: Contrast): Promise<{ revalue: boolean }>;
};

/** The verdict of the step values at a step of the trajectory. */
export type Contrast = Omit<ContrastInput, 'runId' | 'trajectoryId'>;

/**
 * A step of iterative step-level process refinement. Source: IPR (arXiv 2406.11176); docs/methods.md says which parts are ours.
 *
 * The policy continues from the expert's state to an ending of its own. If the final rewards and the values of the two steps agree on the better
 * continuation, it is preferred.
 */
export async function refine(task: Refining, step: number): Promise<void> {
  const { verdict, nodeId, outcomes, actions } = await goOnFrom(task, step);
  // If the final rewards do not differ, no values can make a pair.
  if (actions === null || (verdict !== 'expert-better' && verdict !== 'policy-better')) return;
  const { expert, policy } = actions;
  const state = { nodeId, step };
  const [ofExpert, ofPolicy] = await Promise.all([
    value(task, state, expert, 'value'),
    value(task, state, policy, 'value'),
  ]);
  const both = betterByBoth(outcomes, { expert: ofExpert, policy: ofPolicy }, task.options.gap);
  const sides = { expertId: expert.candidateId, policyId: policy.candidateId };
  const { revalue } = await task.recordContrast({ ...state, verdict: both, ...sides });
  if (both === 'expert-better') await verifyValued(task, state, expert, policy, revalue);
  if (both === 'policy-better') await verifyValued(task, state, policy, expert, revalue);
}

/** The policy continues from the expert's state; its continuation is compared with the expert's own. */
async function goOnFrom(task: Refining, step: number): Promise<StepContrast> {
  const { nodeId } = await task.expertState(step);
  await task.branches(step, { nodeId, candidateId: '', purpose: 'contrast' }, [0]);
  return task.contrastStep(step);
}
