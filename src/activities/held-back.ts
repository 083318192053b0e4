/** Which work waits while its run takes none: the control row goes before every activity, as it goes before every model call. */
import type { RunState } from '../domain/run-config.ts';
import { admitRun } from '../models/admit-run.ts';
import type { Store } from '../store/store.ts';
import { activity } from './boundary.ts';

/**
 * While a run rests nothing of it is done but what may wake it: also no step of an environment, and no replay. While it is paused no more tasks are
 * begun; what is under way goes on up to its next call.
 */
export function isHeldBack(activityName: string, state: RunState): boolean {
  if (state === 'resting') return activityName !== 'writeControl';
  return state === 'paused' && activityName === 'nextTasks';
}

// biome-ignore lint/suspicious/noExplicitAny: the activities keep their own types.
type AnyActivities = { [name: string]: (input: any) => Promise<unknown> };

/** The same activities, each of which comes back later while its run is held back. */
export function heldBack<Activities extends AnyActivities>({ runs }: Store, activities: Activities): Activities {
  const guarded = Object.entries(activities).map(([name, work]) => {
    const admit = activity(async ({ runId }: { runId: string }) => {
      const control = await runs.control(runId);
      if (isHeldBack(name, control.state)) admitRun({ id: runId, ...control });
    });
    return [
      name,
      async (input: { runId: string }) => {
        await admit(input);
        return work(input);
      },
    ];
  });
  return Object.fromEntries(guarded) as Activities;
}
