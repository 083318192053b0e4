// Layer: pure core, in process. What `crux check-env` says of environments that keep the contract, and of those that do not.

import { describe, expect, it } from 'vitest';
import { startApart } from '../../src/cli/commands/check-env-apart.ts';
import { observationText } from '../../src/domain/observation.ts';
import type { Split } from '../../src/domain/task.ts';
import { playsOf } from '../../src/environments/check/plays.ts';
import { type CheckOptions, checkEnvironment } from '../../src/environments/check.ts';
import { type DoorsOptions, doors, go } from '../activities/doors.ts';
import { mazeEnvironments } from '../helpers/mazes.ts';
import { halls } from '../simulation/halls.ts';

/** What a check says of tasks that are written `group split`. */
async function checked(check: string, tasks: [string, Split][], fewShotTasks?: string[]) {
  const { environment } = doors({
    ...(fewShotTasks && { fewShotTasks }),
    tasks: async () =>
      tasks.map(([group, split], index) => ({ id: `task-${index}`, split, group, title: group, difficulty: null })),
  });
  const results = await checkEnvironment(environment, 2, {
    plays: async () => [{ name: 'left', actions: [go('left')] }],
  });
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
  [undefined, null, 'not checked: the environment names none'],
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
  const results = await checkEnvironment({ ...environment, textFormat }, 2, {
    plays: async () => [{ name: 'left', actions: [go('left')] }],
  });
  expect(results.find(({ check }) => check === 'action formats')).toMatchObject({
    ok: false,
    detail: expect.stringContaining('"Write DO left.'),
  });
});

/** What all checks say of the doors, by name. */
async function all(options: DoorsOptions, more: CheckOptions = {}) {
  const results = await checkEnvironment(doors(options).environment, 2, more);
  return Object.fromEntries(results.map(({ check, ok, detail }) => [check, { ok, detail }]));
}

it('a task without a name is found', async () => {
  const { environment } = doors();
  const tasks = async () =>
    (await environment.tasks()).map((task, index) => (index === 0 ? { ...task, id: '' } : task));
  const results = await checkEnvironment({ ...environment, tasks }, 1);
  expect(results.find(({ check }) => check === 'tasks')).toMatchObject({
    ok: false,
    detail: '1 tasks have an empty id.',
  });
});

describe('what is played', () => {
  it('is the script, walks over what observations offered, and each tool once', async () => {
    const [maze] = mazeEnvironments();
    const [task] = await maze!.tasks();
    const plays = await playsOf({ ...maze!, script: async () => [{ thought: '', action: go('east') }] }, task!);
    expect(plays.map(({ name }) => name)).toEqual(['script', 'walk 1', 'walk 2', 'walk 3', 'each tool']);
    // Doors that the rooms named: not only the error branch is reached.
    const session = await maze!.open(task!);
    const read: string[] = [];
    for (const action of plays[1]!.actions)
      read.push(observationText((await session.step(action, AbortSignal.timeout(1_000))).observation));
    expect(read.some((text) => !text.startsWith('There is no such door'))).toBe(true);
    expect(await playsOf(maze!, task!)).toEqual((await playsOf(maze!, task!)).slice());
  });

  it('finds what only actions that go on would show', async () => {
    let times = 0;
    const offers = (way: string[]) =>
      way.at(-1) === 'cellar door'
        ? { observation: `Visited ${++times} times.`, done: false }
        : { observation: 'Doors: cellar door.', done: false };
    expect((await all({ step: offers }))['determinism and replay']).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/Task task-1, walk \d, action \d+: first "Visited \d+ times\.", then "Visited/),
    });
  });
});

describe('an environment that says it is not deterministic', () => {
  it('is not compared anywhere, and passes', async () => {
    let number = 0;
    const results = await all({
      capabilities: { deterministic: false },
      step: () => ({ observation: `Observation ${++number}.`, done: false }),
    });
    expect(Object.values(results).filter(({ ok }) => ok === false)).toEqual([]);
    expect(results['determinism and replay']!.ok).toBeNull();
    expect(results['two sessions do not disturb each other']).toMatchObject({
      ok: true,
      detail: expect.stringContaining('not compared'),
    });
  });
});

