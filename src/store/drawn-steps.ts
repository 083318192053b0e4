import type { Candidate } from '../domain/candidate.ts';
import type { RunConfig } from '../domain/run/run-config.ts';
import { transitionStream } from '../domain/run/transitions.ts';
import { drawnIn } from '../domain/stream.ts';
import { nextStateKey, type State } from './tree.ts';

/**
 * Key of the transition that an action of a state led to when it was drawn there, or looked at. Where transitions belong to streams, only an action
 * that was taken when it was drawn has one.
 * @param sample of the trajectory that it was drawn for
 * @returns null for a message without an action
 */
export function drawnKey(config: RunConfig, { stateKey }: State, { action }: Candidate, sample: number): string | null {
  if (action === null) return null;
  return nextStateKey(stateKey, action, transitionStream(config, drawnIn(sample)));
}
