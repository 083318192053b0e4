/** Names of task queues, and which workers serve them. They contain the store's id, so that no worker takes work whose data it cannot see. */

/** `workflow`: decides what is next. `agent`: environments and model calls. `train`: trains models and serves them. */
export const workerRoles = ['workflow', 'agent', 'train'] as const;
export type WorkerRole = (typeof workerRoles)[number];

/** Roles that share a queue. */
export const sharingRoles = ['workflow', 'agent'] as const;
export type SharingRole = (typeof sharingRoles)[number];

/** Numbers of Temporal's enum TaskQueueType. */
export const taskTypes: { [role in SharingRole]: number } = { workflow: 1, agent: 2 };

/**
 * Queue of workflow tasks and of activities. To Temporal these are two kinds, and a worker takes those of its roles. With one name for both, a worker
 * of both roles may receive an activity with the answer to the workflow task that asks for it, which saves the server half of its work.
 */
export function taskQueue(storeId: string): string {
  return `crux-${storeId}`;
}

/** Queue of a single worker: for steps of a costly session that it holds. */
export function holderQueue(storeId: string, workerId: string): string {
  return `${taskQueue(storeId)}-${workerId}`;
}
