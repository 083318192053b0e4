/** The state of a worker at the moment when its metrics are read. */
import type { ObservableResult } from '@opentelemetry/api';
import type { NativeConnection } from '@temporalio/worker';
import type { SessionCache } from '../environments/sessions/session-cache.ts';
import type { Gateway } from '../models/gateway.ts';
import type { Instruments } from '../observe/instruments.ts';
import { type SharingRole, sharingRoles, taskQueue, taskTypes } from '../temporal/task-queues.ts';

export type Observed = {
  gateway: Gateway;
  sessions: SessionCache;
  connection: NativeConnection;
  namespace: string;
  storeId: string;
};

const askTimeoutMs = 2_000;

/** @returns a function that ends the observation */
export function observeWorker(instruments: Instruments, observed: Observed): () => void {
  const { gateway, sessions } = observed;
  const gauges = [
    {
      gauge: instruments.callsUnderWay,
      read: (result: ObservableResult) => {
        for (const { endpoint, underWay } of gateway.load()) result.observe(underWay, { endpoint });
      },
    },
    {
      gauge: instruments.callsWaiting,
      read: (result: ObservableResult) => {
        for (const { endpoint, waiting } of gateway.load()) result.observe(waiting, { endpoint });
      },
    },
    {
      gauge: instruments.concurrency,
      read: (result: ObservableResult) => {
        for (const { endpoint, limit } of gateway.load()) result.observe(limit, { endpoint });
      },
    },
    {
      gauge: instruments.sessionsOpen,
      read: (result: ObservableResult) => {
        for (const [environment, open] of sessions.open) result.observe(open, { environment });
      },
    },
    {
      gauge: instruments.sessionsWaiting,
      read: (result: ObservableResult) => {
        for (const [environment, waiting] of sessions.waiting) result.observe(waiting, { environment });
      },
    },
    { gauge: instruments.queueDepth, read: (result: ObservableResult) => readQueues(observed, result) },
  ];
  for (const { gauge, read } of gauges) gauge.addCallback(read);
  return () => {
    for (const { gauge, read } of gauges) gauge.removeCallback(read);
  };
}

/** A queue that the server gives no figures for has no value then, rather than 0. */
async function readQueues({ connection, namespace, storeId }: Observed, result: ObservableResult): Promise<void> {
  const ask = async (role: SharingRole) => {
    const answer = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue(storeId) },
      taskQueueType: taskTypes[role],
      reportStats: true,
    });
    const depth = answer.stats?.approximateBacklogCount;
    if (depth !== undefined && depth !== null) result.observe(Number(depth), { queue: role });
  };
  await connection.withDeadline(Date.now() + askTimeoutMs, async () => {
    await Promise.allSettled(sharingRoles.map(ask));
  });
}
