import { Context } from '@temporalio/activity';
import { taskSlug, trajectoryWorkflowId } from '../../domain/run/workflow-ids.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import type { TaskAddress } from '../../domain/wire/trajectory.ts';
import { CruxError } from '../../errors.ts';
import { contentHash } from '../../store/hash.ts';
import type { RunTask } from '../../store/runs.ts';
import { statusOf } from '../../temporal/workflow-status.ts';
import type { ActivityContext } from '../runtime/context.ts';

/** How soon to check again whether the other samples of a task have finished exploring. */
const lookAgainMs = 1_000;

/**
 * Trajectories of a task, once all of its samples are explored: the result must not depend on which sample finishes first.
 * @throws CruxError `Run.Waiting` while one is being explored; `Run.Budget` when a ceiling cut one short
 */
export async function exploredSamples(
  context: ActivityContext,
  { runId, position }: TaskAddress,
): Promise<Trajectory[]> {
  const { taskId } = await context.store.runs.task(runId, position);
  const { trajectories, missing } = await lookUp(context, runId, taskId);
  for (const sample of missing) await waitFor(context, runId, sample);
  return trajectories;
}

async function lookUp({ store }: ActivityContext, runId: string, taskId: string) {
  const samples = await store.runs.samplesOf(runId, taskId);
  const trajectories = await store.findings.trajectoriesOf(runId, taskId);
  const explored = new Set(trajectories.map(({ sample }) => sample));
  return { trajectories, missing: samples.filter(({ state, sample }) => state !== 'done' && !explored.has(sample)) };
}

async function waitFor(context: ActivityContext, runId: string, { taskId, sample }: RunTask): Promise<never> {
  const workflowId = trajectoryWorkflowId(runId, taskSlug(taskId, contentHash(taskId)), sample);
  const status = await statusOf(Context.current().client.workflow.getHandle(workflowId));
  // It may have finished exploring just before. One that ended in another way is settled by the campaign.
  if (status === 'COMPLETED' && (await lookUp(context, runId, taskId)).missing.some((one) => one.sample === sample)) {
    throw new CruxError(
      'Run.Budget',
      `Sample ${sample} of task ${taskId} was cut short, so its samples cannot be compared.`,
    );
  }
  throw new CruxError('Run.Waiting', `Sample ${sample} of task ${taskId} is not explored yet.`, {
    retryAfterMs: lookAgainMs,
  });
}
