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

/** A question's own split counts; else every fifth group is the test. A group lies in one split: that of its first question. */
export function splitsOf(questions: readonly Grouped[], groups: readonly string[]): ('train' | 'test')[] {
  const splits = new Map<string, 'train' | 'test'>();
  for (const [index, group] of groups.entries()) {
    if (splits.has(group)) continue;
    const made = splits.size % testEvery === testEvery - 1 ? 'test' : 'train';
    splits.set(group, questions[index]!.split ?? made);
  }
  return groups.map((group) => splits.get(group)!);
}
