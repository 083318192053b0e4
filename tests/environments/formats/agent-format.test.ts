// Layer: pure core.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, type AgentFormatName, actionsOf } from '../../../src/domain/action.ts';
import type { AssistantMessage } from '../../../src/domain/message.ts';
import { agentFormat } from '../../../src/environments/formats/agent-format.ts';
import { malformedHint, sqlTextFormat } from '../../../src/environments/intercode-sql/text-format.ts';
import { doors, go, goText } from '../../activities/doors.ts';
import { processorMs } from '../../helpers/processor-time.ts';

const { environment } = doors();
const tools = agentFormat(environment, 'tools');
const react = agentFormat(environment, 'react');
const formats = { tools, react };
const text = (content: string): AssistantMessage => ({ role: 'assistant', content });
const calling = (...calls: [name: string, text: string][]): AssistantMessage => ({
  role: 'assistant',
  content: null,
  tool_calls: calls.map(([name, written], index) => ({
    id: `call_1_${index}`,
    type: 'function',
    function: { name, arguments: written },
  })),
});

/** Any action of the tool, with arguments as models may write them. */
const anyAction = fc
  .dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 2 }))
  .map((value): Action => ({ tool: 'go', arguments: JSON.parse(JSON.stringify(value)) as Action['arguments'] }));
const opening = (system: string, user: string) => [
  { role: 'system' as const, content: system },
  { role: 'user' as const, content: user },
];

/** Thoughts that do not themselves look like the action that follows. */
const anyThought = fc.string({ unit: 'grapheme' }).filter((thought) => !/^action/im.test(thought));

describe.each(['tools', 'react'] as AgentFormatName[])('the %s format', (name) => {
  const format = formats[name];

  it('reads back any action that it wrote, with its thought', () => {
    fc.assert(
      fc.property(anyThought, anyAction, (thought, action) => {
        const parsed = format.parse(format.render(thought, [action], 2));
        expect(parsed).toEqual({
          thought: name === 'tools' ? thought : thought.trim(),
          calls: [{ kind: 'action', action }],
        });
      }),
      { seed: 1 },
    );
  });

  it('writes what it read in the same way again and again', () => {
    fc.assert(
      fc.property(fc.string(), anyAction, (thought, action) => {
        const once = format.parse(format.render(thought, [action], 1));
        const actions = actionsOf(once);
        if (actions.length === 0) return;
        expect(format.parse(format.render(once.thought, actions, 1))).toEqual(once);
      }),
      { seed: 2 },
    );
  });

  it('never throws on what a model writes, and says what is wrong in words for the model', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (content) => {
        for (const message of [text(content), calling(['go', content]), calling([content, '{}'])]) {
          for (const call of format.parse(message).calls)
            if (call.kind === 'malformed') expect(call.hint).toMatch(/go/);
        }
      }),
      { seed: 3 },
    );
  });
});

