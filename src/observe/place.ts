/** Where in a run something happens: fields that log lines and spans share. */
export type Place = {
  run?: string;
  /** The task as written in workflow ids. */
  task?: string;
  /** Number of the task's trajectory, from 0. */
  sample?: number;
  activity?: string;
  /** From 1. */
  attempt?: number;
};

/** Run, task and sample that a workflow id names (domain/workflow-ids.ts). */
export function placeOfWorkflow(workflowId: string): Place {
  const trajectory = /^([^/]+(?:\/(?:round-\d+|test)\/(?:collect|evaluate|start|final))?)\/([^/]+)\/(\d+)(?:\/|$)/.exec(
    workflowId,
  );
  if (trajectory) {
    const [, run, task, sample] = trajectory;
    return { run, task, sample: Number(sample) };
  }
  // Campaigns, and other work on a run.
  return { run: /^[^/]*(?:\/(?:round-\d+|test)\/(?:collect|evaluate|start|final))?/.exec(workflowId)![0] };
}
