import { CancellationScope, ContinueAsNew, continueAsNew, isCancellation } from '@temporalio/workflow';
import { isAtLimit } from '../domain/ending.ts';
import { endingOfFault } from '../domain/fault-ending.ts';
import { streamOf } from '../domain/stream.ts';
import type { BranchCursor, BranchResult, BranchWorkflowInput } from '../domain/wire/branch.ts';
import { isHistoryLong } from './history.ts';
import { agent, bookkeeping, faultOf } from './proxies.ts';
import { takeTurn } from './turn.ts';

/**
 * One branch as a workflow of its own with an activity per call, for users who want to watch it (`granularity: "call"`). It makes the same
 * calls under the same keys as a rollout inside one activity, so the results are the same.
 */
export async function branch(input: BranchWorkflowInput): Promise<BranchResult> {
  const { historyLimit, cursor, ...address } = input;
  const { runId, purpose } = address;
  const stream = streamOf(address);
  let at: BranchCursor = cursor ?? { nodeId: address.nodeId, step: 0, stepLimit: 0, compared: 0 };
  const record = (
    ending: BranchResult['ending'],
    reward: number | null,
    success: boolean | null,
    fault: string | null = null,
  ) => {
    // A success is audited and confirmed, which takes an environment, not only the store.
    const proxy = success === true || isAtLimit(ending) ? agent : bookkeeping;
    return proxy('record the branch').recordBranch({
      ...address,
      leafId: at.nodeId,
      compared: at.compared,
      ending,
      reward,
      success,
      fault,
    });
  };
  try {
    if (!cursor) {
      const { outcome, ...opened } = await agent('restore the state and take the candidate').openBranch(address);
      if (outcome) return outcome;
      at = opened;
    }
    while (at.step < at.stepLimit) {
      if (isHistoryLong(historyLimit) && at.step !== cursor?.step)
        await continueAsNew<typeof branch>({ ...input, cursor: at });
      const { nodeId } = at;
      const where = { runId, nodeId, purpose, stream };
      const taken = await takeTurn(at.step + 1, where, at.wholeSteps, (label, taking) =>
        agent(label).environmentStep(taking),
      );
      if (taken.kind === 'ended') return await record(taken.ending, 0, false);
      at = { ...at, nodeId: taken.nodeId, step: taken.step };
      if (taken.done) return await record('submitted', taken.reward, taken.success);
    }
    return await record('step-limit', 0, false);
  } catch (error) {
    if (error instanceof ContinueAsNew || isCancellation(error)) throw error;
    const fault = faultOf(error);
    const ending = fault && endingOfFault(fault.kind);
    // If the run is out of budget or cancelled, the branch stays open, as in a rollout.
    if (!ending || ending === 'budget' || ending === 'cancelled') throw error;
    return await CancellationScope.nonCancellable(() => record(ending, null, null, fault.message));
  }
}