describe('tool calls', () => {
  it('are offered natively, and the briefing is told without a word on form', () => {
    expect(tools.tools).toEqual(environment.tools);
    expect(tools.opening(opening('S', 'U'))).toEqual([
      { role: 'system', content: 'S' },
      { role: 'user', content: 'U' },
    ]);
  });

  const several = calling(['go', '{"door":"left"}'], ['jump', '{}'], ['go', '{"door":"right"}']);
  const answered = (...results: string[]) =>
    results.map((content, index) => ({ role: 'tool', tool_call_id: `call_1_${index}`, content }));

  it('are read in their order, each by itself, and each is answered', () => {
    const { calls } = tools.parse(several);
    expect(calls).toEqual([
      { kind: 'action', action: go('left') },
      { kind: 'malformed', hint: expect.stringMatching(/no tool "jump"/) },
      { kind: 'action', action: go('right') },
    ]);
    expect(tools.observation(several, ['A room.', 'No.', 'Another.'])).toEqual(answered('A room.', 'No.', 'Another.'));
    expect(tools.render('', actionsOf({ thought: '', calls }), 1).tool_calls).toHaveLength(2);
  });

  it('count only the first where the run or the environment takes one; the others are told so', () => {
    const first = agentFormat(environment, 'tools', { calls: 'first' });
    expect(first.parse(several)).toEqual({ thought: '', calls: [{ kind: 'action', action: go('left') }] });
    const notice = 'Not executed: only the first tool call of a message is.';
    expect(first.observation(several, ['A room.'])).toEqual(answered('A room.', notice, notice));
  });

  it.each([
    ['no call', text('I would go left.'), /No tool was called.*go/],
    ['an unknown tool', calling(['jump', '{}']), /no tool "jump".*go/],
    ['arguments that are no JSON', calling(['go', '{door: left}']), /arguments of go are not a JSON object/],
    ['arguments that are a list', calling(['go', '["left"]']), /not a JSON object/],
    ['arguments that are null', calling(['go', 'null']), /not a JSON object/],
  ])('with %s are malformed', (_what, message, hint) => {
    expect(tools.parse(message).calls).toEqual([{ kind: 'malformed', hint: expect.stringMatching(hint) }]);
  });

  it('that are malformed are answered where the provider expects it', () => {
    expect(tools.observation(text('Hm.'), ['No tool was called.'])).toEqual([
      { role: 'user', content: 'No tool was called.' },
    ]);
    expect(tools.observation(calling(['jump', '{}']), ['There is no tool.'])).toEqual([
      { role: 'tool', tool_call_id: 'call_1_0', content: 'There is no tool.' },
    ]);
  });

  it('have ids by step, so that equal messages are equal', () => {
    expect(tools.render('', [go('left')], 7)).toEqual({
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_7_0', type: 'function', function: { name: 'go', arguments: '{"door":"left"}' } }],
    });
  });
});

describe('ReAct text', () => {
  it('explains itself and the tools in the system message, and offers none natively', () => {
    const [system, user] = react.opening(opening('Find the treasure.', 'Two doors.'));
    expect(react.tools).toEqual([]);
    expect(system!.content).toMatch(
      /^Find the treasure\.[\s\S]*Thought:[\s\S]*Action:[\s\S]*Action Input:[\s\S]*- go: Go through a door\./,
    );
    expect(user).toEqual({ role: 'user', content: 'Two doors.' });
  });

  it.each([
    ['as it was asked for', goText('left', 'Left.'), 'Left.'],
    ['with a thought that is not called one', 'Left.\nAction: go\nAction Input: {"door":"left"}', 'Left.'],
    ['with a preface', `Certainly!\n${goText('left', 'Left.')}`, 'Left.'],
    ['with empty lines between', 'Thought: Left.\n\nAction: go\n\nAction Input: {"door":"left"}', 'Left.'],
    ['without a thought', 'Action: go\nAction Input: {"door":"left"}', ''],
    ['with a thought of several lines', goText('left', 'One.\nTwo.'), 'One.\nTwo.'],
    [
      'with a thought that speaks of actions',
      goText('left', 'My action: left.\nAction: I think'),
      'My action: left.\nAction: I think',
    ],
    ['with blank space around', `\n  ${goText('left', 'Left.')}  \n`, 'Left.'],
    ['with line ends of Windows', goText('left', 'Left.').replaceAll('\n', '\r\n'), 'Left.'],
    ['with JSON over several lines', 'Thought: Left.\nAction: go\nAction Input: {\n  "door": "left"\n}', 'Left.'],
    [
      'with an observation that the model made up',
      `${goText('left', 'Left.')}\nObservation: A treasure.\nThought: Done.`,
      'Left.',
    ],
    [
      'with JSON over several lines and an observation that the model made up',
      'Thought: Left.\nAction: go\nAction Input: {\n  "door": "left"\n}\nObservation: {"a": 1}',
      'Left.',
    ],
  ])('is read %s', (_how, content, thought) => {
    expect(react.parse(text(content))).toEqual({ thought, calls: [{ kind: 'action', action: go('left') }] });
  });

  it('takes braces and quotes inside of texts for what they are', () => {
    const door = 'a "b} { \\ c';
    const content = `Action: go\nAction Input: {\n${JSON.stringify('door')}: ${JSON.stringify(door)}}\nObservation: }`;
    expect(react.parse(text(content))).toMatchObject({ calls: [{ kind: 'action', action: go(door) }] });
  });

  it.each([
    ['an empty message', ''],
    ['no action', 'Thought: I wonder.'],
    ['an unknown tool', 'Thought: x\nAction: jump\nAction Input: {}'],
    ['no input', 'Thought: x\nAction: go'],
    ['an input that is no object', 'Thought: x\nAction: go\nAction Input: left'],
    ['an input that is cut', 'Thought: x\nAction: go\nAction Input: {"door": "le'],
  ])('is malformed with %s', (_what, content) => {
    const hint = expect.stringMatching(/Thought:.*Action:.*Action Input:.*go/);
    expect(react.parse(text(content)).calls).toEqual([{ kind: 'malformed', hint }]);
  });

  it.each([
    ['empty lines', `Thought:${'\n'.repeat(100_000)}`],
    ['blank lines', `Thought: ${' \n'.repeat(50_000)}`],
    ['empty lines after the action', `Action: go${'\n'.repeat(100_000)}`],
    ['actions', 'Action: go\n'.repeat(10_000)],
    ['actions and blank lines', 'Action: go\n\n \n'.repeat(10_000)],
    ['braces', `Action: go\nAction Input: ${'{'.repeat(100_000)}`],
    ['quotes', `Action: go\nAction Input: ${'{"\\\n'.repeat(20_000)}`],
  ])('of thousands of %s is read within a moment', async (_what, content) => {
    let kind = '';
    const took = await processorMs(() => {
      kind = react.parse(text(content)).calls[0]!.kind;
    });
    expect(kind).toBe('malformed');
    expect(took).toBeLessThan(500);
  });

  it('is answered by the user', () => {
    expect(react.observation(text(goText('left')), ['A room.'])).toEqual([
      { role: 'user', content: 'Observation: A room.' },
    ]);
  });
});

