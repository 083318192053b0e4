// Layer: the session cache with a real store and an environment that counts what is asked of it.

import { describe, expect, it } from 'vitest';
import { observationText } from '../../../src/domain/observation.ts';
import { defineEnvironment } from '../../../src/environments/define.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { SessionCache } from '../../../src/environments/sessions/session-cache.ts';
import type { Store } from '../../../src/store/store.ts';
import { positionAfter, type State } from '../../../src/store/tree.ts';
import { type DoorsOptions, doors, go } from '../../activities/doors.ts';
import { countingInstruments } from '../../helpers/metrics.ts';
import { temporaryStore } from '../../helpers/store.ts';
import { never, setting, take } from './setting.ts';

describe('a step', () => {
  it('gives the same however often it is taken, and asks the environment once', async () => {
    const { cache, seen, root } = await setting();
    const first = await cache.step(root, go('left'), never);
    expect(first).toMatchObject({ observation: 'A room behind left.', done: false, reward: null, success: null });
    expect(await cache.step(root, go('left'), never)).toEqual(first);
    expect(
      await Promise.all([cache.step(root, go('right'), never), cache.step(root, go('right'), never)]),
    ).toHaveLength(2);
    expect(seen.stepped).toBe(2);
  });

  it('goes on in the session that is there', async () => {
    const place = await setting();
    let state = place.root;
    for (const door of ['left', 'right', 'up']) state = await take(place, state, door);
    expect(place.seen).toMatchObject({ opened: 1, stepped: 3 });
    expect(place.cache.rebuilt).toBe(0);
  });

  it('is shared by two thoughts that lead to the same action', async () => {
    const place = await setting();
    const bold = await take(place, place.root, 'left', 'Surely left.');
    const timid = await take(place, place.root, 'left', 'Perhaps left?');
    expect(bold.id).not.toBe(timid.id);
    const [one, other] = [await take(place, bold, 'right'), await take(place, timid, 'right')];
    expect(one.stateKey).toBe(other.stateKey);
    expect(place.seen.stepped).toBe(2);
  });

  it('ends its session with the task', async () => {
    const place = await setting();
    const end = await place.cache.step(place.root, go('treasure'), never);
    expect(end).toMatchObject({ done: true, reward: 1, success: true });
    expect(place.seen).toMatchObject({ opened: 1, closed: 1 });
  });

  it.each([
    ['treasure', undefined, 1, true],
    ['cellar', undefined, 0.5, false],
    ['cellar', 0.5, 0.5, true],
    ['pit', undefined, 0, false],
  ])('to the %s with success from %s has reward %s and success %s', async (door, successAt, reward, success) => {
    const { cache, root } = await setting({ successAt });
    expect(await cache.step(root, go(door), never)).toMatchObject({ done: true, reward, success });
  });

  it("keeps the environment's own success flag, and details", async () => {
    const result = { observation: 'End.', done: true, reward: 0.2, success: true, details: { rows: 3 } };
    const { cache, root } = await setting({ step: () => result });
    expect(await cache.step(root, go('left'), never)).toMatchObject({
      reward: 0.2,
      success: true,
      details: { rows: 3 },
    });
  });
});

