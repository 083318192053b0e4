/** Questions that could leak into one another, and which of them are held out. */
import type { Hop } from '../question.ts';
import type { ReadQuestion } from './form.ts';

type Grouped = Pick<ReadQuestion, 'id' | 'group' | 'split'> & { hops: readonly Pick<Hop, 'passage'>[] | null };

/** Of five groups one is the test. Source: ours. */
const testEvery = 5;

/** The group of each question: its own, or the first question with which it shares a passage of a hop, directly or through others. */
export function groupsOf(questions: readonly Grouped[]): string[] {
  const leader = questions.map((_, index) => index);
  const leaderOf = (index: number): number => {
    let at = index;
    while (leader[at] !== at) at = leader[at]!;
    return at;
  };
  const first = new Map<string, number>();
  for (const [index, { hops }] of questions.entries()) {
    for (const { passage: id } of hops ?? []) {
      const other = leaderOf(first.get(id) ?? index);
      const mine = leaderOf(index);
      leader[Math.max(mine, other)] = Math.min(mine, other);
      first.set(id, index);
    }
  }
  return questions.map(({ group }, index) => group ?? questions[leaderOf(index)]!.id);
}

/** A group lies in one split: the one that its questions say, or else every fifth group is the test. No group may be torn. */
export function splitsOf(questions: readonly Grouped[], groups: readonly string[]): ('train' | 'test')[] {
  const said = new Map<string, 'train' | 'test'>();
  for (const [index, { split }] of questions.entries()) if (split) said.set(groups[index]!, split);
  const inOrder = [...new Set(groups)].entries();
  const splits = new Map(
    inOrder.map(([place, group]) => {
      const made = place % testEvery === testEvery - 1 ? 'test' : 'train';
      return [group, said.get(group) ?? made];
    }),
  );
  return groups.map((group) => splits.get(group)!);
}

/** Groups whose questions say both splits, each with the first line of either. */
export function tornGroups(
  questions: readonly Pick<Grouped & { line: number }, 'split' | 'line'>[],
  groups: readonly string[],
): { group: string; train: number; test: number }[] {
  const lines = Map.groupBy(questions.keys(), (index) => groups[index]!);
  return [...lines].flatMap(([group, members]) => {
    const lineOf = (split: 'train' | 'test') =>
      members.map((at) => questions[at]!).find((one) => one.split === split)?.line;
    const [train, test] = [lineOf('train'), lineOf('test')];
    return train === undefined || test === undefined ? [] : [{ group, train, test }];
  });
}
