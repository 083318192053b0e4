// Layer: the store on both engines.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Action } from '../../src/domain/action.ts';
import type { AssistantMessage, Message } from '../../src/domain/message.ts';
import type { Store } from '../../src/store/store.ts';
import {
  isIntact,
  type NewRoot,
  nextStateKey,
  positionAfter,
  type State,
  type Transition,
} from '../../src/store/tree.ts';
import { processorMs } from '../helpers/processor-time.ts';
import { describeEngines } from '../helpers/store.ts';

const root: NewRoot = {
  environment: 'doors',
  version: '1',
  taskId: 'task-1',
  messages: [
    { role: 'system', content: 'Find the treasure.' },
    { role: 'user', content: 'You stand before two doors.' },
  ],
  tools: [],
  format: 'react',
};

const say = (content: string): AssistantMessage => ({ role: 'assistant', content });
const hear = (content: string): Message[] => [{ role: 'user', content }];
const go = (door: string): Action => ({ tool: 'go', arguments: { door } });

function take(store: Store, parent: State, thought: string, door: string, observation: string): Promise<State> {
  const action = go(door);
  const reached = positionAfter(parent, action, { key: nextStateKey(parent.stateKey, action), tools: null });
  return store.tree.addStep({ parent, assistant: say(thought), observation: hear(observation), reached });
}

function transition(changes: Partial<Transition> = {}): Transition {
  const nothing = { tools: null, reward: null, success: null, details: null, mark: null };
  return { key: 'after', parentKey: 'before', observation: 'A room.', done: false, ...nothing, ...changes };
}

/** Any text, control characters and halves of surrogate pairs included: what models and databases may write. */
const anyText = fc.string({ unit: 'binary', maxLength: 40 });

