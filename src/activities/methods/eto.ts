/** Activities of ETO, and of IPR where both do the same: find where the policy's trajectory parts from the expert's, and which of them did better. */

import type { AssistantMessage } from '../../domain/message.ts';
import { contrastVerdict } from '../../domain/methods/eto-rule.ts';
import type { ContrastVerdict } from '../../domain/methods/ipr-rule.ts';
import type { NewStep } from '../../domain/step.ts';
import type { OutcomeContrast } from '../../domain/wire/eto.ts';
import type { StepAddress } from '../../domain/wire/trajectory.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { candidateOf, trajectoryOf } from '../acting/candidates.ts';
import { isRevalued } from '../acting/revalued.ts';
import { trajectoryId } from '../acting/trajectory-id.ts';
import type { ActivityContext } from '../runtime/context.ts';

export function etoActivities(context: ActivityContext) {
  const { store } = context;

  /** Compares whole trajectories by their final rewards. Their common beginning says nothing: the pair begins where they part. */
  async function contrastOutcomes({
    runId,
    trajectoryId: expertId,
  }: Omit<StepAddress, 'step'>): Promise<OutcomeContrast> {
    const run = await store.runs.get(runId);
    const expert = await trajectoryOf(context, runId, expertId);
    const own = await trajectoryOf(context, runId, trajectoryId(run, expert.taskId, expert.sample));
    const verdict = contrastVerdict(expert, own, 0);
    const [expertPath, ownPath] = [await store.tree.path(expert.leafId), await store.tree.path(own.leafId)];
    const shared = expertPath.findLastIndex((state, index) => state.id === ownPath[index]?.id);
    const [expertNext, ownNext] = [expertPath[shared + 1], ownPath[shared + 1]];
    const state = expertPath[shared]!;
    // If one side continues where the other stopped (refused, out of tokens), there are no two actions to compare.
    const comparable = expertNext !== undefined && ownNext !== undefined;
    const sides = comparable
      ? await contrastedActions(context, run, state, {
          expert: { message: expertNext.assistant!, model: expert.model },
          policy: { message: ownNext.assistant!, model: own.model },
        })
      : null;
    await store.findings.addStep({
      ...{ runId, trajectoryId: expertId, step: 1, nodeId: state.id, verdict: sides ? verdict : 'unknown' },
      ...(sides && contrasted(verdict, sides.expert.id, sides.policy.id)),
    });
    const isPair = sides !== null && (verdict === 'expert-better' || verdict === 'policy-better');
    return { verdict, revalue: isPair && isRevalued(run, state.id) };
  }

  return { contrastOutcomes };
}

/** Both actions as candidates of the state. */
export async function contrastedActions(
  context: ActivityContext,
  run: Run,
  state: State,
  sides: { [side in 'expert' | 'policy']: { message: AssistantMessage; model: string } },
) {
  const candidate = (source: 'expert' | 'policy', position: number) =>
    candidateOf(context, state, sides[source].message, {
      run,
      source,
      model: sides[source].model,
      position,
    });
  const both = { expert: candidate('expert', -1), policy: candidate('policy', 0) };
  await context.store.findings.addCandidates([both.policy, both.expert]);
  return both;
}

/** The actions of a contrast's step: the trajectory is the expert's, and the verdict says which side of the pair that is. */
export function contrasted(
  verdict: ContrastVerdict,
  expertId: string,
  policyId: string,
): Pick<NewStep, 'ownId' | 'chosenId' | 'rejectedId'> {
  if (verdict === 'expert-better') return { ownId: expertId, chosenId: expertId, rejectedId: policyId };
  if (verdict === 'policy-better') return { ownId: expertId, chosenId: policyId, rejectedId: expertId };
  return { ownId: expertId };
}
