/** Names of task queues. They contain the store's id, so that no worker takes work whose data it cannot see. */

export function workflowQueue(storeId: string): string {
  return `crux-${storeId}-workflow`;
}

export function agentQueue(storeId: string): string {
  return `crux-${storeId}-agent`;
}

/** Queue of one worker alone: for steps of a costly session that it holds. */
export function holderQueue(storeId: string, workerId: string): string {
  return `${agentQueue(storeId)}-${workerId}`;
}
