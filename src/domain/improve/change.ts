/** What changed besides the mean: a skill may die while the mean rises. */
import type { Sample } from '../run/evaluation.ts';
import { mean } from '../statistics/sums.ts';

/** Success of a family of tasks before and after. */
export type FamilyChange = { family: string; tasks: number; before: number; after: number; hasFallen: boolean };

/** A family with fewer tasks says nothing by itself. */
const leastTasks = 3;
/** A fall below which a family is not marked. */
const markedFall = 0.2;

/** By difficulty, then by group, as far as a family has enough tasks with an outcome on both sides. Groups are listed only where they have fallen. */
export function familyChanges(before: readonly Sample[], after: readonly Sample[]): FamilyChange[] {
  const rates = [rateByTask(before), rateByTask(after)] as const;
  const of = (name: (sample: Sample) => string | null): FamilyChange[] => {
    const families = Map.groupBy(before, name);
    return [...families].flatMap(([family, samples]) => {
      const ids = [...new Set(samples.map(({ taskId }) => taskId))].filter((id) => rates.every((rate) => rate.has(id)));
      if (family === null || ids.length < leastTasks) return [];
      const [was, is] = rates.map((rate) => mean(ids.map((id) => rate.get(id)!))!) as [number, number];
      return [{ family, tasks: ids.length, before: was, after: is, hasFallen: was - is >= markedFall }];
    });
  };
  const byName = (a: FamilyChange, b: FamilyChange) => (a.family < b.family ? -1 : 1);
  return [
    ...of(({ difficulty }) => difficulty).toSorted(byName),
    ...of(({ group }) => group)
      .filter(({ hasFallen }) => hasFallen)
      .toSorted(byName),
  ];
}

function rateByTask(samples: readonly Sample[]): Map<string, number> {
  const known = samples.filter(({ outcome }) => outcome !== 'missing' && outcome !== 'open');
  const tasks = Map.groupBy(known, ({ taskId }) => taskId);
  return new Map(
    [...tasks].map(([id, own]) => [id, own.filter(({ outcome }) => outcome === 'success').length / own.length]),
  );
}
