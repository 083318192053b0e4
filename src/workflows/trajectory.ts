import { CancellationScope, ContinueAsNew, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { TrajectoryInput, TrajectoryResult } from '../domain/wire.ts';
import { trajectoryDoneSignal } from './messages.ts';
import { cso } from './methods/cso.ts';
import { TaskRun } from './primitives.ts';

const methods = { cso };

/** One trajectory's whole life: explore, judge, and if it failed: find critical steps, branch, verify, emit pairs. */
export async function trajectory(input: TrajectoryInput): Promise<TrajectoryResult> {
  const task = await TaskRun.open(input);
  try {
    await methods[input.method](task);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    task.stop(error);
  }
  return CancellationScope.nonCancellable(async () => {
    // What was verified before the stop is proof all the same.
    if (task.wasCutShort) await task.emitPairs();
    const result = await task.finish();
    if (input.campaignId !== null) await tell(input.campaignId, result);
    return result;
  });
}

/** A campaign that is gone finds the result in the store. */
async function tell(campaignId: string, result: TrajectoryResult): Promise<void> {
  try {
    await getExternalWorkflowHandle(campaignId).signal(trajectoryDoneSignal, result);
  } catch {
    // See above.
  }
}
