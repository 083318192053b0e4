/** Activities of IPR: compare the policy's continuation from each of the expert's states with the expert's own. */

import type { Ending } from '../../domain/ending.ts';
import { contrastVerdict, type Finished } from '../../domain/methods/eto-rule.ts';
import type { DrawnAction } from '../../domain/wire/action.ts';
import type { ContrastInput, StepContrast } from '../../domain/wire/ipr.ts';
import type { StepAddress } from '../../domain/wire/trajectory.ts';
import type { State } from '../../store/tree.ts';
import { trajectoryStep } from '../acting/candidates.ts';
import { isRevalued } from '../acting/revalued.ts';
import { whySame } from '../acting/sameness.ts';
import { firstBranchId } from '../branches.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { contrasted, contrastedActions } from './eto.ts';

/** A continuation from a state to an ending. */
type Way = Finished & { leafId: string; ending: Ending; model: string };

export function iprActivities(context: ActivityContext) {
  const { store } = context;

  /** Where the expert took its step. */
  async function expertState(address: StepAddress): Promise<{ nodeId: string }> {
    const { state } = await trajectoryStep(context, address);
    return { nodeId: state.id };
  }

  /** Compares the expert's continuation from its state s_t with the policy's, and stores their actions there. The policy's branch must be over. */
  async function contrastStep(address: StepAddress, signal: AbortSignal): Promise<StepContrast> {
    const run = await store.runs.get(address.runId);
    const { trajectory, state, message } = await trajectoryStep(context, address);
    const branch = await store.findings.branch(run.id, firstBranchId(state.id, '', 'contrast'));
    if (!branch) throw new Error(`Run ${run.id} has no contrast from state ${state.id}.`);
    const ways = {
      expert: wayOf(trajectory),
      policy: wayOf({ ...branch, model: run.config.models.policy.model }),
    };
    const gap = 'gap' in run.config.options ? run.config.options.gap : 0;
    const outcomes = { expert: ways.expert.reward, policy: ways.policy.reward };
    const verdict = contrastVerdict(ways.expert, ways.policy, gap);
    const next = (await store.tree.path(branch.leafId))[address.step];
    const place = { ...address, nodeId: state.id };
    if (!next) {
      await store.findings.addStep({ ...place, verdict: 'unknown' });
      return { verdict: 'unknown', nodeId: state.id, outcomes, actions: null };
    }
    const sides = await contrastedActions(context, run, state, {
      expert: { message, model: ways.expert.model },
      policy: { message: next.assistant!, model: ways.policy.model },
    });
    const sameness = await whySame(context, run, state, [sides.expert, sides.policy], signal);
    const isSame = sameness !== null;
    if (isSame || (verdict !== 'expert-better' && verdict !== 'policy-better')) {
      await store.findings.addStep({
        ...place,
        verdict: sameness ?? verdict,
        ownId: sides.expert.id,
      });
    }
    const expertNext = (await store.tree.path(trajectory.leafId))[address.step]!;
    const actions = {
      expert: drawnAction(sides.expert.id, expertNext, ways.expert),
      policy: drawnAction(sides.policy.id, next, ways.policy),
    };
    return { verdict, nodeId: state.id, outcomes, actions: isSame ? null : actions };
  }

  /** Records the verdict of the step values on a contrast. @returns whether its pair is in the seeded sample that is valued again */
  async function recordContrast(contrast: ContrastInput): Promise<{ revalue: boolean }> {
    const run = await store.runs.get(contrast.runId);
    await store.findings.addStep({
      runId: contrast.runId,
      trajectoryId: contrast.trajectoryId,
      step: contrast.step,
      nodeId: contrast.nodeId,
      verdict: contrast.verdict,
      ...contrasted(contrast.verdict, contrast.expertId, contrast.policyId),
    });
    const isPair = contrast.verdict === 'expert-better' || contrast.verdict === 'policy-better';
    return { revalue: isPair && isRevalued(run, contrast.nodeId) };
  }

  return {
    expertState,
    contrastStep,
    recordContrast,
  };
}

function wayOf({ leafId, ending, reward, success, confirmed, auditFlags, model }: Way): Way {
  return { leafId, ending, reward, success, confirmed, auditFlags, model };
}

/** An action of a continuation. @param next the state that it led to */
function drawnAction(candidateId: string, next: State, way: Way): DrawnAction {
  const isLast = next.id === way.leafId;
  return {
    candidateId,
    equality: candidateId,
    nodeId: next.id,
    done: isLast,
    ending: isLast ? way.ending : null,
    reward: isLast ? way.reward : null,
    success: isLast ? way.success : null,
  };
}