describe('what Crux itself tells a model is no action when the model repeats it', () => {
  const sql = agentFormat({ ...environment, textFormat: sqlTextFormat }, 'react');
  const firstHint =
    'Your answer has no action. Write "Thought: ..." and then "Action:" with one ```sql block of a single line, or "Action: submit".';
  const unreadable = [
    text(''),
    text('nonsense'),
    text('Action:'),
    text('Thought: x\nAction: jump\nAction Input: {}'),
    text('Thought: x\nAction: go\nAction Input: left'),
    calling(['jump', '{}']),
    calling(['go', '']),
    calling(['go', '[]']),
  ];

  it.each([
    ['tools', tools],
    ['general ReAct', react],
    ['InterCode', sql],
  ])('in the format of %s: no hint, no instruction, no notice beside a tool call', (_name, format) => {
    const hints = unreadable.flatMap((message) => {
      const [call] = format.parse(message).calls;
      return call?.kind === 'malformed' ? [call.hint] : [];
    });
    expect(hints.length).toBeGreaterThan(0);
    const told = [
      ...hints,
      ...format.opening(opening('Find the treasure.', 'Two doors.')).map(({ content }) => content!),
      ...hints.flatMap((hint) =>
        format.observation(calling(['go', '{}'], ['go', '{}']), [hint]).map(({ content }) => content!),
      ),
      ...(format === sql ? [firstHint] : []),
    ];
    for (const echo of told) {
      for (const said of [echo, `${echo}\n${echo}`, `Thought: ${echo}`, `Okay. ${echo}`]) {
        expect({ said, kind: format.parse(text(said)).calls[0]!.kind }).toEqual({ said, kind: 'malformed' });
      }
    }
  });

  it('an action beside the echo counts all the same', () => {
    expect(sql.parse(text(`${malformedHint}\nAction: submit`))).toMatchObject({
      calls: [{ action: { tool: 'submit' } }],
    });
    expect(sql.parse(text(`${firstHint}\nAction: skip`))).toMatchObject({ calls: [{ action: { tool: 'skip' } }] });
  });

  it("the hint of InterCode's form is no action by itself", () => {
    expect(sqlTextFormat.parse(malformedHint).kind).toBe('malformed');
  });
});