describe('a state without a session', () => {
  it('is restored by replay, in another process too', async () => {
    const place = await setting();
    const state = await take(place, await take(place, place.root, 'left'), 'right');
    const elsewhere = await setting({}, place.store);
    const after = await elsewhere.cache.step(state, go('up'), never);
    expect(after.observation).toBe('A room behind left, right, up.');
    expect(elsewhere.seen).toMatchObject({ opened: 1, stepped: 3 });
    expect(elsewhere.cache.rebuilt).toBe(1);
  });

  it('is restored for a branch while the trajectory goes on in its own session', async () => {
    const place = await setting();
    const middle = await take(place, place.root, 'left');
    await take(place, middle, 'right');
    const branch = await take(place, middle, 'up');
    expect((await place.store.tree.transition(branch.stateKey))?.observation).toBe('A room behind left, up.');
    expect(place.seen).toMatchObject({ opened: 2, stepped: 4 });
  });

  it('diverges as such when the environment gives another observation than the recorded one', async () => {
    const place = await setting();
    const state = await take(place, await take(place, place.root, 'left'), 'right');
    const changed = await setting(
      { step: (way) => (way.length === 2 ? { observation: 'Something else.', done: false } : undefined) },
      place.store,
    );
    await expect(changed.cache.step(state, go('up'), never)).rejects.toMatchObject({
      kind: 'Environment.ReplayDivergence',
      message: expect.stringMatching(/action 2.*A room behind left, right.*Something else/),
    });
    expect(changed.seen).toMatchObject({ opened: 1, closed: 1 });
    await expect(changed.cache.checkPrefix(state, never)).rejects.toMatchObject({
      kind: 'Environment.ReplayDivergence',
    });
  });

  it('diverges when the environment ends where it did not', async () => {
    const place = await setting();
    const state = await take(place, place.root, 'left');
    const over = { observation: 'A room behind left.', done: true, reward: 0 };
    const changed = await setting({ step: (way) => (way.length === 1 ? over : undefined) }, place.store);
    await expect(changed.cache.step(state, go('up'), never)).rejects.toMatchObject({
      kind: 'Environment.ReplayDivergence',
    });
  });

  it('is gone for good where the environment cannot be replayed, and nothing is repeated', async () => {
    const place = await setting({ capabilities: { deterministic: false } });
    const state = await take(place, place.root, 'left');
    const elsewhere = await setting({ capabilities: { deterministic: false } }, place.store);
    await expect(elsewhere.cache.step(state, go('up'), never)).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringContaining('cannot be replayed'),
    });
    expect(elsewhere.seen).toMatchObject({ opened: 0, stepped: 0 });
    // The session that is there can still be used.
    expect((await place.cache.step(state, go('up'), never)).observation).toBe('A room behind left, up.');
  });

  it('is proven restorable once, with the number of observations that were compared', async () => {
    const place = await setting();
    const state = await take(place, await take(place, place.root, 'left'), 'right');
    const elsewhere = await setting({}, place.store);
    expect(await elsewhere.cache.checkPrefix(state, never)).toBe(2);
    expect(await elsewhere.cache.checkPrefix(state, never)).toBe(2);
    expect(elsewhere.seen.stepped).toBe(2);
    expect(await elsewhere.cache.checkPrefix(place.root, never)).toBe(0);
    // The session of the proof is used by the branch.
    await elsewhere.cache.step(state, go('up'), never);
    expect(elsewhere.seen.stepped).toBe(3);
  });
});

