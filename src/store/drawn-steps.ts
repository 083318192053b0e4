import type { Candidate } from '../domain/candidate.ts';
import type { RunConfig } from '../domain/run/run-config.ts';
import { transitionStream } from '../domain/run/transitions.ts';
import { drawnIn } from '../domain/stream.ts';
import type { State, TakenAction, Tree } from './tree.ts';

/**
 * What the actions of a candidate led to when it was drawn in its state, or looked at. Where transitions belong to streams, only an action that was
 * taken when it was drawn has one.
 * @param sample of the trajectory that it was drawn for
 * @returns in their order, up to the last that was executed, or one that was not taken; none for a message without an action
 */
export function drawnSteps(
  tree: Tree,
  config: RunConfig,
  { stateKey }: State,
  { actions }: Pick<Candidate, 'actions'>,
  sample: number,
): Promise<TakenAction[]> {
  return tree.taken(stateKey, actions, transitionStream(config, drawnIn(sample)));
}

/**
 * The same for a candidate of which it is not known for which trajectory it was drawn.
 * @param samples of the task's trajectories
 */
export async function stepsOfDraw(
  tree: Tree,
  config: RunConfig,
  state: State,
  candidate: Pick<Candidate, 'actions'>,
  samples: readonly number[],
): Promise<TakenAction[]> {
  const possible = await Promise.all(samples.map((sample) => drawnSteps(tree, config, state, candidate, sample)));
  return possible.find(([first]) => first?.transition) ?? possible[0] ?? [];
}
