/**
 * Trajectories without Temporal, thousands of them: the real workflow, its method page and its primitives, with activities that are called
 * at once in this process. Only what a workflow asks of Temporal itself is replaced.
 */
import { vi } from 'vitest';
import type { Activities } from '../../src/activities/index.ts';
import type { MethodName, MethodOptions } from '../../src/domain/run-config.ts';
import type { TrajectoryResult } from '../../src/domain/wire.ts';
import { TaskRun } from '../../src/workflows/primitives.ts';
import { trajectory } from '../../src/workflows/trajectory.ts';

const temporal = vi.hoisted(() => ({ activities: {} as Partial<Activities> }));

vi.mock('@temporalio/workflow', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  proxyActivities: () => temporal.activities,
  workflowInfo: () => ({ taskQueue: 'truth-workflow', workflowId: 'truth', continueAsNewSuggested: false }),
  CancellationScope: { nonCancellable: <Result>(work: () => Promise<Result>) => work() },
  setCurrentDetails: () => {},
  upsertSearchAttributes: () => {},
}));

/** Activities from here on. One that is missing makes the workflow that asks for it fail. Rollouts of a value are made one by one. */
export function useActivities(activities: Partial<Activities>): void {
  temporal.activities = {
    ...activities,
    ...(activities.rollOut && {
      rollOutAll: ({ from, to, ...action }) =>
        Promise.all(
          Array.from({ length: to - from }, (_, index) => activities.rollOut!({ ...action, rollout: from + index })),
        ),
    }),
  };
}

/** A whole trajectory by its method. */
export function runTrajectory(method: MethodName, position: number): Promise<TrajectoryResult> {
  return trajectory({ runId: 'truth', position, method, campaignId: null });
}

/** What a method page is given for a task. */
export function openTask(method: MethodName, runId: string, position: number): Promise<TaskRun<MethodOptions>> {
  return TaskRun.open({ runId, position, method, campaignId: null });
}