describe('the state after a step', () => {
  /** A cupboard whose tools answer "ok" whatever they write. */
  function cupboard(options: { hash?: boolean; snapshot?: boolean; broken?: () => unknown } = {}) {
    const seen = { opened: 0, stepped: 0 };
    const environment = defineEnvironment({
      name: 'cupboard',
      version: '1',
      tools: [{ type: 'function', function: { name: 'put', description: 'Puts.', parameters: {} } }],
      tasks: async () => [{ id: 'task-1', split: 'train', group: 'g', title: 'Tidy up', difficulty: null }],
      briefing: async () => ({ system: 'Tidy up.', user: 'Go.' }),
      open: async () => {
        seen.opened++;
        const held: string[] = [];
        return {
          step: async ({ arguments: { thing } }) => {
            seen.stepped++;
            if (thing === 'end') return { observation: 'Done.', done: true, reward: 1 };
            if (thing !== 'nothing') held.push(String(thing));
            return { observation: 'ok', done: false };
          },
          ...(options.hash !== false && {
            stateHash: async () => (options.broken?.() as string | undefined) ?? held.toSorted().join(),
          }),
          ...(options.snapshot && { snapshot: async () => held }),
        };
      },
    });
    return { environment, seen };
  }
  const put = (thing: string) => ({ tool: 'put', arguments: { thing } });

  async function open(store: Store, options: Parameters<typeof cupboard>[0] = {}) {
    const { environment, seen } = cupboard({ ...options });
    const cache = new SessionCache(store.tree, new EnvironmentRegistry([environment]));
    const messages = [{ role: 'user' as const, content: 'Go.' }];
    const of = { environment: 'cupboard', version: '1', taskId: 'task-1' };
    const root = await store.tree.addRoot({ ...of, messages, tools: [], format: 'react' });
    const putAway = async (parent: State, thing: string) => {
      const transition = await cache.step(parent, put(thing), never);
      const assistant = { role: 'assistant' as const, content: thing };
      const read = [{ role: 'user' as const, content: observationText(transition.observation) }];
      return store.tree.addStep({
        parent,
        assistant,
        observation: read,
        reached: positionAfter(parent, put(thing), transition),
      });
    };
    return { cache, seen, root, putAway };
  }

  it('is recorded with the transition, and read by another process', async () => {
    const store = await temporaryStore();
    const { cache, root, putAway } = await open(store, { broken: () => undefined });
    const cup = await putAway(root, 'cup');
    expect((await store.tree.transition(cup.stateKey))?.mark).toEqual({
      hash: 'cup',
      by: 'environment',
      changed: true,
    });
    expect((await cache.step(cup, put('nothing'), never)).mark).toMatchObject({ hash: 'cup', changed: false });
    expect((await cache.step(cup, put('end'), never)).mark).toBeNull();
  });

  it('is that of the snapshot where the environment gives no hash, and unknown where it gives neither', async () => {
    const snapshots = await open(await temporaryStore(), { hash: false, snapshot: true });
    const first = await snapshots.cache.step(snapshots.root, put('cup'), never);
    const second = await snapshots.cache.step(snapshots.root, put('jug'), never);
    expect(first.mark).toMatchObject({ by: 'snapshot', changed: true });
    expect(second.mark?.hash).not.toBe(first.mark?.hash);
    const nothing = await open(await temporaryStore(), { hash: false });
    expect((await nothing.cache.step(nothing.root, put('cup'), never)).mark).toBeNull();
  });

  it('diverges in a replay like an observation, although the agent reads the same', async () => {
    const store = await temporaryStore();
    const { root, putAway } = await open(store);
    const state = await putAway(await putAway(root, 'cup'), 'jug');
    const changed = await open(store, { broken: () => 'something else' });
    await expect(changed.cache.checkPrefix(state, never)).rejects.toMatchObject({
      kind: 'Environment.ReplayDivergence',
      message: expect.stringMatching(/action 1: "ok" as recorded, but the state hash is another one/),
    });
  });

  it('of steps that were recorded without it is filled in by one replay of the way there', async () => {
    const store = await temporaryStore();
    const before = await open(store, { hash: false });
    const cup = await before.putAway(await before.putAway(before.root, 'nothing'), 'cup');
    const jug = await before.cache.step(cup, put('jug'), never);
    expect(jug.mark).toBeNull();
    const now = await open(store);
    expect((await now.cache.stepToState(cup, put('jug'), never)).mark).toMatchObject({
      hash: 'cup,jug',
      changed: true,
    });
    expect((await store.tree.transition(cup.stateKey))?.mark).toMatchObject({ hash: 'cup', changed: true });
    expect(now.seen).toEqual({ opened: 1, stepped: 3 });
    await now.cache.stepToState(cup, put('jug'), never);
    expect(now.seen.stepped).toBe(3);
  });

  it('is asked of nobody twice where there is none', async () => {
    const place = await open(await temporaryStore(), { hash: false });
    await place.cache.stepToState(place.root, put('cup'), never);
    await place.cache.stepToState(place.root, put('cup'), never);
    expect(place.seen).toEqual({ opened: 1, stepped: 1 });
  });

  it.each([[false], [7]])('that is no text (%j) is the environment’s own fault', async (hash) => {
    const { cache, root } = await open(await temporaryStore(), { broken: () => hash });
    await expect(cache.step(root, put('cup'), never)).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringContaining('which is no text'),
    });
  });
});

