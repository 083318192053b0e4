// Layer: pure core.
import { expect, it } from 'vitest';
import type { Task } from '../../src/domain/task.ts';
import type { CruxError } from '../../src/errors.ts';
import { chooseTasks, wantedTasks } from '../../src/start/task-choice.ts';
import type { Store } from '../../src/store/store.ts';

const tasks = Array.from({ length: 20 }, (_, index) => ({
  id: `t${index}`,
  split: index < 16 ? 'train' : 'test',
  group: 'g',
  title: '',
  ...(index % 2 === 0 && { difficulty: 'hard' }),
})) as unknown as Task[];
const choose = (choice: Partial<Parameters<typeof wantedTasks>[2]>) =>
  wantedTasks(tasks, 'maze', { split: 'train', seed: 1, ...choice }).map(({ id }) => id);

it('takes the tasks of a split in their order', () => {
  expect(choose({ split: 'test' })).toEqual(['t16', 't17', 't18', 't19']);
  expect(choose({ taskIds: ['t3', 't1'] })).toEqual(['t1', 't3']);
});

it('narrows by each option what the ones before it leave', () => {
  expect(choose({ taskIds: ['t0', 't1', 't2'], difficulty: ['hard'], exclude: ['t2'] })).toEqual(['t0']);
});

it('draws a sample by the seed, which a larger one contains', () => {
  const five = choose({ sample: 5 });
  expect(five).toHaveLength(5);
  expect(choose({ sample: 5 })).toEqual(five);
  expect(choose({ sample: 9 })).toEqual(expect.arrayContaining(five));
  expect(choose({ sample: 5, seed: 2 })).not.toEqual(five);
  expect(choose({ sample: 99 })).toHaveLength(16);
});

it.each([
  [
    'a split that the environment lacks',
    { split: 'test' as const },
    tasks.slice(0, 16),
    'no test tasks, but 16 train tasks: --split train',
  ],
  ['no task at all', { limit: 0 }, tasks, 'one task or more'],
  ['options that leave nothing', { exclude: tasks.slice(0, 16).map(({ id }) => id) }, tasks, 'Drop one of the options'],
])('says what to change about %s', async (_, choice, all, remedy) => {
  const request = {
    method: 'cso',
    trajectories: 'policy',
    format: 'react',
    split: 'train',
    seed: 1,
    ...choice,
  } as const;
  const refused = chooseTasks(all, null as unknown as Store, 'maze', request);
  await expect(refused).rejects.toMatchObject({
    kind: 'User.NotFound',
    remedy: expect.stringContaining(remedy),
  } satisfies Partial<CruxError>);
});

it.each([
  [{ taskIds: ['t1', 'nowhere'] }, /no task "nowhere"/],
  [{ exclude: ['t17'] }, /no task "t17"/],
  [{ difficulty: ['extra'] }, /no task of the difficulty extra/],
])('refuses what the split does not have: %j', (choice, reason) => {
  expect(() => choose(choice)).toThrow(reason);
});
