/** Tasks by group, three ways: what is learned from, what decides, and what is looked at once. */
import { seededRandom, shuffled } from '../statistics/random.ts';
import type { Task } from '../task.ts';

export type ThreeWays = {
  /** Ids, in the environment's order. */
  collect: string[];
  validation: string[];
  test: string[];
};

/**
 * Whole groups of the train split go to `collect` or to `validation`; the test split stays apart. The share is one of tasks: groups are drawn in a
 * seeded order until they hold it. Both sides get a group each if there are two.
 * @param share of the tasks of the train split, between 0 and 1
 */
export function splitThreeWays(tasks: readonly Task[], share: number, seed: number): ThreeWays {
  const train = tasks.filter(({ split }) => split === 'train');
  const groups = [...Map.groupBy(train, ({ group }) => group)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const wanted = share * train.length;
  const validated = new Set<string>();
  let held = 0;
  for (const [group, own] of shuffled(groups, seededRandom(`${seed}/validation`))) {
    const isLast = validated.size + 1 === groups.length;
    if (isLast || held >= wanted) break;
    // The group that would lead further away from the share than it is now is left to be learned from.
    if (validated.size > 0 && held + own.length - wanted > wanted - held) continue;
    validated.add(group);
    held += own.length;
  }
  const ids = (own: readonly Task[]) => own.map(({ id }) => id);
  return {
    collect: ids(train.filter(({ group }) => !validated.has(group))),
    validation: ids(train.filter(({ group }) => validated.has(group))),
    test: ids(tasks.filter(({ split }) => split === 'test')),
  };
}
