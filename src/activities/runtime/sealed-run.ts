import type { ActivityContext } from './context.ts';

/** With which the texts of an activity's run are sealed; null if they are not. A run keeps what it began with. */
export function canaryOfRun({
  store,
}: Pick<ActivityContext, 'store'>): (input: { runId: string }) => Promise<string | null> {
  const known = new Map<string, string | null>();
  return async ({ runId }) => {
    if (!known.has(runId)) known.set(runId, (await store.runs.get(runId)).config.sealed ?? null);
    return known.get(runId) ?? null;
  };
}
