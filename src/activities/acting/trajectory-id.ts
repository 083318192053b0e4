import { taskSlug, trajectoryWorkflowId } from '../../domain/run/workflow-ids.ts';
import { contentHash } from '../../store/hash.ts';
import type { Run, RunTask } from '../../store/runs.ts';

/** The same for equal tasks of equal runs, so that a repeated run finds its own. */
export function trajectoryId(run: Run, taskId: string, sample: number): string {
  return contentHash(['trajectory', run.environment, taskId, sample]);
}

/** A task as it appears in ids and search attributes. */
export function slugOf(taskId: string): string {
  return taskSlug(taskId, contentHash(taskId));
}

/** Id of the workflow that a task of a run has, or would have. */
export function workflowIdOf({ id }: Run, { taskId, sample }: RunTask): string {
  return trajectoryWorkflowId(id, slugOf(taskId), sample);
}
