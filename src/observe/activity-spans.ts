import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { placeAttributes } from './current-place.ts';
import { inRootSpan, traceIdOf } from './spans.ts';

/** Puts a span around every activity. */
export function activitySpans({ info }: Context): ActivityInterceptors {
  return {
    inbound: {
      execute: (input, next) => {
        const { workflowExecution } = info;
        const workflowId = workflowExecution?.workflowId ?? info.activityId;
        const attributes = { ...placeAttributes(), 'temporal.workflow_id': workflowId };
        return inRootSpan(traceIdOf(workflowId), info.activityType, attributes, () => next(input));
      },
    },
  };
}
