/** Whether the tasks are those of a data set: named once, in one order, and with no group on both sides. */
import type { Task } from '../../domain/task.ts';
import type { Environment } from '../contract.ts';
import { demand, NotChecked } from './studied.ts';

export function checkTasks(tasks: readonly Task[], again: readonly Task[]): string {
  demand(tasks.length > 0, 'There is no task.');
  const nameless = tasks.filter(({ id }) => id === '').length;
  demand(nameless === 0, `${nameless} tasks have an empty id.`);
  const ids = new Set(tasks.map(({ id }) => id));
  demand(ids.size === tasks.length, `${tasks.length - ids.size} task ids are used twice.`);
  demand(again.map(({ id }) => id).join() === tasks.map(({ id }) => id).join(), 'The order of the tasks changes.');
  const bySplit = Map.groupBy(tasks, ({ split }) => split);
  const shared = groupsIn(bySplit.get('train')).intersection(groupsIn(bySplit.get('test')));
  demand(shared.size === 0, `${shared.size} groups have tasks in both splits, e.g. "${[...shared][0]}".`);
  return `${tasks.length}, of which ${bySplit.get('train')?.length ?? 0} train and ${bySplit.get('test')?.length ?? 0} test`;
}

/** @param tasks all of them */
export function checkExamples({ fewShotTasks }: Environment, tasks: readonly Task[]): string {
  if (!fewShotTasks) throw new NotChecked('the environment names none');
  if (tasks.length === 0) throw new NotChecked('there is no task to try');
  const groupOf = new Map(tasks.map(({ id, group }) => [id, group]));
  const unknown = fewShotTasks.filter((id) => !groupOf.has(id));
  demand(unknown.length === 0, `There is no task ${unknown.join(', ')}.`);
  const groups = new Set(fewShotTasks.map((id) => groupOf.get(id)!));
  const shared = tasks.filter(({ split, group }) => split === 'test' && groups.has(group));
  demand(shared.length === 0, `${shared.length} test tasks share groups with them, e.g. task ${shared[0]?.id}.`);
  return `${fewShotTasks.length}, apart from all test tasks`;
}

/** This many tasks, spread evenly over all. */
export function spread(tasks: readonly Task[], count: number): Task[] {
  const every = Math.max(1, Math.floor(tasks.length / count));
  return tasks.filter((_, index) => index % every === 0).slice(0, count);
}

function groupsIn(tasks: readonly Task[] = []): Set<string> {
  return new Set(tasks.map(({ group }) => group));
}
