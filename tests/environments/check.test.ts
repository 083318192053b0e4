// Layer: pure core, in process. What `crux check-env` says about what could leak into the test split.
import { expect, it } from 'vitest';
import type { Split } from '../../src/domain/task.ts';
import { checkEnvironment } from '../../src/environments/check.ts';
import { doors, go } from '../activities/doors.ts';

/** What a check says of tasks that are written `group split`. */
async function checked(check: string, tasks: [string, Split][], fewShotTasks?: string[]) {
  const { environment } = doors({
    ...(fewShotTasks && { fewShotTasks }),
    tasks: async () =>
      tasks.map(([group, split], index) => ({ id: `task-${index}`, split, group, title: group, difficulty: null })),
  });
  const results = await checkEnvironment(environment, 2, async () => [go('left')]);
  return results.find((result) => result.check === check);
}

it('groups that have tasks in both splits are found', async () => {
  expect(
    await checked('tasks', [
      ['a', 'train'],
      ['b', 'train'],
      ['b', 'test'],
    ]),
  ).toMatchObject({ ok: false, detail: '1 groups have tasks in both splits, e.g. "b".' });
});

it.each([
  [undefined, true, 'not checked: the environment names none'],
  [['task-0'], true, '1, apart from all test tasks'],
  [['task-0', 'task-1'], false, '1 test tasks share groups with them, e.g. task task-2.'],
  [['task-9'], false, 'There is no task task-9.'],
])('examples in the prompts %j: ok %s', async (fewShotTasks, ok, detail) => {
  const tasks: [string, Split][] = [
    ['a', 'train'],
    ['b', 'train'],
    ['b', 'test'],
  ];
  expect(await checked('examples in the prompts', tasks, fewShotTasks)).toEqual({
    check: 'examples in the prompts',
    ok,
    detail,
  });
});

it('a hint that is read as an action is found', async () => {
  const { environment } = doors();
  const textFormat = {
    instructions: 'Write DO and a door.',
    observationPrefix: '',
    parse: (said: string) =>
      said.includes('DO')
        ? { kind: 'action' as const, thought: '', action: go('left') }
        : { kind: 'malformed' as const, hint: 'Write DO left.' },
    render: () => 'DO left',
  };
  const results = await checkEnvironment({ ...environment, textFormat }, 2, async () => [go('left')]);
  expect(results.find(({ check }) => check === 'action formats')).toMatchObject({
    ok: false,
    detail: expect.stringContaining('"Write DO left.'),
  });
});
