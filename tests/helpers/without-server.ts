/**
 * Workflows without a Temporal server, at once in this process: the real trajectory workflow, its method page and its primitives. Only what a workflow
 * asks of Temporal itself is replaced, so nothing here says how a run replays, is cancelled, or continues as new.
 */
import { vi } from 'vitest';
import type { Activities } from '../../src/activities/index.ts';
import { risingOf } from '../../src/workflows/methods/rro.ts';
import { rollingOf } from '../../src/workflows/primitives/branch.ts';
import { openTask } from '../../src/workflows/primitives/open-task.ts';
import { trajectory } from '../../src/workflows/trajectory.ts';

// For imports from here, because elsewhere they may have been loaded before what they import is replaced.
export { openTask, risingOf, rollingOf, trajectory };

const temporal = vi.hoisted(() => ({ activities: {} as Partial<Activities> }));

vi.mock('@temporalio/workflow', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  proxyActivities: () => temporal.activities,
  workflowInfo: () => ({ taskQueue: 'no-server', workflowId: 'no-server', continueAsNewSuggested: false }),
  CancellationScope: { nonCancellable: <Result>(work: () => Promise<Result>) => work() },
  patched: () => true,
  setCurrentDetails: () => {},
  upsertSearchAttributes: () => {},
}));

/** Activities from here on. One that is missing makes the workflow that asks for it fail. */
export function callActivities(activities: Partial<Activities>): void {
  temporal.activities = activities;
}
