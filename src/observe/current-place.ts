import { AsyncLocalStorage } from 'node:async_hooks';
import { Context } from '@temporalio/activity';
import { type Place, placeOfWorkflow } from './place.ts';
import { inRootSpan, traceIdOf } from './spans.ts';

/** The trajectory that one activity of several is working on. */
const within = new AsyncLocalStorage<Place>();

/** Where the caller is; empty outside of activities. */
export function currentPlace(): Place {
  let info: Context['info'];
  try {
    info = Context.current().info;
  } catch {
    return {};
  }
  const workflow = info.workflowExecution ? placeOfWorkflow(info.workflowExecution.workflowId) : {};
  return { ...workflow, ...within.getStore(), activity: info.activityType, attempt: info.attempt };
}

/** Where the caller is, as attributes of a span. */
export function placeAttributes(): { [name: string]: string | number } {
  return Object.fromEntries(Object.entries(currentPlace()).map(([name, value]) => [`crux.${name}`, value]));
}

/**
 * Works on one trajectory in an activity that works on several. Its spans and log lines are as if it had an activity of its own.
 * @param workflowId that the trajectory would have
 */
export function inTrajectory<T>(name: string, workflowId: string, work: () => Promise<T>): Promise<T> {
  return within.run(placeOfWorkflow(workflowId), () =>
    inRootSpan(traceIdOf(workflowId), name, placeAttributes(), work),
  );
}
