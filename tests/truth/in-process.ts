/** Trajectories without Temporal, thousands of them: the real workflow, its method page and its primitives, with activities of a test's own. */
import { vi } from 'vitest';
import type { Activities } from '../../src/activities/index.ts';
import type { MethodName, OptionsOf } from '../../src/domain/methods/index.ts';
import type { TrajectoryResult } from '../../src/domain/wire/trajectory.ts';
import type { TaskRun } from '../../src/workflows/primitives/task-run.ts';
import { callActivities, openTask as open, risingOf, rollingOf, trajectory } from '../helpers/without-server.ts';

/** Primitives from here ask the activities below, whichever file a test imports first. */
export { risingOf, rollingOf };

// Seconds each on an idle machine; a loaded one is no failure.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/**
 * Activities from here on. One that is missing makes the workflow that asks for it fail. Several rollouts are single ones, where nothing else
 * is said.
 */
export function useActivities(activities: Partial<Activities>): void {
  const { rollOut } = activities;
  callActivities({
    // A workflow that fails gives its task up first, and then throws what it failed for.
    loseTask: async () => null as never,
    ...(rollOut && {
      rollOutAll: ({ from, to, ...action }) =>
        Promise.all(Array.from({ length: to - from }, (_, index) => rollOut({ ...action, rollout: from + index }))),
    }),
    ...activities,
  });
}

/** A whole trajectory by its method. */
export function runTrajectory(method: MethodName, position: number): Promise<TrajectoryResult> {
  return trajectory({ runId: 'truth', position, method, campaignId: null });
}

/** What a method page is given for a task. */
export function openTask<Name extends MethodName>(
  method: Name,
  runId: string,
  position: number,
): Promise<TaskRun<OptionsOf[Name]>> {
  return open({ runId, position, method, campaignId: null });
}
