// Layer: what a step of several calls, and an observation that is more than one text, leave in the tree.
import { describe, expect, it } from 'vitest';
import type { Message, Tool } from '../../../src/domain/message.ts';
import { turnsAfter } from '../../../src/views/turns.ts';
import { type DoorsOptions, go } from '../doors.ts';
import { begun } from '../saying.ts';
import type { Workplace } from '../workplace.ts';

/** The same state, read by another process. */
async function readAgain({ store }: Pick<Workplace, 'store'>, id: string) {
  const { Tree } = await import('../../../src/store/tree.ts');
  return new Tree(store.database).state(id);
}

const results = (...contents: string[]): Message[] =>
  contents.map((content, index) => ({ role: 'tool', tool_call_id: `call_1_${index}`, content }));

describe('a message with several calls', () => {
  it('takes them in their order, each its own transition, and each is answered', async () => {
    const place = await begun();
    const { taken, state } = await place.call(['go', 'left'], ['go', 'up']);
    expect(taken).toMatchObject({ step: 1, done: false });
    expect(state.actions).toEqual([go('left'), go('up')]);
    expect(state.added.slice(1)).toEqual(results('A room behind left.', 'A room behind left, up.'));
    const transitions = await Promise.all(state.actionKeys.map((key) => place.store.tree.transition(key)));
    expect(transitions.map((one) => one?.observation)).toEqual(['A room behind left.', 'A room behind left, up.']);
    expect(transitions[1]!.parentKey).toBe(state.actionKeys[0]);
    expect(state.stateKey).toBe(state.actionKeys[1]);
    const again = await readAgain(place, state.id);
    expect([again.actions, again.actionKeys, again.executed]).toEqual([
      state.actions,
      state.actionKeys,
      state.executed,
    ]);
  });

  it('ends with the call that ends the task: the others are answered, and not executed', async () => {
    const { call, seen } = await begun();
    const { taken, state } = await call(['go', 'treasure'], ['go', 'pit']);
    expect(taken).toMatchObject({ done: true, reward: 1, success: true });
    expect(state.executed).toEqual([go('treasure')]);
    expect(state.added.slice(1)).toEqual(results('The treasure.', 'Not executed: the task was over before this call.'));
    expect(seen.stepped).toBe(1);
  });

  it('of which one is malformed executes the others', async () => {
    const { call } = await begun();
    const { state } = await call(['jump', 'left'], ['go', 'up']);
    expect(state.executed).toEqual([go('up')]);
    expect(state.added.slice(1).map(({ content }) => content)).toEqual([
      expect.stringContaining('There is no tool "jump"'),
      'A room behind up.',
    ]);
  });

  it('repeated after a crash asks the environment only for what is missing', async () => {
    let isBroken = true;
    const step = (way: string[]) => {
      if (way.length === 2 && isBroken) throw new Error('The host died.');
      return undefined;
    };
    const place = await begun({ doors: { step, capabilities: { sessions: 'cheap' } } });
    const trial = place.call(['go', 'left'], ['go', 'up']);
    isBroken = true;
    await expect(trial).rejects.toMatchObject({ type: 'Environment.Fault' });
    isBroken = false;
    const answerKey = 'answer-1';
    const taken = await place.perform(place.activities.environmentStep, {
      ...{ runId: 'run-1', nodeId: place.rootId, answerKey },
    });
    expect((await place.store.tree.state(taken.nodeId)).actions).toEqual([go('left'), go('up')]);
  });

  it('of a run that began before takes only the first', async () => {
    const { call } = await begun({ calls: 'first' });
    const { state } = await call(['go', 'left'], ['go', 'up']);
    expect(state.executed).toEqual([go('left')]);
    expect(state.added.at(-1)!.content).toBe('Not executed: only the first tool call of a message is.');
  });
});

const key: Tool = { type: 'function', function: { name: 'unlock', description: 'Unlock a door.', parameters: {} } };

