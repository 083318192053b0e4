// Layer: pure core.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Example } from '../../src/domain/example.ts';
import { exampleFormats, findFormat } from '../../src/export/formats.ts';
import { type ChatTokenizer, openTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { buildExamples as build } from './build.ts';
import { example, promptWithTurn, textExample } from './example-builder.ts';
import { call, say, searchTool } from './pair-builder.ts';

// A token is a byte, so tokens can be read as text.
const bytes = openTokenizer(join(import.meta.dirname, '../fixtures/tokenizer'));
const names = exampleFormats.map(({ name }) => name);

/** A template that strips what stands before "Action" from every turn but the last. */
const forgetful: ChatTokenizer = {
  render: (messages, _tools, more) =>
    messages
      .map(({ role, content }, index) =>
        role === 'assistant' && index < messages.length - 1
          ? `${role}:${content.replace(/^.*\n/, '')};`
          : `${role}:${content};`,
      )
      .join('') + (more ? 'assistant:' : ''),
  encode: (text) => [...text].map((character) => character.codePointAt(0)!),
  eos: null,
  bos: null,
  decode: () => '',
  isDated: false,
  findSpecialToken: () => null,
};

describe('every format of examples', () => {
  it.each(names)('%s holds sound trajectories in one row each without a loss', (format) => {
    const { rows, rules } = build(format, [example(), textExample()], {}, bytes);
    expect(rows).toHaveLength(2);
    expect(rules.filter((rule) => /^(left-out|dropped|truncated|damaged)/.test(rule))).toEqual([]);
    // An observation after the last turn teaches nothing.
    expect(JSON.stringify(rows)).not.toContain('Observation: over');
    expect(rules).toContain('rewritten example/trailing-observation');
  });

  it.each([
    ['example/empty-side', { turns: [] }],
    ['example/empty-side', { turns: [{ role: 'user', content: 'alone' }] }],
    ['example/empty-turn', { turns: [say('Look.'), { role: 'user', content: 'x' }, say(' ')] }],
    ['example/prompt-ends-with-assistant', { prompt: [{ role: 'user', content: 'x' }, say('y')] }],
    ['example/conversation-rewritten', { change: 'conversation-rewritten' }],
    ['example/tools-changed', { change: 'tools-changed' }],
    ['example/lone-surrogate', { turns: [say('\ud83d alone')] }],
  ] as [string, Partial<Example>][])('leaves out and reports %s', (rule, changes) => {
    for (const format of names) {
      const { rows, rules } = build(format, [example(changes)], {}, bytes);
      expect(rows).toEqual([]);
      expect(rules.at(-1)).toBe(`left-out ${rule}`);
    }
  });

  it.each([
    ['example/test-split', { split: 'test' }],
    ['example/failed', { success: false, reward: 0 }],
    ['example/unconfirmed', { confirmed: false }],
    ['example/two-assistant-turns', { turns: [say('One.'), say('Two.')] }],
  ] as [string, Partial<Example>][])('warns of %s', (rule, changes) => {
    expect(build('trl-sft', [example(changes)]).rules).toContain(`warning ${rule}`);
  });

  it.each(['trl-sft', 'llama-factory-sft', 'openrlhf-sft'])(
    'leaves out for %s what it would train on in the opening messages',
    (format) => {
      const { rows, rules } = build(format, [textExample({ prompt: promptWithTurn })]);
      expect(rows).toEqual([]);
      expect(rules.filter((rule) => /^left-out .*\/trains-on-prompt$/.test(rule))).toHaveLength(1);
    },
  );

  it.each([
    ['trl-sft', 'damaged trl/template-rewrites-history'],
    ['openrlhf-sft', 'damaged openrlhf/template-rewrites-history'],
    ['axolotl-sft', 'left-out axolotl-sft/template-rewrites-history'],
    ['crux-masked-sft', 'left-out crux-masked-sft/template-rewrites-history'],
  ])('says for %s that the template strips thoughts from earlier turns', (format, rule) => {
    expect(build(format, [textExample()], { maxLength: 10_000 }, forgetful).rules).toContain(rule);
  });

  it('drops the thoughts of all turns when asked to', () => {
    const { rows } = build('agentgym', [textExample()], { thought: 'drop' });
    expect(JSON.stringify(rows)).not.toContain('Thought');
  });
});

describe('trl-sft', () => {
  it('writes the whole conversation as messages, with tools as text', () => {
    const { rows } = build('trl-sft', [example()]);
    expect(rows[0].example_id).toBe('example-1');
    expect(rows[0].messages.map(({ role }: { role: string }) => role)).toEqual([
      ...['system', 'user', 'assistant', 'tool', 'assistant', 'tool', 'assistant'],
    ]);
    expect(rows[0].messages[4]).toEqual({
      role: 'assistant',
      content: '',
      tool_calls: [{ type: 'function', function: { name: 'search', arguments: { q: 'author' } } }],
    });
    expect(rows[0].tools).toBe(JSON.stringify([searchTool]));
  });

  it('reports opening messages that fill max_length as dropped and a longer row as cut', () => {
    const format = findFormat(exampleFormats, 'trl-sft');
    const rules = (maxLength: number) =>
      format
        .lintLengths({ prompt: 100, side: 50, context: 120, historyKept: true }, maxLength)
        .map(({ rule, effect }) => `${effect} ${rule}`);
    expect(rules(100)).toEqual(['dropped trl/prompt-too-long']);
    expect(rules(149)).toEqual(['truncated trl/end-cut']);
    expect(rules(150)).toEqual([]);
  });
});

describe('llama-factory-sft', () => {
  it('alternates sides and ends with the model, an even number of turns', () => {
    const { rows, rules } = build('llama-factory-sft', [example(), textExample()]);
    expect(rows[0]).toEqual({
      example_id: 'example-1',
      conversations: [
        { from: 'human', value: 'Who wrote it?' },
        {
          from: 'function_call',
          value: '<think>\nI look.\n</think>\n\n{"name":"search","arguments":{"q":"it"}}',
        },
        { from: 'observation', value: 'A book.' },
        { from: 'function_call', value: '{"name":"search","arguments":{"q":"author"}}' },
        { from: 'observation', value: 'Ann.' },
        { from: 'gpt', value: 'Ann did.' },
      ],
      system: 'Answer.',
      tools: JSON.stringify([searchTool.function]),
    });
    expect(rules).toContain('warning llama-factory/thought-in-tags');
    for (const { conversations } of rows) expect(conversations.length % 2).toBe(0);
  });

  it('leaves out turns that do not alternate', () => {
    const { rows, rules } = build('llama-factory-sft', [example({ turns: [say('One.'), say('Two.')] })]);
    expect(rows).toEqual([]);
    expect(rules).toContain('left-out llama-factory/two-assistant-turns');
  });
});

describe('openai-sft', () => {
  it('gives weight to the turns of the trajectory only, and keeps arguments as JSON text', () => {
    const { rows } = build('openai-sft', [example({ prompt: promptWithTurn })]);
    const turns = rows[0].messages.filter(({ role }: { role: string }) => role === 'assistant');
    expect(turns.map(({ weight }: { weight: number }) => weight)).toEqual([0, 1, 1, 1]);
    expect(turns[1].tool_calls[0].function.arguments).toBe('{"q":"it"}');
    expect(rows[0].tools).toEqual([searchTool]);
    expect(Object.keys(rows[0]).sort()).toEqual(['messages', 'parallel_tool_calls', 'tools']);
  });

  it('takes a last call without its result, and no other', () => {
    expect(build('openai-sft', [example({ turns: [call('{}')] })]).rows).toHaveLength(1);
    const { rules } = build('openai-sft', [example({ turns: [call('{}'), say('Done.')] })]);
    expect(rules).toContain('left-out openai/unanswered-call');
  });
});

describe('openrlhf-sft', () => {
  it('writes tool traffic as text, whether or not there is a tokenizer', () => {
    for (const tokenizer of [null, bytes]) {
      const { rows, rules } = build('openrlhf-sft', [example()], {}, tokenizer);
      expect(rows[0].input.map(({ role }: { role: string }) => role)).toEqual([
        ...['system', 'user', 'assistant', 'user', 'assistant', 'user', 'assistant'],
      ]);
      expect(rows[0].input[2].content).toBe(
        'I look.\n<tool_call>\n{"name": "search", "arguments": {"q":"it"}}\n</tool_call>',
      );
      expect(rules).toContain('rewritten example/tools-as-text');
    }
  });

  it('reports a row whose last turn does not fit as dropped, and a shorter one as cut', () => {
    const format = findFormat(exampleFormats, 'openrlhf-sft');
    const rules = (maxLength: number) =>
      format
        .lintLengths({ prompt: 100, side: 50, context: 120, historyKept: true }, maxLength)
        .map(({ effect }) => effect);
    expect(rules(122)).toEqual(['dropped']);
    expect(rules(123)).toEqual(['truncated']);
    expect(rules(150)).toEqual([]);
  });
});

describe('axolotl-sft', () => {
  it('says with segments what is trained on, and joined they are the text of the template', () => {
    const { rows } = build('axolotl-sft', [textExample()], {}, bytes);
    const { segments } = rows[0] as { segments: { label: boolean; text: string }[] };
    expect(segments.filter(({ label }) => label).map(({ text }) => text)).toEqual([
      'Thought: Look.\nAction: execute[SHOW TABLES]<|end|>\n',
      'Thought: Done.\nAction: submit[3]<|end|>',
    ]);
    const { prompt, turns } = textExample();
    const whole = bytes.render([...prompt, ...turns.slice(0, 3)] as { role: 'user'; content: string }[], [], false);
    expect(segments.map(({ text }) => text).join('')).toBe(whole.trimEnd());
  });

  it('flags the messages to train on where nothing renders them', () => {
    const { rows } = build('axolotl-sft', [textExample({ prompt: promptWithTurn })]);
    expect(rows[0].messages.map(({ training }: { training: boolean }) => training)).toEqual([
      ...[false, false, false, true, false, true],
    ]);
  });

  it('reports segments that give other tokens alone', () => {
    const merging: ChatTokenizer = {
      ...bytes,
      encode: (text) => [...text.replace(/:T/g, '#')].map((c) => c.charCodeAt(0)),
    };
    const colon: ChatTokenizer = {
      ...merging,
      render: (messages, _tools, more) =>
        messages.map(({ role, content }) => `${role}:${content};`).join('') + (more ? 'assistant:' : ''),
    };
    expect(build('axolotl-sft', [textExample()], {}, colon).rules).toContain('damaged axolotl/segment-seams');
  });
});

describe('agentgym', () => {
  it('writes the id of the task and who is trained on, with the system message in the first turn', () => {
    const { rows, rules } = build('agentgym', [textExample()]);
    expect(rows[0]).toEqual({
      item_id: 'task-1',
      conversations: [
        { from: 'human', value: 'Answer.\n\nCount users.', loss: null },
        { from: 'gpt', value: 'Thought: Look.\nAction: execute[SHOW TABLES]', loss: true },
        { from: 'human', value: 'Observation: users', loss: null },
        { from: 'gpt', value: 'Thought: Done.\nAction: submit[3]', loss: true },
      ],
    });
    expect(rules).toContain('rewritten agentgym/merged-turns');
    expect(build('agentgym', [textExample({ prompt: promptWithTurn })]).rows[0].conversations[1]).toEqual({
      from: 'gpt',
      value: 'OK',
      loss: false,
    });
  });
});
