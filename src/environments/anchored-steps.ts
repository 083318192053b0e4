/** Which steps of different trajectories start in one state, and which of them take the same action: the basis of anchor's comparison. */
import type { Json } from '../domain/canonical-json.ts';
import type { AnchoredStep } from '../domain/methods/anchor-rule.ts';
import { contentHash } from '../store/hash.ts';
import type { State, Tree } from '../store/tree.ts';
import { canonicalActions } from './canonical-action.ts';
import type { Environment } from './contract.ts';

/** @param path states of a trajectory, from the first one to its leaf */
export async function anchoredSteps(
  environment: Environment,
  tree: Tree,
  path: readonly State[],
): Promise<AnchoredStep[]> {
  const equalities = equalitiesOf(environment, path);
  const histories = historiesOf(environment, path, equalities);
  const steps = path.slice(0, -1).map(async (state, index) => ({
    nodeId: state.id,
    anchor: await anchorAt(environment, tree, state, histories[index]!),
    equality: equalities[index]!,
  }));
  return Promise.all(steps);
}

/** Equal for paths that lead to one state. */
export function anchorOf(environment: Environment, tree: Tree, path: readonly State[]): Promise<string> {
  const histories = historiesOf(environment, path, equalitiesOf(environment, path));
  return anchorAt(environment, tree, path.at(-1)!, histories.at(-1)!);
}

/**
 * Equal actions lead to one state; where their results may differ, with equal results. If nothing but the state itself matters, so do other
 * actions that reach it.
 */
async function anchorAt(environment: Environment, tree: Tree, state: State, history: string): Promise<string> {
  const mark = environment.stateHoldsAll ? ((await tree.transition(state.stateKey))?.mark ?? null) : null;
  return mark === null ? history : `state ${mark.hash}`;
}

/** A hash of what was done up to each state. Chained, so that a long path is hashed once and not again for each of its states. */
function historiesOf(
  { capabilities }: Environment,
  path: readonly State[],
  equalities: readonly (string | null)[],
): string[] {
  const histories = [contentHash(['actions'])];
  for (const [index, equality] of equalities.entries()) {
    const observed = capabilities.replay === 'compare' ? [] : [path[index + 1]!.added.slice(1) as unknown as Json];
    histories.push(contentHash([histories.at(-1)!, equality, ...observed]));
  }
  return histories;
}

function equalitiesOf(environment: Environment, path: readonly State[]): (string | null)[] {
  return path.slice(1).map((next) => equalityOf(environment, next));
}

function equalityOf(environment: Environment, next: State): string | null {
  return canonicalActions(environment, next.executed);
}