describe('an environment in which what was recorded counts', () => {
  /** Replies that are never the same twice. @param recall what a session does with a step that it is told */
  const chat = (recall?: (said: string[], observation: string) => void, hidden = false): DoorsOptions => {
    let replies = 0;
    return {
      capabilities: { replay: 'recorded' },
      open: async () => {
        const said: string[] = [];
        return {
          step: async () => {
            said.push(`Reply ${++replies}.`);
            return { observation: `Reply ${replies}.`, done: false };
          },
          ...(recall && { recall: async (_action, { observation }) => recall(said, observationText(observation)) }),
          ...(!hidden && { stateHash: async () => said.join() }),
        };
      },
    };
  };

  it('passes if a session that is told the steps is in the state to which they led', async () => {
    const results = await all(chat((said, observation) => said.push(observation)));
    expect(Object.values(results).filter(({ ok }) => ok === false)).toEqual([]);
    expect(results['recorded steps']).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^\d+ states, the same/),
    });
    expect(results['determinism and replay']).toMatchObject({
      ok: null,
      detail: expect.stringContaining('what was recorded counts'),
    });
  });

  it.each([
    ['forgets what it is told', chat(() => {})],
    ['cannot be told anything, and depends on earlier steps', chat()],
    ['takes the step itself when it is told', chat((said) => said.push(`Reply ${Math.random()}.`))],
  ])('fails if a session %s', async (_name, options) => {
    expect((await all(options))['recorded steps']).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/Task task-1, walk 1: the state hash is Reply \d+\. after action 1, and .* told/),
    });
  });

  it.each([
    ['another name each time', () => String(Math.random())],
    ['a name that is no text', () => 7 as unknown as string],
  ])('fails if it gives %s for what it shares', async (_name, shared) => {
    const results = await all({ ...chat((said, observation) => said.push(observation)), shared });
    expect(results['recorded steps']).toMatchObject({ ok: false, detail: expect.stringContaining('shared() of') });
  });

  it('is not said to pass if its states have no hash', async () => {
    expect((await all(chat((said, observation) => said.push(observation), true)))['recorded steps']!.ok).toBeNull();
  });
});

describe('an environment that cannot be reached', () => {
  it('has one failed check with its words, and no check says ✓ over 0 tasks', async () => {
    const away = async () => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:9'));
    const results = await all({ tasks: away });
    expect(results.tasks).toEqual({ ok: false, detail: 'connect ECONNREFUSED 127.0.0.1:9' });
    const { tasks: _, ...others } = results;
    expect(Object.values(others).map(({ ok }) => ok)).toEqual(Object.values(others).map(() => null));
  });
});

describe('a state hash', () => {
  const hashing = (hash: (way: string[]) => string): DoorsOptions => ({
    open: async () => {
      const way: string[] = [];
      return {
        step: async ({ arguments: { door } }) => {
          way.push(String(door));
          return { observation: 'ok', done: false };
        },
        stateHash: async () => hash(way),
      };
    },
  });

  it('that hashes content passes, in another process too', async () => {
    const maze = new URL('../helpers/hashing-environment.ts', import.meta.url).pathname;
    const { default: environment } = (await import(maze)) as { default: Parameters<typeof checkEnvironment>[0] };
    const results = await checkEnvironment(environment, 1, {
      startApart: () => startApart({ config: 'crux.config.ts' }, maze),
    });
    expect(results.filter(({ ok }) => ok === false)).toEqual([]);
    expect(results.find(({ check }) => check === 'another process')).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/\d+ observations and \d+ state hashes of task/),
    });
  });

  it('that is another one in another process fails', async () => {
    const file = new URL('../helpers/hashing-environment.ts', import.meta.url).pathname;
    const { ownToProcess } = (await import(file)) as { ownToProcess: Parameters<typeof checkEnvironment>[0] };
    const apart = new URL('../helpers/own-to-process.ts', import.meta.url).pathname;
    const results = await checkEnvironment(ownToProcess, 1, {
      startApart: () => startApart({ config: 'crux.config.ts' }, apart),
    });
    expect(results.find(({ check }) => check === 'another process')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('the first state has the hash'),
    });
  });

  it('that changes while nothing happens fails', async () => {
    const results = await all(hashing((way) => `${way.join()} at ${performance.now()}`));
    expect(results['state hash']).toMatchObject({ ok: false, detail: expect.stringContaining('and nothing happened') });
  });

  it('that nobody gives is not checked, and what follows is said', async () => {
    expect((await all({}))['state hash']).toMatchObject({
      ok: null,
      detail: expect.stringContaining('same-observation'),
    });
    expect((await all({ observesAll: true }))['state hash']).toMatchObject({ ok: null });
  });
});

