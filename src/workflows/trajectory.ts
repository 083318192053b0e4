import { CancellationScope, ContinueAsNew, getExternalWorkflowHandle } from '@temporalio/workflow';
import { endingOfFault } from '../domain/fault-ending.ts';
import { type MethodName, methods, type OptionsOf } from '../domain/methods/index.ts';
import { samplingPages } from '../domain/methods/sampling-pages.ts';
import { faultWords, type TrajectoryInput, type TrajectoryResult } from '../domain/wire/trajectory.ts';
import { trajectoryDoneSignal } from './messages.ts';
import { anchor } from './methods/anchor.ts';
import { cso } from './methods/cso.ts';
import { eto } from './methods/eto.ts';
import { ipr } from './methods/ipr.ts';
import { rro } from './methods/rro.ts';
import { stepDpo } from './methods/step-dpo.ts';
import { emitPairs } from './primitives/emit-pairs.ts';
import { finish } from './primitives/finish.ts';
import { keepExamples } from './primitives/keep-examples.ts';
import { openTask } from './primitives/open-task.ts';
import { samplingOf } from './primitives/sampling.ts';
import type { TaskRun } from './primitives/task-run.ts';
import { bookkeeping, faultOf } from './proxies.ts';

/** One page each. */
const pages: { [name in MethodName]: (task: TaskRun<OptionsOf[name]>) => Promise<void> } = {
  cso,
  rro,
  ipr,
  eto,
  'step-dpo': stepDpo,
  anchor,
  rft: (task) => samplingPages.rft(samplingOf(task), task.options),
  sft: (task) => samplingPages.sft(samplingOf(task), task.options),
  evaluate: (task) => samplingPages.evaluate(samplingOf(task), task.options),
};

/**
 * One trajectory's whole life, by its method. Under CSO: explore and judge; if it failed, find critical steps, branch, verify, emit pairs.
 * The trajectory always reports to its campaign. The workflow itself fails only for a defect.
 */
export async function trajectory(input: TrajectoryInput): Promise<TrajectoryResult> {
  try {
    const task = await openTask(input);
    const result = await mine(input.method, task);
    await tell(input, result);
    return result;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const fault = faultOf(error);
    const ending = fault && endingOfFault(fault.kind);
    const { runId, position } = input;
    const lost = { runId, position, ending: ending ?? 'cancelled', fault: fault && faultWords(fault) };
    const result = await CancellationScope.nonCancellable(() => bookkeeping('give the task up').loseTask(lost));
    await tell(input, result);
    if (ending === null) throw error;
    return result;
  }
}

async function mine<Name extends MethodName>(method: Name, task: TaskRun<OptionsOf[Name]>): Promise<TrajectoryResult> {
  try {
    await pages[method](task);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    await task.cutShort(error);
  }
  return CancellationScope.nonCancellable(async () => {
    // What was verified before the stop is still proof.
    if (task.wasCutShort) await (methods[method].gives === 'examples' ? keepExamples(task) : emitPairs(task));
    return finish(task);
  });
}

/** A campaign that is gone finds the result in the store. */
async function tell({ campaignId }: TrajectoryInput, result: TrajectoryResult): Promise<void> {
  if (campaignId === null) return;
  try {
    await CancellationScope.nonCancellable(() =>
      getExternalWorkflowHandle(campaignId).signal(trajectoryDoneSignal, result),
    );
  } catch {
    // See above.
  }
}
