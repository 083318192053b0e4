import type { WorkflowHandle } from '@temporalio/client';

/** @returns null when Temporal no longer knows the workflow */
export async function statusOf(handle: WorkflowHandle): Promise<string | null> {
  try {
    return (await handle.describe()).status.name;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}
