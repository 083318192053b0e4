/** Activities of the campaign: which tasks come next, which are settled, how the run stands. */
import { Context } from '@temporalio/activity';
import type { Ending } from '../domain/ending.ts';
import { addResult, emptyCounts } from '../domain/run/campaign-counts.ts';
import { retunedCeilings } from '../domain/run/ceilings.ts';
import { askedModels, isHeld, type RunState } from '../domain/run/run-config.ts';
import { isPlayedInSlots } from '../domain/run/slots.ts';
import type {
  CampaignCounts,
  ControlInput,
  FinishedRun,
  LoseTaskInput,
  NextTask,
  OpenedCampaign,
  Settled,
  SettledTask,
  Stock,
} from '../domain/wire/campaign.ts';
import type { TrajectoryResult } from '../domain/wire/trajectory.ts';
import { CruxError } from '../errors.ts';
import { checkCeilings } from '../models/limits/ceiling-needs.ts';
import type { Run, RunTask } from '../store/runs.ts';
import { statusOf } from '../temporal/workflow-status.ts';
import { slugOf, workflowIdOf } from './acting/trajectory-id.ts';
import type { ActivityContext } from './runtime/context.ts';

const rowsPerLook = 500;

export function campaignActivities(context: ActivityContext) {
  const { store, environments } = context;

  /**
   * The next unfinished tasks of a run, from a position on. A cancelled run has none, even if only the store knows that it is cancelled.
   * @returns at most `limit` tasks, and the position after the last one that was looked at; `from` when there are no more
   */
  async function nextTasks(input: {
    runId: string;
    from: number;
    limit: number;
  }): Promise<{ tasks: NextTask[]; next: number }> {
    const run = await store.runs.get(input.runId);
    if (run.state === 'cancelled') return { tasks: [], next: input.from };
    const tasks: NextTask[] = [];
    let next = input.from;
    // Reads as many as are wanted, usually one. Reads more at once only if many are done already.
    for (let limit = Math.min(input.limit, rowsPerLook); ; limit = Math.min(2 * limit, rowsPerLook)) {
      const rows = await store.runs.tasks(input.runId, { from: next, limit });
      for (const row of rows) {
        if (tasks.length === input.limit) return { tasks, next };
        if (row.state === 'waiting') tasks.push(await nextTask(run, row));
        next = row.position + 1;
      }
      if (rows.length < limit || tasks.length === input.limit) return { tasks, next };
    }
  }

  async function nextTask(run: Run, task: RunTask): Promise<NextTask> {
    const { taskId, position } = task;
    const title = task.title ?? (await titleOf(run, taskId));
    const short = title.length > 80 ? `${title.slice(0, 79)}…` : title;
    return { position, workflowId: workflowIdOf(run, task), taskId: slugOf(taskId), title: short };
  }

  /** For runs from earlier versions, whose rows have none. A task that is not there any more is lost when it is opened, and not here with its run. */
  async function titleOf({ environment }: Run, taskId: string): Promise<string> {
    try {
      return (await environments.task(environment, taskId)).title;
    } catch (error) {
      if (error instanceof CruxError && error.kind === 'User.NotFound') return taskId;
      throw error;
    }
  }

  /**
   * The stored state of a run when its campaign starts.
   * @param isContinued whether the campaign has its counts already; they are then left out, because counting reads all tasks
   */
  async function openCampaign({
    runId,
    isContinued = false,
  }: {
    runId: string;
    isContinued?: boolean;
  }): Promise<OpenedCampaign> {
    const { state, environment, config } = await store.runs.get(runId);
    const counts = isContinued ? emptyCounts(0) : await countResults(runId);
    const inSlots = isPlayedInSlots(config);
    // Slots of an earlier campaign are at work no more.
    if (inSlots && !isContinued) await store.runs.freeTasks(runId);
    // The control row holds back calls and tasks. The campaign itself does not wait, and needs no message when they continue.
    return { counts, state: isHeld(state) ? 'running' : state, environment, ...(inSlots && { inSlots }) };
  }

  async function countResults(runId: string): Promise<CampaignCounts> {
    return (await countFrom(runId, null)).counts;
  }

  /** Counts results on from those that are settled; null if none are known to be. */
  async function countFrom(runId: string, settled: Settled | null): Promise<Omit<Stock, 'inFlight'>> {
    let known = settled ?? { from: 0, counts: emptyCounts((await store.runs.countTasks(runId)).total) };
    let { from, counts } = known;
    for (;;) {
      const rows = await store.runs.tasks(runId, { from, limit: rowsPerLook });
      for (const { position, result } of rows) {
        if (result !== null) counts = addResult(counts, result);
        if (result !== null && known.from === position) known = { from: position + 1, counts };
      }
      if (rows.length < rowsPerLook) return { counts, settled: known };
      from = rows.at(-1)!.position + 1;
    }
  }

  /** How a run stands whose tasks are in slots. @param settled what the last answer said of it */
  async function takeStock({ runId, settled }: { runId: string; settled: Settled | null }): Promise<Stock> {
    return { ...(await countFrom(runId, settled)), inFlight: (await store.runs.takenTasks(runId)).length };
  }

  /** A trajectory writes its result to the store before it reports it to the campaign. */
  async function finishTask({ runId, result }: { runId: string; result: TrajectoryResult }): Promise<void> {
    await store.runs.finishTask(runId, result.position, result);
  }

  /**
   * Finds which of the tasks in flight are over: asks the store first, then Temporal. A lost signal or a terminated workflow must not hold a
   * place for ever. A workflow that ended without a result counts as a fault, and is recorded as one.
   */
  async function settleTasks(input: {
    runId: string;
    inFlight: { position: number; workflowId: string }[];
  }): Promise<SettledTask[]> {
    const { runId } = input;
    const settled: SettledTask[] = [];
    for (const { position, workflowId } of input.inFlight) {
      const stored = await store.runs.task(runId, position);
      const result = stored.result ?? (await resultOfClosed(runId, position, workflowId));
      if (result) settled.push({ position, result });
    }
    return settled;
  }

  /** @returns null while the workflow runs */
  async function resultOfClosed(runId: string, position: number, workflowId: string): Promise<TrajectoryResult | null> {
    const handle = Context.current().client.workflow.getHandle(workflowId);
    const status = await statusOf(handle);
    if (status === 'COMPLETED') return handle.result() as Promise<TrajectoryResult>;
    if (status !== null && !endedWithoutResult.has(status)) return null;
    const fault = `Workflow.${status ?? 'NotFound'}: the trajectory's workflow ended without a result`;
    return loseTask({ runId, position, ending: 'cancelled', fault });
  }

  /** Records that a task's workflow ended without a result of its own, unless there is one by now. */
  async function loseTask({ runId, position, ending, fault = null }: LoseTaskInput): Promise<TrajectoryResult> {
    const { taskId } = await store.runs.task(runId, position);
    return store.runs.loseTask(runId, lostResult(position, taskId, ending, fault));
  }

  /** Writes an order of the user, unless the run is over by what the store knows. */
  async function writeControl({ runId, state, ceilings }: ControlInput): Promise<void> {
    if (ceilings) {
      const run = await store.runs.get(runId);
      const retuned = retunedCeilings(run.ceilings, ceilings);
      checkCeilings(askedModels(run.config), retuned);
      await store.runs.setControl(runId, { ceilings: retuned });
      // New ceilings wake only a run that its old ones ended: a user who paused a run did so for another reason.
      if (run.state !== 'budget') return;
    }
    if (state === 'running' || state === 'paused' || state === 'cancelled') await store.runs.steer(runId, state);
  }

  /**
   * @returns what the run found, and its state. Both come from the store: a task that ended while the campaign took stock is in no other
   * count, and the run may have been cancelled while the campaign could not be reached
   */
  async function finishRun({ runId, state }: { runId: string; state: RunState }): Promise<FinishedRun> {
    const counts = await countResults(runId);
    await store.runs.finish(runId, state);
    return { ...counts, state: (await store.runs.get(runId)).state };
  }

  return {
    nextTasks,
    openCampaign,
    finishTask,
    settleTasks,
    takeStock,
    loseTask,
    writeControl,
    finishRun,
  };
}

/** Temporal's names for the ends of a workflow without a result. One that is paused or continued as new is not over. */
const endedWithoutResult: ReadonlySet<string> = new Set(['FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT']);

function lostResult(position: number, taskId: string, ending: Ending, fault: string | null): TrajectoryResult {
  return {
    position,
    taskId,
    ending,
    success: null,
    reward: null,
    steps: 0,
    criticalSteps: 0,
    branches: 0,
    pairs: 0,
    stoppedBy: 'fault',
    fault,
  };
}
