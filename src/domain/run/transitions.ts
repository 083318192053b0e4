/** To whom transitions belong in an environment whose results may differ from one time to the next: to one stream of calls of a run, not to all. */

/** A run whose transitions are found again: a run's own, or those of the oldest run whose answers it re-uses. */
export type TransitionOwner = {
  runId: string;
  /** When it was prepared, in milliseconds since 1970: a run that re-uses the id of a deleted one finds nothing of it. */
  since: number;
};

type Owned = { transitions?: TransitionOwner };

/** Whether a transition belongs to the call that wrote its action. Otherwise every run finds it, and no step is taken twice. */
export function ownsTransitions({ transitions }: Owned): boolean {
  return transitions !== undefined;
}

/**
 * Whose a transition is, as part of its key: rollouts that must be independent do not share what an environment said to one of them.
 * @param call purpose and stream of the call that wrote the action
 * @returns undefined if it belongs to all
 */
export function transitionStream(
  { transitions }: Owned,
  { purpose, stream }: { purpose: string; stream: string },
): string | undefined {
  return transitions && [transitions.runId, transitions.since, purpose, stream].join(' ');
}
