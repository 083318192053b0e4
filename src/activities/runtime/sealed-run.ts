import type { ActivityContext } from './context.ts';

/** With which the texts of an activity's run are sealed; null if they are not. A run keeps what it began with. */
export function canaryOfRun({
  store,
}: Pick<ActivityContext, 'store'>): (input: { runId: string }) => Promise<string | null> {
  const known = new Map<string, string | null>();
  return async ({ runId }) => {
    const key = `${runId} ${(await store.runs.control(runId)).createdAt}`;
    if (!known.has(key)) known.set(key, (await store.runs.get(runId)).config.sealed ?? null);
    return known.get(key) ?? null;
  };
}
