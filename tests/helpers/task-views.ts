import { expect } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { runView, taskView } from '../../src/views/run-view.ts';

/** Each task of a run is shown alone as it is in the report. */
export async function expectTasksAlone(store: Store, runId: string): Promise<void> {
  const { tasks } = await runView(store, runId);
  expect(tasks.length).toBeGreaterThan(0);
  for (const task of tasks) expect(await taskView(store, runId, task.id)).toEqual(task);
}
