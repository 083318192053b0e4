/** Where in a run something happens: what log lines and spans have in common. */
export type Place = {
  run?: string;
  /** The task as it appears in workflow ids. */
  task?: string;
  /** Number of the task's trajectory, from 0. */
  sample?: number;
  activity?: string;
  /** From 1. */
  attempt?: number;
};

/** Run, task and sample that a workflow id names (domain/workflow-ids.ts). */
export function placeOfWorkflow(workflowId: string): Place {
  const match = /^([^/]+(?:\/round-\d+)?)(?:\/([^/]+)\/(\d+)(?:\/.*)?)?$/.exec(workflowId);
  if (!match) return {};
  const [, run, task, sample] = match;
  return task === undefined ? { run } : { run, task, sample: Number(sample) };
}