describe('an observation', () => {
  const said = (door: string, observation: unknown, more: object = {}): DoorsOptions => ({
    step: (way) => (way.at(-1) === door ? ({ observation, done: false, ...more } as never) : undefined),
  });

  it('may be a result with messages of the user: each is cut by itself', async () => {
    const messages = [{ role: 'user' as const, content: `Thanks. ${'.'.repeat(60)}` }];
    for (const format of ['tools', 'react'] as const) {
      const { call, say, store } = await begun({ doors: said('bell', { result: 'It rings.', messages }), format });
      const { state } =
        format === 'tools'
          ? await call(['go', 'bell'], ['go', 'up'])
          : await say({ role: 'assistant', content: 'Action: go\nAction Input: {"door":"bell"}' });
      const read = state.added.slice(1);
      expect(read.map(({ role }) => role)).toEqual(format === 'tools' ? ['tool', 'tool', 'user'] : ['user', 'user']);
      expect(read[0]!.content).toBe(format === 'tools' ? 'It rings.' : 'Observation: It rings.');
      expect(read.at(-1)!.content).toMatch(/^Thanks[\s\S]*of the 68 characters of this observation are left out/);
      expect((await store.tree.transition(state.actionKeys[0]!))!.observation).toEqual({
        result: 'It rings.',
        messages,
      });
    }
  });

  it('may be a new conversation: it stands in place of the old one, and later steps follow it', async () => {
    const conversation: Message[] = [
      { role: 'system', content: 'Summary: two doors.' },
      { role: 'user', content: 'Go on.' },
    ];
    const place = await begun({ doors: said('summary', { conversation }) });
    await place.call(['go', 'left']);
    const { state: rewritten } = await place.call(['go', 'summary'], ['go', 'up']);
    // What comes after it in the message is not executed: the conversation that asked for it is gone.
    expect(rewritten.executed).toEqual([go('summary')]);
    expect(rewritten.messages).toEqual(conversation);
    const { state } = await place.call(['go', 'up']);
    expect(state.messages.slice(0, 2)).toEqual(conversation);
    expect(state.messages).toHaveLength(4);
    expect(state.actions).toEqual([go('left'), go('summary'), go('up')]);
    expect((await readAgain(place, state.id)).messages).toEqual(state.messages);
    const root = await place.store.tree.state(place.rootId);
    expect((await turnsAfter(place.store, root, state.id)).change).toBe('conversation-rewritten');
    expect(await turnsAfter(place.store, rewritten, state.id)).toMatchObject({ change: null, turns: { length: 2 } });
    // Nothing follows the last observation, so a row can do without it.
    expect(await turnsAfter(place.store, root, rewritten.id)).toMatchObject({ change: null, turns: { length: 3 } });
  });

  it('that is a new conversation tells an agent that writes text the form again, with the tools of then', async () => {
    const place = await begun({
      doors: said('summary', { conversation: [{ role: 'user', content: 'Go on.' }] }, { tools: [key] }),
      format: 'react',
    });
    const { state } = await place.say({ role: 'assistant', content: 'Action: go\nAction Input: {"door":"summary"}' });
    expect(state.messages).toEqual([
      { role: 'system', content: expect.stringMatching(/^You work in steps[\s\S]*- unlock: Unlock a door\./) },
      { role: 'user', content: 'Go on.' },
    ]);
    const { state: next } = await place.say({
      role: 'assistant',
      content: 'Action: unlock\nAction Input: {"door":"a"}',
    });
    expect(next.executed).toEqual([{ tool: 'unlock', arguments: { door: 'a' } }]);
  });

  it('that is a new conversation of tool calls is a fault for an agent that writes text', async () => {
    const call = { id: 'a', type: 'function' as const, function: { name: 'go', arguments: '{}' } };
    const conversation: Message[] = [
      { role: 'user', content: 'Go on.' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: 'A room.' },
    ];
    const doors = { ...said('summary', { conversation }), capabilities: { replay: 'never' as const } };
    const place = await begun({ doors, format: 'react' });
    const message = { role: 'assistant' as const, content: 'Action: go\nAction Input: {"door":"summary"}' };
    await expect(place.say(message)).rejects.toMatchObject({
      type: 'Environment.Fault',
      message: expect.stringMatching(/in step 1 of task task-1: its new conversation holds tool calls/),
    });
    const other = await begun({ doors });
    expect((await other.call(['go', 'summary'])).state.messages).toEqual(conversation);
  });

  it('may change the tools: the state offers them from there on', async () => {
    const tools = [key, { ...key, function: { ...key.function, name: 'go' } }];
    const place = await begun({ doors: said('hall', 'A hall.', { tools }) });
    const { state } = await place.call(['go', 'hall']);
    expect(state.tools).toEqual(tools);
    const { state: next } = await place.call(['unlock', 'left']);
    expect([next.tools, next.executed]).toEqual([tools, [{ tool: 'unlock', arguments: { door: 'left' } }]]);
    expect((await readAgain(place, next.id)).tools).toEqual(tools);
    const root = await place.store.tree.state(place.rootId);
    expect((await turnsAfter(place.store, root, next.id)).change).toBe('tools-changed');
  });

  it('that changes the tools says so to a model that reads them as text', async () => {
    const place = await begun({ doors: said('hall', 'A hall.', { tools: [key] }), format: 'react' });
    const { state } = await place.say({ role: 'assistant', content: 'Action: go\nAction Input: {"door":"hall"}' });
    expect(state.tools).toEqual([]);
    expect(state.added.at(-1)!.content).toBe(
      'Observation: A hall.\n\nThe tools are now:\n- unlock: Unlock a door. Input: {}',
    );
    const { state: next } = await place.say({
      role: 'assistant',
      content: 'Action: unlock\nAction Input: {"door":"a"}',
    });
    expect(next.executed).toEqual([{ tool: 'unlock', arguments: { door: 'a' } }]);
  });

  it.each<[string, unknown, object, RegExp]>([
    [
      'a new conversation without a user',
      { conversation: [{ role: 'system', content: 'x' }] },
      {},
      /no message of the user/,
    ],
    [
      'a new conversation that no model answers',
      {
        conversation: [
          { role: 'user', content: 'x' },
          { role: 'assistant', content: 'y' },
        ],
      },
      {},
      /ends with a message of the assistant/,
    ],
    [
      "a new conversation with a tool's result that answers no call",
      {
        conversation: [
          { role: 'user', content: 'x' },
          { role: 'tool', tool_call_id: 'a', content: 'y' },
        ],
      },
      {},
      /answers no call: a/,
    ],
    [
      'a new conversation with a call that has no result',
      {
        conversation: [
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'b', type: 'function', function: { name: 'go', arguments: '{}' } }],
          },
          { role: 'user', content: 'x' },
        ],
      },
      {},
      /the call b of its new conversation has no result/,
    ],
    [
      'messages that are not of the user',
      { result: '', messages: [{ role: 'system', content: 'x' }] },
      {},
      /of the role "system"/,
    ],
    ['two tools of one name', 'A hall.', { tools: [key, key] }, /two of its tools are named "unlock"/],
    ['tools that change without a new state', 'A hall.', { tools: [key] }, /its tools changed, and its state did not/],
  ])('with %s is a fault of the environment', async (what, observation, more, message) => {
    const still: DoorsOptions = {
      open: async () => ({
        step: async () => ({ observation: 'A hall.', done: false, tools: [key] }),
        stateHash: async () => 'same',
      }),
    };
    const doors = what.includes('without a new state') ? still : said('bad', observation, more);
    // Not insisted on: nothing here passes by itself.
    const place = await begun({ doors: { ...doors, capabilities: { replay: 'never' } } });
    await expect(place.call(['go', 'bad'])).rejects.toThrow(message);
    expect(await place.store.database.kysely.selectFrom('transitions').selectAll().execute()).toEqual([]);
  });
});

