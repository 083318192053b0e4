/** Activities of the campaign: which tasks come next, which are settled, how the run stands. */
import { Context } from '@temporalio/activity';
import { addResult, emptyCounts } from '../domain/campaign-counts.ts';
import type { Ceilings, RunState } from '../domain/run-config.ts';
import type { CampaignCounts, NextTask, SettledTask, TrajectoryResult } from '../domain/wire.ts';
import { taskSlug, trajectoryWorkflowId } from '../domain/workflow-ids.ts';
import { contentHash } from '../store/hash.ts';
import { activity } from './boundary.ts';
import type { ActivityContext } from './context.ts';

export type ControlInput = { runId: string; state?: RunState; ceilings?: Ceilings };

export function storeActivities(context: ActivityContext) {
  const { store, environments } = context;

  /** The next tasks of a run that are not done, from a position on. */
  async function nextTasks(input: { runId: string; from: number; limit: number }): Promise<{ tasks: NextTask[]; next: number }> {
    const run = await store.runs.get(input.runId);
    const rows = await store.runs.tasks(input.runId, { from: input.from, limit: input.limit });
    const tasks = await Promise.all(
      rows
        .filter((row) => row.state === 'waiting')
        .map(async (row) => {
          const task = await environments.task(run.environment, row.taskId);
          const slug = taskSlug(row.taskId, contentHash(row.taskId));
          const { title } = task;
          return {
            position: row.position,
            workflowId: trajectoryWorkflowId(run.id, slug, row.sample),
            taskId: slug,
            title: title.length > 80 ? `${title.slice(0, 79)}…` : title,
          };
        }),
    );
    return { tasks, next: rows.length === 0 ? input.from : rows.at(-1)!.position + 1 };
  }

  /** How a run stands when its campaign starts, from what is stored. */
  async function openCampaign({ runId }: { runId: string }): Promise<{ counts: CampaignCounts; state: RunState; environment: string }> {
    const run = await store.runs.get(runId);
    const rows = await store.runs.tasks(runId);
    const results = rows.filter((row) => row.result !== null).map((row) => JSON.parse(row.result!) as TrajectoryResult);
    return { counts: results.reduce(addResult, emptyCounts(rows.length)), state: run.state, environment: run.environment };
  }

  /** A trajectory tells its result to the store before it tells it to the campaign. */
  async function finishTask({ runId, result }: { runId: string; result: TrajectoryResult }): Promise<void> {
    await store.runs.finishTask(runId, result.position, JSON.stringify(result));
  }

  /**
   * Which of the tasks in flight are over, from the store first and from Temporal second: a lost signal or a terminated workflow must not
   * hold a place for ever. A workflow that is gone without a result counts as a fault, and is recorded as such.
   */
  async function settleTasks(input: { runId: string; inFlight: { position: number; workflowId: string }[] }): Promise<SettledTask[]> {
    const settled: SettledTask[] = [];
    for (const { position, workflowId } of input.inFlight) {
      const task = await store.runs.task(input.runId, position);
      if (task.result !== null) {
        settled.push({ position, result: JSON.parse(task.result) as TrajectoryResult });
      } else if (await isGone(workflowId)) {
        const result = lostResult(position, task.taskId);
        await store.runs.finishTask(input.runId, position, JSON.stringify(result));
        settled.push({ position, result });
      }
    }
    return settled;
  }

  async function isGone(workflowId: string): Promise<boolean> {
    try {
      const { status } = await Context.current().client.workflow.getHandle(workflowId).describe();
      return status.name !== 'RUNNING';
    } catch (error) {
      if (error instanceof Error && error.name === 'WorkflowNotFoundError') return true;
      throw error;
    }
  }

  async function writeControl({ runId, state, ceilings }: ControlInput): Promise<void> {
    await store.runs.setControl(runId, { ...(state && { state }), ...(ceilings && { ceilings }) });
  }

  async function finishRun({ runId, state }: { runId: string; state: RunState }): Promise<void> {
    await store.runs.finish(runId, state);
  }

  return {
    nextTasks: activity(nextTasks),
    openCampaign: activity(openCampaign),
    finishTask: activity(finishTask),
    settleTasks: activity(settleTasks),
    writeControl: activity(writeControl),
    finishRun: activity(finishRun),
  };
}

function lostResult(position: number, taskId: string): TrajectoryResult {
  return {
    position,
    taskId,
    ending: 'cancelled',
    success: null,
    reward: null,
    steps: 0,
    criticalSteps: 0,
    branches: 0,
    pairs: 0,
    stoppedBy: 'fault',
  };
}