describeEngines('tree', (engine) => {
  it('gives the same content the same id, and any other content another one', async () => {
    const store = await engine.open();
    const first = await store.tree.addRoot(root);
    const again = await store.tree.addRoot({ ...root, messages: structuredClone(root.messages) });
    expect(again.id).toBe(first.id);
    const changed: NewRoot[] = [
      { ...root, environment: 'windows' },
      { ...root, version: '2' },
      { ...root, taskId: 'task-2' },
      { ...root, messages: root.messages.slice(1) },
      { ...root, tools: [{ type: 'function', function: { name: 'go', description: '', parameters: {} } }] },
      { ...root, format: 'tools' },
    ];
    const ids = await Promise.all(changed.map(async (other) => (await store.tree.addRoot(other)).id));
    expect(new Set([first.id, ...ids]).size).toBe(changed.length + 1);
  });

  it('gives the ids of tool calls back to the server that gave them alone', async () => {
    const store = await engine.open();
    const parent = await store.tree.addRoot({ ...root, format: 'tools' });
    const tool_calls = [{ id: 'call_1_0', type: 'function' as const, function: { name: 'go', arguments: '{}' } }];
    const made = await store.tree.addStep({
      parent,
      assistant: { role: 'assistant', content: null, tool_calls },
      callIds: { server: 'here', ids: ['functions.go:0'] },
      observation: hear('A room.'),
      reached: positionAfter(parent, go('red'), { key: 'after', tools: null }),
    });
    const read = await (await engine.reopen(store)).tree.state(made.id);
    for (const state of [made, read]) {
      expect(state.callIdsOf('here')).toEqual({ call_1_0: 'functions.go:0' });
      expect(state.callIdsOf('elsewhere')).toEqual({});
    }
  });

  it('reads back from another connection whatever was written, to the letter', async () => {
    const store = await engine.open();
    const other = await engine.reopen(store);
    const texts = fc.array(fc.record({ thought: anyText, door: anyText, observation: anyText }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(anyText, texts, async (taskText, steps) => {
        let state = await store.tree.addRoot({ ...root, messages: [{ role: 'user', content: taskText }] });
        for (const { thought, door, observation } of steps)
          state = await take(store, state, thought, door, observation);
        expect(await other.tree.state(state.id)).toEqual(state);
        expect(state.messages.length).toBe(1 + 2 * steps.length);
        expect(state.actions).toEqual(steps.map(({ door }) => go(door)));
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('gives equal ids exactly to equal paths', async () => {
    const store = await engine.open();
    const path = fc.array(fc.constantFrom('left', 'right'), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(path, path, async (one, other) => {
        const walk = async (doors: string[]) => {
          let state = await store.tree.addRoot(root);
          for (const door of doors) state = await take(store, state, `I go ${door}.`, door, `Behind ${door}.`);
          return state;
        };
        const [first, second] = [await walk(one), await walk(other)];
        expect(first.id === second.id).toBe(one.join() === other.join());
      }),
      { numRuns: 40, seed: 2 },
    );
  });

  it('shares the prefix between a trajectory and its branch, and keeps their ends apart', async () => {
    const store = await engine.open();
    const start = await store.tree.addRoot(root);
    const middle = await take(store, start, 'Left.', 'left', 'A hall.');
    const trajectory = await take(store, middle, 'Left again.', 'left', 'A pit.');
    const branch = await take(store, middle, 'Right.', 'right', 'The treasure.');
    const ids = async (leaf: State) => (await store.tree.path(leaf.id)).map(({ id }) => id);
    expect(await ids(trajectory)).toEqual([start.id, middle.id, trajectory.id]);
    expect(await ids(branch)).toEqual([start.id, middle.id, branch.id]);
    expect((await store.tree.path(branch.id)).map(({ step }) => step)).toEqual([0, 1, 2]);
    expect(branch.messages.at(-1)).toEqual({ role: 'user', content: 'The treasure.' });
  });

  it('keeps two thoughts apart as states, and together as states of the environment', async () => {
    const store = await engine.open();
    const start = await store.tree.addRoot(root);
    const bold = await take(store, start, 'Surely left.', 'left', 'A hall.');
    const timid = await take(store, start, 'Perhaps left?', 'left', 'A hall.');
    expect(bold.id).not.toBe(timid.id);
    expect(bold.stateKey).toBe(timid.stateKey);
  });

  it('keeps two rollouts apart whose environments are in different states, although both read the same', async () => {
    const store = await engine.open();
    const start = await store.tree.addRoot(root);
    const step = (stream: string) =>
      store.tree.addStep({
        ...{ parent: start, assistant: say('left'), observation: hear('A room.'), isOwn: true },
        reached: positionAfter(start, go('left'), {
          key: nextStateKey(start.stateKey, go('left'), stream),
          tools: null,
        }),
      });
    const [one, other, again] = [await step('rollout 0'), await step('rollout 1'), await step('rollout 0')];
    expect(one.id).not.toBe(other.id);
    expect(again.id).toBe(one.id);
    expect((await (await engine.reopen(store)).tree.state(other.id)).stateKey).toBe(other.stateKey);
    expect(isIntact(start, null)).toBe(true);
    for (const state of [one, other]) expect(isIntact(state, start)).toBe(true);
    const { added, given, format, isRewritten } = one;
    const forged = { id: one.id, stateKey: other.stateKey, added, given, format, isRewritten } as State;
    expect(isIntact(forged, start)).toBe(false);
  });

  it('leaves the state of the environment as it is after a malformed message', async () => {
    const store = await engine.open();
    const start = await store.tree.addRoot(root);
    const after = await store.tree.addStep({
      parent: start,
      assistant: say('???'),
      observation: hear('Write an action.'),
      reached: start,
    });
    expect(after).toMatchObject({ step: 1, actions: [], actionKeys: [], stateKey: start.stateKey });
    expect(await (await engine.reopen(store)).tree.state(after.id)).toEqual(after);
  });

  it('keeps the first record of a transition, and gives it to whoever comes later', async () => {
    const store = await engine.open();
    const first = transition({
      observation: 'A room.',
      done: true,
      reward: 0.25,
      success: false,
      details: { rows: 1 },
    });
    expect(await store.tree.addTransition(first)).toEqual(first);
    expect(await store.tree.addTransition({ ...first, observation: 'Another room.', reward: 1 })).toEqual(first);
    expect(await (await engine.reopen(store)).tree.transition('after')).toEqual(first);
    expect(await store.tree.transition('never')).toBeNull();
  });

  it('keeps any observation to the letter, as a replay is compared with it', async () => {
    const store = await engine.open();
    let number = 0;
    await fc.assert(
      fc.asyncProperty(anyText, async (observation) => {
        const key = `key-${++number}`;
        await store.tree.addTransition(transition({ key, observation }));
        expect((await store.tree.transition(key))?.observation).toBe(observation);
      }),
      { numRuns: 60, seed: 3, examples: [['a\u0000b'], ['half \ud800 pair']] },
    );
  });

  it('keeps an unknown outcome unknown', async () => {
    const store = await engine.open();
    const unknown = transition({ done: true });
    await store.tree.addTransition(unknown);
    expect(await store.tree.transition('after')).toEqual(unknown);
  });

  it('walks a path of five hundred steps within a second of processor time', async () => {
    const store = await engine.open();
    let state = await store.tree.addRoot(root);
    for (let step = 1; step <= 500; step++) state = await take(store, state, `Step ${step}.`, 'on', 'A corridor.');
    const other = await engine.reopen(store);
    let path: State[] = [];
    const took = await processorMs(async () => {
      path = await other.tree.path(state.id);
    });
    expect(took).toBeLessThan(1_000);
    expect(path.map(({ step }) => step)).toEqual(Array.from({ length: 501 }, (_, step) => step));
    expect(path.at(-1)).toEqual(state);
  });

  it('says which state is missing', async () => {
    const store = await engine.open();
    await expect(store.tree.state('no-such-state')).rejects.toThrow('no-such-state');
  });
});