describe('a task that its session opens', () => {
  const opening = (content: string) => [
    { role: 'system' as const, content: 'Find the treasure.' },
    { role: 'user' as const, content: 'Ready?' },
    { role: 'assistant' as const, content: 'OK' },
    { role: 'user' as const, content },
  ];
  const bySession = (contents: string[], tools = [key]): DoorsOptions => {
    let opened = 0;
    return {
      briefing: undefined as never,
      tools: undefined as never,
      open: async () => {
        const content = contents[Math.min(opened++, contents.length - 1)]!;
        return { opening: opening(content), tools, step: async () => ({ observation: 'A room.', done: false }) };
      },
    };
  };

  it('begins with its messages and its tools, and lends the session to the first step', async () => {
    let opened = 0;
    const doors = bySession(['Two doors.']);
    const place = await begun({
      doors: {
        ...doors,
        open: (...given) => {
          opened++;
          return doors.open!(...given);
        },
      },
    });
    const root = await place.store.tree.state(place.rootId);
    expect(root.messages).toEqual(opening('Two doors.'));
    expect(root.tools).toEqual([key]);
    await place.call(['unlock', 'left']);
    expect(opened).toBe(1);
  });

  it('tells the tools in the text of a format without tool calls', async () => {
    const place = await begun({ doors: bySession(['Two doors.']), format: 'react' });
    const root = await place.store.tree.state(place.rootId);
    expect(root.messages[0]!.content).toMatch(/^Find the treasure\.[\s\S]*- unlock: Unlock a door\./);
    const said = { role: 'assistant' as const, content: 'Action: unlock\nAction Input: {"door":"a"}' };
    expect((await place.say(said)).state.executed).toEqual([{ tool: 'unlock', arguments: { door: 'a' } }]);
  });

  it('is another state when it opens otherwise, and a session is never lent to a state with another root', async () => {
    const place = await begun({ doors: bySession(['Two doors.', 'Three doors.']) });
    await place.context.sessions.close();
    const { rootId } = await place.perform(place.activities.openTask, { runId: 'run-1', position: 0 });
    expect(rootId).not.toBe(place.rootId);
    await expect(place.call(['unlock', 'left'])).rejects.toMatchObject({ type: 'Environment.ReplayDivergence' });
  });

  it.each(['recorded', 'never'] as const)('is not lent another session where replay is %s either', async (replay) => {
    const place = await begun({ doors: { ...bySession(['Two doors.', 'Three doors.']), capabilities: { replay } } });
    await place.context.sessions.close();
    await place.perform(place.activities.openTask, { runId: 'run-1', position: 0 });
    await expect(place.call(['unlock', 'left'])).rejects.toMatchObject({ type: 'Environment.ReplayDivergence' });
  });

  it('with two tools of one name is a fault with task and environment', async () => {
    const fault = await begun({
      doors: { ...bySession(['Two doors.'], [key, key]), capabilities: { replay: 'never' } },
    }).catch((error: unknown) => error);
    expect(fault).toMatchObject({
      type: 'Environment.Fault',
      message: expect.stringContaining('The opening of doors/task-1 is at fault: two of its tools are named "unlock".'),
    });
  });

  it.each([
    ['without a message of the user', [{ role: 'system' as const, content: 'x' }], /has no message of the user/],
    ['that ends with the assistant', opening('x').slice(0, 3), /does not end with a message of the user/],
    ['that is missing', undefined, /is missing/],
  ])('with an opening %s is a fault with task and environment', async (_what, messages, sentence) => {
    const doors: DoorsOptions = {
      briefing: undefined as never,
      capabilities: { replay: 'never' },
      open: async () => ({ opening: messages as never, step: async () => ({ observation: '', done: false }) }),
    };
    const fault = await begun({ doors }).catch((error: unknown) => error);
    expect(fault).toMatchObject({ type: 'Environment.Fault', message: expect.stringMatching(sentence) });
    expect(fault).toMatchObject({ message: expect.stringContaining('doors/task-1') });
  });
});