describe('an environment that breaks', () => {
  const broken = () => {
    throw new Error('host unreachable');
  };

  it('is told as its own fault, with its session closed', async () => {
    const { cache, seen, root } = await setting({ step: broken });
    await expect(cache.step(root, go('left'), never)).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringMatching(/doors.*task-1.*host unreachable/),
    });
    expect(seen).toMatchObject({ opened: 1, closed: 1, stepped: 1 });
  });

  it('for a moment does the step for whoever tries again', async () => {
    let times = 0;
    const place = await setting({ step: () => (++times === 2 ? broken() : undefined) });
    const state = await take(place, place.root, 'left');
    await expect(place.cache.step(state, go('up'), never)).rejects.toMatchObject({ kind: 'Environment.Fault' });
    expect((await place.cache.step(state, go('up'), never)).observation).toBe('A room behind left, up.');
  });

  it('when it opens is told in the same way', async () => {
    const { cache, root } = await setting({ opening: broken });
    await expect(cache.step(root, go('left'), never)).rejects.toMatchObject({ kind: 'Environment.Fault' });
  });

  it.each([
    [{ done: true, observation: '', reward: Number.NaN }, /NaN/],
    [{ done: true, observation: '', reward: -1 }, /-1/],
    [{ done: true, observation: '', reward: 1.5 }, /1\.5/],
    [{ done: true, observation: '' }, /without a reward/],
  ])('in its grader (%o) gives no outcome at all', async (result, message) => {
    const { cache, store, root } = await setting({ step: () => result });
    await expect(cache.step(root, go('left'), never)).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringMatching(message),
    });
    expect((await store.tree.state(root.id)).id).toBe(root.id);
  });
});

describe('sessions', () => {
  it('are never more than the environment allows: the one that was not used for longest makes room', async () => {
    const place = await setting({ capabilities: { maxSessions: 2 } });
    const states = [];
    for (const door of ['a', 'b', 'c', 'd']) states.push(await take(place, place.root, door));
    expect(place.seen).toMatchObject({ mostOpen: 2, opened: 4, closed: 2 });
    // The newest is still there, the oldest is not.
    await take(place, states[3]!, 'on');
    expect(place.seen.opened).toBe(4);
    await take(place, states[0]!, 'on');
    expect(place.seen.opened).toBe(5);
    expect(place.seen.mostOpen).toBe(2);
  });

  it('in use count too: who finds none free waits', async () => {
    const place = await setting({
      capabilities: { maxSessions: 3 },
      step: async () => void (await new Promise((resolve) => setTimeout(resolve, 5))),
    });
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => place.cache.step(place.root, go(`door-${index}`), never)),
    );
    expect(place.seen.mostOpen).toBe(3);
    expect(place.seen.stepped).toBe(20);
  });

  it('are not held by a caller that gave up waiting for one', async () => {
    const hold = Promise.withResolvers<undefined>();
    const place = await setting({
      capabilities: { maxSessions: 1 },
      step: (way) => (way[0] === 'slow' ? hold.promise : undefined),
    });
    const slow = place.cache.step(place.root, go('slow'), never);
    const leaving = new AbortController();
    const waiting = place.cache.step(place.root, go('left'), leaving.signal);
    const reason = new Error('cancelled');
    leaving.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    hold.resolve(undefined);
    await slow;
    expect((await place.cache.step(place.root, go('right'), never)).observation).toBe('A room behind right.');
    expect(place.seen.mostOpen).toBe(1);
  });

  it('are all closed at the end, those in use when they are given back', async () => {
    const hold = Promise.withResolvers<undefined>();
    const place = await setting({ step: (way) => (way[0] === 'slow' ? hold.promise : undefined) });
    await place.cache.step(place.root, go('left'), never);
    const slow = place.cache.step(place.root, go('slow'), never);
    await expect.poll(() => place.seen.opened).toBe(2);
    await place.cache.close();
    expect(place.seen.closed).toBe(1);
    hold.resolve(undefined);
    await slow;
    expect(place.seen.closed).toBe(2);
  });
});

describe('a caller that gives up', () => {
  it('ends the step and its session, and leaves nothing recorded', async () => {
    let told: AbortSignal | undefined;
    const place = await setting({
      step: (way, signal) => {
        if (way[0] !== 'slow') return undefined;
        told = signal;
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      },
    });
    const leaving = new AbortController();
    const reason = new Error('cancelled');
    const step = place.cache.step(place.root, go('slow'), leaving.signal);
    await expect.poll(() => told).toBeDefined();
    leaving.abort(reason);
    await expect(step).rejects.toBe(reason);
    await expect.poll(() => place.seen.closed).toBe(1);
    expect(place.seen.stepped).toBe(1);
  });

  it('does not take the step from others who wait for it', async () => {
    const hold = Promise.withResolvers<undefined>();
    const place = await setting({ step: () => hold.promise });
    const leaving = new AbortController();
    const first = place.cache.step(place.root, go('left'), leaving.signal);
    const second = place.cache.step(place.root, go('left'), never);
    leaving.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    hold.resolve(undefined);
    expect((await second).observation).toBe('A room behind left.');
    expect(place.seen.stepped).toBe(1);
  });
});

