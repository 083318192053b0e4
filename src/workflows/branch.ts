import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { endingOfFault } from '../domain/fault-ending.ts';
import type { BranchInput, BranchResult } from '../domain/wire.ts';
import { agent, bookkeeping, faultOf } from './proxies.ts';

/**
 * One branch as a workflow of its own, an activity per call, for those who want to watch it (`granularity: "call"`). It makes the same
 * calls under the same keys as a rollout inside one activity, so the results are the same.
 */
export async function branch(input: BranchInput): Promise<BranchResult> {
  const { runId, purpose } = input;
  const stream = `${input.nodeId}/${input.candidateId}/${input.rollout}`;
  const opened = await agent('restore the state and take the candidate').openBranch(input);
  if (opened.outcome) return opened.outcome;
  let { nodeId, step } = opened;
  const record = (ending: BranchResult['ending'], reward: number | null, success: boolean | null, fault: string | null = null) =>
    bookkeeping('record the branch').recordBranch({ ...input, leafId: nodeId, ending, reward, success, fault });
  try {
    while (step < opened.stepLimit) {
      const turn = await agent(`step ${step + 1}: policy`).callPolicy({ runId, nodeId, purpose, stream });
      if (turn.kind === 'ended') return await record(turn.ending, 0, false);
      const { answerKey, tool } = turn;
      const taken = await agent(`step ${step + 1}: ${tool ?? 'malformed action'}`).environmentStep({ runId, nodeId, answerKey });
      nodeId = taken.nodeId;
      step = taken.step;
      if (taken.done) return await record('submitted', taken.reward, taken.success);
    }
    return await record('step-limit', 0, false);
  } catch (error) {
    const fault = faultOf(error);
    const ending = fault && endingOfFault(fault.kind);
    // Out of budget or cancelled, the branch stays open, as in a rollout.
    if (isCancellation(error) || !ending || ending === 'budget' || ending === 'cancelled') throw error;
    return await CancellationScope.nonCancellable(() => record(ending, null, null, fault.message));
  }
}
