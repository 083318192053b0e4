import type { State, Tree } from '../../store/tree.ts';

/** How many messages between a state and a later one hold no action. */
export async function malformedBetween(tree: Tree, from: Pick<State, 'step'>, leafId: string): Promise<number> {
  const path = (await tree.path(leafId)).slice(from.step + 1);
  return path.filter(({ executed }) => executed.length === 0).length;
}