describe('an outcome so far', () => {
  it('that depends on the state alone passes', async () => {
    expect((await all({ outcome: (way) => ({ reward: way.length / 10 }) }))['outcome at a limit']).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/asked in \d+ states, at best 0\.\d/),
    });
  });

  it('that is another one the second time fails', async () => {
    let asked = 0;
    const results = await all({ outcome: () => ({ reward: (++asked % 7) / 10 }) });
    expect(results['determinism and replay']).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/first the outcome so far 0\.\d, then the outcome so far 0\.\d/),
    });
  });

  it('outside of 0 to 1 fails', async () => {
    const results = await all({ outcome: () => ({ reward: 3 }) });
    expect(results['outcome at a limit']).toEqual({ ok: false, detail: 'The reward 3 is not in [0, 1].' });
  });

  it('that is a success makes a script solve a task that never ends by itself', async () => {
    const script = async () => ['left', 'up'].map((door) => ({ thought: 'On.', action: go(door) }));
    const solves = async (perDoor: number) =>
      (await all({ script, outcome: (way) => ({ reward: way.length * perDoor }) }))['scripts solve their tasks'];
    expect(await solves(0.5)).toMatchObject({ ok: true });
    expect(await solves(0.25)).toEqual({
      ok: false,
      detail:
        'The script of task task-1 has 2 steps, and the task is not over after them, with the outcome so far 0.5.',
    });
  });

  it('that nobody gives is not checked, and what follows is said', async () => {
    expect((await all({}))['outcome at a limit']).toMatchObject({
      ok: null,
      detail: expect.stringContaining('has reward 0'),
    });
  });
});

it.each([
  ['solves its task', ['left', 'treasure'], 2, { ok: true, detail: '2 of 2 tasks have one, and it ends in success' }],
  ['fails it', ['pit'], 2, { ok: false, detail: expect.stringContaining('ends at step 1 with reward 0') }],
  ['does not end it', ['left'], 2, { ok: false, detail: expect.stringContaining('is not over') }],
  ['goes on after the end', ['treasure', 'left'], 2, { ok: false }],
  ['is longer than the step limit', ['left', 'treasure'], 1, { ok: false }],
  ['has no step', [], 2, { ok: null }],
])('a script that %s: %j, step limit %i', async (_, taken, stepLimit, result) => {
  const script = async () => taken.map((door) => ({ thought: '', action: go(door) }));
  expect((await all({ script, stepLimit }))['scripts solve their tasks']).toMatchObject(result);
});

describe('an audit', () => {
  const script = async () => [
    { thought: '', action: go('left') },
    { thought: '', action: go('treasure') },
  ];
  const said = async (options: DoorsOptions) => (await all(options)).audit;

  it('must not flag the success of a script: that would be a false alarm', async () => {
    const seen: unknown[] = [];
    const calm = async (_task: unknown, trajectory: unknown) => {
      seen.push(trajectory);
      return [];
    };
    expect(await said({ script, audit: calm })).toEqual({
      ok: true,
      detail: '2 scripted successes, none flagged, twice',
    });
    expect(seen).toHaveLength(4);
    expect(seen[0]).toEqual({
      actions: [
        { action: go('left'), observation: 'A room behind left.' },
        { action: go('treasure'), observation: 'The treasure.' },
      ],
      reward: 1,
      details: null,
    });
    expect(await said({ script, audit: async () => ['tests-edited'] })).toEqual({
      ok: false,
      detail: 'The script of task task-1 is flagged: tests-edited.',
    });
  });

  it('must say the same twice', async () => {
    let asked = 0;
    const fickle = async () => (++asked % 2 === 0 ? ['odd'] : []);
    expect(await said({ script, audit: fickle })).toEqual({
      ok: false,
      detail: 'The script of task task-1 is not flagged, then odd.',
    });
  });

  it('must give flags in their form, and not break', async () => {
    expect(await said({ script, audit: async () => ['Not A Flag'] })).toMatchObject({
      ok: false,
      detail: expect.stringContaining('the flag "Not A Flag"'),
    });
    const audit = async () => Promise.reject(new Error('the auditor is away'));
    expect(await said({ script, audit })).toEqual({ ok: false, detail: 'the auditor is away' });
  });

  it.each<[string, DoorsOptions]>([
    ['the environment has none', {}],
    ['no script shows it an honest success', { audit: async () => [] }],
    [
      'no script that was tried ends in success',
      { audit: async () => [], script: async () => [{ thought: '', action: go('pit') }] },
    ],
  ])('is not checked if %s', async (why, options) => {
    expect(await said(options)).toEqual({ ok: null, detail: expect.stringContaining(why) });
  });
});

it('tools that belong to the state are read back with those of their state', async () => {
  const results = await checkEnvironment(halls.environment, 2);
  expect(results.filter(({ ok }) => ok === false)).toEqual([]);
});