describe('an environment that cannot be replayed but has snapshots', () => {
  /** A counter whose observations differ in every session, so that a replay would be noticed. */
  function counter() {
    const opened: (number | undefined)[] = [];
    const environment = defineEnvironment({
      name: 'counter',
      version: '1',
      capabilities: { deterministic: false, branchable: true },
      tools: [{ type: 'function', function: { name: 'add', description: 'Adds.', parameters: {} } }],
      tasks: async () => [{ id: 'task-1', split: 'train', group: 'g', title: 'Count', difficulty: null }],
      briefing: async () => ({ system: 'Count.', user: 'Go.' }),
      open: async (_task, snapshot) => {
        opened.push(snapshot as number | undefined);
        let count = (snapshot as number | undefined) ?? 0;
        return {
          step: async () => {
            count++;
            return { observation: `${count}, in session ${opened.length}`, done: false };
          },
          snapshot: async () => count,
        };
      },
    });
    return { environment, opened };
  }

  it('is restored from its snapshot by another worker, without a replay', async () => {
    const store = await temporaryStore();
    const { environment, opened } = counter();
    const add = { tool: 'add', arguments: {} };
    const first = new SessionCache(store.tree, new EnvironmentRegistry([environment]));
    const root = await store.tree.addRoot({
      environment: 'counter',
      version: '1',
      taskId: 'task-1',
      messages: [{ role: 'user', content: 'Go.' }],
      tools: [],
      format: 'react',
    });
    const transition = await first.step(root, add, never);
    await first.close();
    const state = await store.tree.addStep({
      parent: root,
      assistant: { role: 'assistant', content: 'add' },
      observation: [{ role: 'user', content: observationText(transition.observation) }],
      reached: positionAfter(root, add, transition),
    });

    const second = new SessionCache(store.tree, new EnvironmentRegistry([environment]));
    expect(await second.checkPrefix(state, never)).toBe(0);
    expect((await second.step(state, add, never)).observation).toBe('2, in session 2');
    expect(opened).toEqual([undefined, 1]);
    await second.close();
  });
});

