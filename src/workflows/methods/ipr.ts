import { isFlagged } from '../../domain/audit-flags.ts';
import type { IprOptions } from '../../domain/methods/index.ts';
import { betterByBoth } from '../../domain/methods/ipr-rule.ts';
import { value } from '../../domain/methods/value.ts';
import { verifyValued } from '../../domain/methods/verify.ts';
import { branch, rollingOf } from '../primitives/branch.ts';
import { contrastOutcomes } from '../primitives/contrast-outcomes.ts';
import { demonstrate } from '../primitives/demonstrate.ts';
import { eachStep } from '../primitives/each-step.ts';
import { emitPairs } from '../primitives/emit-pairs.ts';
import { explore } from '../primitives/explore.ts';
import type { TaskRun } from '../primitives/task-run.ts';
import { bookkeeping } from '../proxies.ts';

/**
 * Iterative step-level process refinement on one task. Source: IPR (arXiv 2406.11176); docs/methods.md says which parts are ours.
 *
 * From every state of the expert's trajectory, the policy continues to an ending of its own. If the final rewards and the values of the two
 * steps agree on the better continuation, it is preferred. From the first state whole trajectories are compared, by their final rewards
 * alone.
 */
export async function ipr(task: TaskRun<IprOptions>): Promise<void> {
  const expert = await demonstrate(task);
  await explore(task);
  if (expert === null) return;
  await contrastOutcomes(task, expert);
  // If the expert's own success is flagged, no rest of it can be compared.
  if (!isFlagged(expert)) await eachStep(task, expert, (step) => contrastStep(task, step));
  await emitPairs(task);
}

async function contrastStep(task: TaskRun<IprOptions>, step: number): Promise<void> {
  if (step === 1) return;
  const { verdict, nodeId, outcomes, actions } = await goOnFrom(task, step);
  // If the final rewards do not differ, no values can make a pair.
  if (actions === null || (verdict !== 'expert-better' && verdict !== 'policy-better')) return;
  const { expert, policy } = actions;
  const state = { nodeId, step };
  const valuing = { ...rollingOf(task), options: task.options };
  const [ofExpert, ofPolicy] = await Promise.all([
    value(valuing, state, expert, 'value'),
    value(valuing, state, policy, 'value'),
  ]);
  const both = betterByBoth(outcomes, { expert: ofExpert, policy: ofPolicy }, task.options.gap);
  const { revalue } = await bookkeeping(`step ${step}: record the contrast`).recordContrast({
    ...task.address(step),
    nodeId,
    verdict: both,
    expertId: expert.candidateId,
    policyId: policy.candidateId,
  });
  if (both === 'expert-better') await verifyValued(valuing, state, expert, policy, revalue);
  if (both === 'policy-better') await verifyValued(valuing, state, policy, expert, revalue);
}

/** The policy continues from the expert's state; its continuation is compared with the expert's own. */
async function goOnFrom(task: TaskRun<IprOptions>, step: number) {
  const { nodeId } = await bookkeeping(`step ${step}: state`).expertState(task.address(step));
  await branch(task, step, { nodeId, candidateId: '', purpose: 'contrast', rollout: 0 });
  return bookkeeping(`step ${step}: contrast the outcomes`).contrastStep(task.address(step));
}
