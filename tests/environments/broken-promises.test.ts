// Layer: activities and `crux check-env` in process, with a real store. Each promise that an environment may break is named by the check, and is a fault
// with its task and step where a run meets it.
import { describe, expect, it } from 'vitest';
import type { Tool } from '../../src/domain/message.ts';
import { checkEnvironment } from '../../src/environments/check.ts';
import type { SessionContext } from '../../src/environments/contract.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { SessionCache } from '../../src/environments/sessions/session-cache.ts';
import { type DoorsOptions, doors, go } from '../activities/doors.ts';
import { begun } from '../activities/saying.ts';
import { temporaryStore } from '../helpers/store.ts';

const unlock: Tool = { type: 'function', function: { name: 'unlock', description: 'Unlock.', parameters: {} } };

/** What check-env says of one check. */
async function checked(options: DoorsOptions, name: string) {
  const plays = async () => [{ name: 'left', actions: [go('left'), go('up')] }];
  const results = await checkEnvironment(doors(options).environment, 1, { plays });
  return results.find(({ check }) => check === name);
}

/** A session that goes on for ever, with more members. */
const session = (more: object = {}, result: object = {}): DoorsOptions => ({
  open: async () => ({ step: async () => ({ observation: 'A room.', done: false, ...result }), ...more }),
});

describe('a state hash that changes although nothing happened', () => {
  let number = 0;
  const restless = session({ stateHash: async () => `${number++}` });

  it('is named by check-env', async () => {
    expect(await checked(restless, 'state hash')).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/task-1.*nothing happened/),
    });
  });

  it('diverges in a run that restores a state', async () => {
    const place = await begun({ doors: restless });
    await place.call(['go', 'left']);
    await place.context.sessions.close();
    await expect(place.call(['go', 'up'])).rejects.toMatchObject({
      type: 'Environment.ReplayDivergence',
      message: expect.stringMatching(/doors\/task-1 diverged at action 1.*the state hash is another one/),
    });
  });
});

describe('a state hash that is another one in another process', () => {
  it('diverges in the worker that takes the state over', async () => {
    const hashing = (worker: string) => session({ stateHash: async () => worker });
    const first = await begun({ doors: hashing('one') });
    const { state } = await first.call(['go', 'left']);
    const second = new EnvironmentRegistry([doors(hashing('two')).environment]);
    const step = new SessionCache(first.store.tree, second).step(state, go('up'), new AbortController().signal);
    await expect(step).rejects.toMatchObject({
      kind: 'Environment.ReplayDivergence',
      message: expect.stringMatching(/doors\/task-1 diverged at action 1/),
    });
  });
});

describe('a question after a session was closed', () => {
  const late: DoorsOptions = {
    asks: ['grade'],
    capabilities: { replay: 'recorded' },
    simulatedReply: () => 'yes',
    open: async () => {
      let kept: SessionContext;
      return {
        step: async (_action, _signal, context) => {
          kept = context;
          return { observation: 'A room.', done: false };
        },
        close: async () => void kept.ask({ purpose: 'grade', messages: [{ role: 'user', content: 'Good?' }] }),
      };
    },
  };

  it('is named by check-env', async () => {
    expect(await checked(late, 'questions')).toMatchObject({
      ok: false,
      detail: 'Task task-1, left: The environment doors asked a model when step 2 of task task-1 was over.',
    });
    const quiet = { ...late, open: session().open! };
    expect(await checked(quiet, 'questions')).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^none after its step/),
    });
    expect(await checked({}, 'questions')).toMatchObject({ ok: null });
  });

  it('is refused and logged in a run: no step is there to fail by it', async () => {
    const store = await temporaryStore();
    const { environment } = doors(late);
    const logged: unknown[] = [];
    const cache = new SessionCache(store.tree, new EnvironmentRegistry([environment]), {
      ask: () => Promise.reject(new Error('Nobody may be asked.')),
      log: (level, event, fields) => logged.push([level, event, fields]),
    });
    const root = await store.tree.addRoot({
      ...{ environment: 'doors', version: '1', taskId: 'task-1', messages: [], tools: [], format: 'react' },
    });
    await cache.step(root, go('left'), new AbortController().signal);
    await cache.close();
    const fault = {
      kind: 'Environment.Fault',
      message: expect.stringContaining('when step 1 of task task-1 was over'),
    };
    expect(logged).toEqual([['warn', 'a session asked when it may not', { error: expect.objectContaining(fault) }]]);
  });
});

describe('a cost below 0', () => {
  const paid = session({}, { cost: -1 });

  it('is named by check-env', async () => {
    expect(await checked(paid, 'costs')).toMatchObject({
      ok: false,
      detail: /Task task-1, left, action 1: the cost is -1/,
    });
  });

  it('is a fault of the step in a run', async () => {
    const place = await begun({ doors: { ...paid, capabilities: { replay: 'never' } } });
    await expect(place.call(['go', 'left'])).rejects.toMatchObject({
      type: 'Environment.Fault',
      message: expect.stringMatching(/step 1 of task task-1: its cost is -1/),
    });
  });
});

describe('tools that change without a new state', () => {
  it.each([
    ['hash', { stateHash: async () => 'same' }],
    ['snapshot', { snapshot: async () => 'same' }],
  ])('by %s are named by check-env, and a fault in a run', async (_by, told) => {
    const options = session(told, { tools: [unlock] });
    expect(await checked(options, 'tools')).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/Task task-1, left, action 1: the tools change, and the state stays/),
    });
    const place = await begun({ doors: { ...options, capabilities: { replay: 'never' } } });
    await expect(place.call(['go', 'left'])).rejects.toMatchObject({
      type: 'Environment.Fault',
      message: expect.stringMatching(/in task task-1 after 0 steps: its tools changed, and its state did not/),
    });
  });

  it('are not checked where nobody can tell the state, and that is said', async () => {
    expect(await checked(session({}, { tools: [unlock] }), 'tools')).toMatchObject({
      ok: null,
      detail: expect.stringMatching(/neither state hash/),
    });
    expect(await checked({}, 'tools')).toMatchObject({
      ok: null,
      detail: 'not checked: no step that was tried gave other tools',
    });
  });
});

describe('an opening without a message of the user', () => {
  const mute: DoorsOptions = {
    ...session({ opening: [{ role: 'system', content: 'Rules.' }] }),
    briefing: undefined as never,
  };

  it('is named by check-env, and the rest is not said to be checked', async () => {
    expect(await checked(mute, 'opening messages')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('The opening of doors/task-1 has no message of the user.'),
    });
  });

  it('is a fault in a run', async () => {
    const fault = await begun({ doors: { ...mute, capabilities: { replay: 'never' } } }).catch(
      (error: unknown) => error,
    );
    expect(fault).toMatchObject({
      type: 'Environment.Fault',
      message: expect.stringContaining('The opening of doors/task-1 has no message of the user.'),
    });
  });
});
