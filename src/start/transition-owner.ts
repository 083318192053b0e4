import type { TransitionOwner } from '../domain/run/transitions.ts';
import type { Environment } from '../environments/contract.ts';
import type { Store } from '../store/store.ts';

/**
 * To whom the transitions of a new run belong. A run that re-uses answers must come to the states in which they were given, so it shares the
 * transitions of the oldest run that it re-uses.
 * @returns undefined if they belong to all runs: the environment gives the same again, or the re-used run began before transitions had owners
 */
export async function transitionOwner(
  { runs }: Store,
  { name, version, capabilities }: Environment,
  runId: string,
  reuse: readonly string[],
): Promise<TransitionOwner | undefined> {
  if (capabilities.replay === 'compare') return undefined;
  const reused = await Promise.all(reuse.map((id) => runs.get(id)));
  const [oldest] = reused
    .filter((run) => run.environment === name && run.config.environmentVersion === version)
    .toSorted((one, other) => one.createdAt - other.createdAt);
  return oldest ? oldest.config.transitions : { runId, since: Date.now() };
}
