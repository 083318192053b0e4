import { Context } from '@temporalio/activity';
import { type Place, placeOfWorkflow } from './place.ts';

/** Where the caller is; empty outside of activities. */
export function currentPlace(): Place {
  let info: Context['info'];
  try {
    info = Context.current().info;
  } catch {
    return {};
  }
  const workflow = info.workflowExecution ? placeOfWorkflow(info.workflowExecution.workflowId) : {};
  return { ...workflow, activity: info.activityType, attempt: info.attempt };
}
