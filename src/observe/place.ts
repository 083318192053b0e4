import { roundPath } from '../domain/run/workflow-ids.ts';

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

/** A run, which may be a campaign of an improvement. */
const runPath = `[^/]+(?:/${roundPath})?`;
const ofTrajectory = new RegExp(`^(${runPath})/([^/]+)/(\\d+)(?:/|$)`);
/** Campaigns, and other work on a run. */
const ofRun = new RegExp(`^${runPath}`);

/** Run, task and sample that a workflow id names (domain/workflow-ids.ts). */
export function placeOfWorkflow(workflowId: string): Place {
  const trajectory = ofTrajectory.exec(workflowId);
  if (trajectory) {
    const [, run, task, sample] = trajectory;
    return { run, task, sample: Number(sample) };
  }
  return { run: ofRun.exec(workflowId)?.[0] ?? '' };
}