describe('an environment in which what was recorded counts', () => {
  /** A list whose answers are never the same twice. Its sessions note what they were told. */
  function chat({ snapshots = false, forgets = false, hidden = false } = {}) {
    const seen = { opened: [] as unknown[], stepped: 0, told: [] as string[] };
    const options: DoorsOptions = {
      capabilities: { replay: 'recorded' },
      open: async (_task, snapshot) => {
        seen.opened.push(snapshot);
        const said: string[] = Array.isArray(snapshot) ? (snapshot as string[]) : [];
        return {
          step: async ({ arguments: { door } }) => {
            const observation = `Reply ${++seen.stepped} to ${String(door)}.`;
            said.push(observation);
            return { observation, done: false, details: { at: seen.stepped } };
          },
          recall: async (_action, result) => {
            seen.told.push(JSON.stringify(result));
            if (!forgets) said.push(observationText(result.observation));
          },
          ...(snapshots && { snapshot: async () => [...said] }),
          ...(!hidden && { stateHash: async () => said.join('|') }),
        };
      },
    };
    return { seen, options };
  }

  it('is told the recorded steps when its session is gone, and takes none of them again', async () => {
    const first = chat();
    const place = await setting(first.options);
    const state = await take(place, await take(place, place.root, 'a'), 'b');
    await place.cache.close();
    const { seen, options } = chat();
    const elsewhere = await setting(options, place.store);
    expect(await elsewhere.cache.checkPrefix(state, never)).toBe(0);
    expect(seen).toEqual({
      opened: [undefined],
      stepped: 0,
      told: [
        '{"observation":"Reply 1 to a.","done":false,"details":{"at":1}}',
        '{"observation":"Reply 2 to b.","done":false,"details":{"at":2}}',
      ],
    });
    expect((await elsewhere.cache.step(state, go('c'), never)).mark?.hash).toBe(
      'Reply 1 to a.|Reply 2 to b.|Reply 1 to c.',
    );
    expect(seen).toMatchObject({ opened: [undefined], stepped: 1 });
  });

  it('is restored from its snapshot if it has one, and told nothing', async () => {
    const place = await setting(chat({ snapshots: true }).options);
    const state = await take(place, place.root, 'a');
    const { seen, options } = chat({ snapshots: true });
    const elsewhere = await setting(options, place.store);
    expect(await elsewhere.cache.checkPrefix(state, never)).toBe(0);
    expect(seen).toEqual({ opened: [['Reply 1 to a.']], stepped: 0, told: [] });
  });

  it('is told nothing if its sessions keep nothing of earlier steps', async () => {
    let stepped = 0;
    const stateless: DoorsOptions = {
      capabilities: { replay: 'recorded' },
      open: async () => ({ step: async () => ({ observation: `Page ${++stepped}.`, done: false }) }),
    };
    const place = await setting(stateless);
    const state = await take(place, await take(place, place.root, 'a'), 'b');
    const elsewhere = await setting(stateless, place.store);
    expect((await elsewhere.cache.step(state, go('c'), never)).observation).toBe('Page 3.');
  });

  it('diverges when its session is in another state after what it was told', async () => {
    const place = await setting(chat().options);
    const state = await take(place, place.root, 'a');
    const elsewhere = await setting(chat({ forgets: true }).options, place.store);
    await expect(elsewhere.cache.step(state, go('b'), never)).rejects.toMatchObject({
      kind: 'Environment.ReplayDivergence',
      message: expect.stringContaining('told 1 recorded steps'),
    });
  });

  it('breaks when a step that it must be told is no longer recorded', async () => {
    const place = await setting(chat().options);
    const state = await take(place, place.root, 'a');
    await place.store.database.kysely.deleteFrom('transitions').execute();
    const elsewhere = await setting(chat().options, place.store);
    await expect(elsewhere.cache.step(state, go('b'), never)).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringContaining('Action 1 of doors/task-1 is no longer recorded'),
    });
  });

  it('goes on from the step that another worker recorded first, although its own came out differently', async () => {
    const place = await setting(chat({ hidden: true }).options);
    const other = chat({ hidden: true });
    const recorded: DoorsOptions = {
      ...other.options,
      open: async (task, snapshot, context) => {
        const session = await other.options.open!(task, snapshot, context);
        return {
          ...session,
          step: async (action, signal, stepContext) => {
            await place.cache.step(place.root, action, signal);
            other.seen.stepped = 6;
            return session.step(action, signal, stepContext);
          },
        };
      },
    };
    const late = await setting(recorded, place.store);
    expect((await late.cache.step(late.root, go('a'), never)).observation).toBe('Reply 1 to a.');
    expect([...late.cache.open]).toEqual([['doors', 0]]);
  });
});

describe('what is seen of it from outside', () => {
  it('counts steps, rebuilt sessions and divergences by environment', async () => {
    const { instruments, samples } = countingInstruments();
    const logged: string[] = [];
    const log = (level: string, event: string) => logged.push(`${level} ${event}`);
    const first = await setting();
    const state = await take(first, first.root, 'left');
    const changed = doors({ step: () => ({ observation: 'Another room.', done: false }) });
    const cache = new SessionCache(first.store.tree, new EnvironmentRegistry([changed.environment]), {
      instruments,
      log,
    });
    await expect(cache.step(state, go('right'), never)).rejects.toMatchObject({ kind: 'Environment.ReplayDivergence' });
    await cache.step(first.root, go('up'), never);
    expect([...cache.open]).toEqual([['doors', 1]]);
    expect(await samples()).toMatchObject({
      'crux_sessions_rebuilt_total{environment="doors"}': 1,
      'crux_replay_divergences_total{environment="doors"}': 1,
      'crux_environment_step_seconds_count{environment="doors"}': 1,
    });
    expect(logged).toEqual(['debug session rebuilt', 'warn replay diverged']);
  });
});
