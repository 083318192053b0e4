/** Activity proxies, one per retry class, each with the reason for its timeouts. Every activity has a summary for the Temporal UI. */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  proxyActivities,
  TerminatedFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, RoundActivities, TrainingActivities } from '../activities/index.ts';
import { trainingQueue } from '../domain/improve/training-queue.ts';

const retry = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' } as const;

/**
 * Activities heartbeat every 2 s, and workers pass that on every 4 s. So the work of a killed worker continues after at most 12 s. A worker
 * whose event loop stands still for up to 8 s is not taken for dead. If one is taken for dead by mistake, nothing is paid twice (journal) or
 * done twice (tree).
 */
const heartbeatTimeout = '12s';

/**
 * Work that waits for models or environments. A missing heartbeat shows a dead worker. The length of the work itself says nothing, so one
 * attempt may take a day. There is no limit on attempts or on the whole: the store counts faults per call, and the last one comes as a typed
 * failure that is not retried.
 */
export const agent = (summary: string) =>
  proxyActivities<Activities>({
    startToCloseTimeout: '24h',
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
    summary,
  });

/**
 * Steps of a costly session go to the worker that holds it. A worker that is gone takes nothing from its queue: after this wait any worker
 * may become the new holder.
 */
export const holder = (summary: string, taskQueue: string) =>
  proxyActivities<Activities>({
    taskQueue,
    scheduleToStartTimeout: '20s',
    startToCloseTimeout: '24h',
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // What fails here is repeated on the shared queue.
    retry: { maximumAttempts: 1 },
    summary,
  });

const briefly = { startToCloseTimeout: '2m', heartbeatTimeout, retry } as const;

/**
 * Reads and writes of the store. They take milliseconds. If the store is locked or full, they are repeated until it works again, because
 * nothing may be lost.
 */
export const bookkeeping = (summary: string) => proxyActivities<Activities>({ ...briefly, summary });

/**
 * The same for a campaign, which moves to the build that becomes current (index.ts). A campaign moves when a worker of that build starts one
 * of its activities. So no activity may be dispatched with the answer to a workflow task: it would stay with the worker of the old build.
 */
export const orders = (summary: string) =>
  proxyActivities<Activities>({ ...briefly, allowEagerDispatch: false, summary });

/**
 * Slots, which last long. A campaign moves when a worker of the build that becomes current starts one of its activities: see above. A missing heartbeat
 * shows a dead worker.
 */
export const slotWork = (summary: string) =>
  proxyActivities<Activities>({
    startToCloseTimeout: '24h',
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
    allowEagerDispatch: false,
    summary,
  });

/** What an improvement asks of the store. It moves to the build that becomes current, as campaigns do: see `orders`. */
export const rounds = (summary: string) =>
  proxyActivities<RoundActivities>({ ...briefly, allowEagerDispatch: false, summary });

/**
 * Work where models are trained and served. It may last for days: an attempt that is cut off finds the training of the attempt before. A missing
 * heartbeat shows a dead worker.
 */
export const training = (summary: string) =>
  proxyActivities<TrainingActivities>({
    taskQueue: trainingQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '24h',
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
    summary,
  });

/** Looks after something while other work goes on. Nobody waits for its end. */
export const watching = (summary: string) =>
  proxyActivities<TrainingActivities>({
    taskQueue: trainingQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '24h',
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry,
    summary,
  });

/** Tidying where models are served. If no such worker lives, there is nothing to tidy that it could reach. */
export const tidying = (summary: string) =>
  proxyActivities<TrainingActivities>({
    taskQueue: trainingQueue(workflowInfo().taskQueue),
    scheduleToStartTimeout: '20s',
    startToCloseTimeout: '2m',
    heartbeatTimeout,
    retry: { maximumAttempts: 3 },
    summary,
  });

/** The kind and the words of the fault in which an activity ended, also one of a child workflow; null when the error is no fault. */
export function faultOf(error: unknown): { kind: string; message: string } | null {
  let cause = error;
  while (cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure) cause = cause.cause;
  // A user ended a branch by hand: it has no result, and the others continue.
  if (cause instanceof TerminatedFailure) return { kind: 'Branch.Terminated', message: cause.message };
  return cause instanceof ApplicationFailure ? { kind: cause.type ?? 'Defect', message: cause.message } : null;
}
