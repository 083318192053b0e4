// Layer: pure core.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Pair } from '../../src/domain/pairs/pair.ts';
import { CruxError } from '../../src/errors.ts';
import { findFormat, pairFormats } from '../../src/export/formats.ts';
import type { ItemLengths } from '../../src/export/tokens/length.ts';
import { type ChatTokenizer, openTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { buildPairs as build, rowOptions } from './build.ts';
import { finished } from './finished.ts';
import { call, pair, say, searchTool, severalTurns, textPair } from './pair-builder.ts';

const formatOf = (name: string) => findFormat(pairFormats, name);
const lengths = (prompt: number, side: number, historyKept: boolean | null = true): ItemLengths => ({
  prompt,
  side,
  context: prompt,
  historyKept,
});
const facts = { rows: 2, rowsFile: 'pairs.jsonl', tools: true, lengths: null, tokenizer: null, options: rowOptions };

describe('every format', () => {
  it.each(['trl', 'llama-factory', 'openai'])('%s holds a sound pair in one row without a loss', (format) => {
    const { rows, rules } = build(format, [pair(), textPair({ id: 'pair-2' })]);
    expect(rows).toHaveLength(2);
    expect(rules.filter((rule) => /^(left-out|dropped|truncated|damaged)/.test(rule))).toEqual([]);
  });

  it.each([
    ['pair/prompt-ends-with-assistant', { prompt: [{ role: 'user', content: 'x' }, say('y')] }],
    ['pair/prompt-ends-with-system', { prompt: [{ role: 'system', content: 'x' }] }],
    ['pair/empty-prompt', { prompt: [] }],
    ['pair/empty-side', { chosen: [say('')] }],
    ['pair/empty-side', { rejected: [] }],
    ['pair/same-sides', { chosen: [say('a')], rejected: [say('a')] }],
    ['pair/lone-surrogate', { chosen: [say('\ud83d alone')] }],
  ] as [string, Partial<Pair>][])('leaves out and reports %s', (rule, changes) => {
    for (const format of ['trl', 'llama-factory', 'openai']) {
      const { rows, rules } = build(format, [pair(changes)]);
      expect(rows).toEqual([]);
      expect(rules).toEqual([`left-out ${rule}`]);
    }
  });

  it('exports a pair once and reports its double', () => {
    const { rows, rules } = build('trl', [pair(), pair()]);
    expect(rows).toHaveLength(1);
    expect(rules).toContain('left-out pair/duplicate');
  });

  it('warns of a task of the test split', () => {
    const tested = pair();
    tested.certificate.task.split = 'test';
    expect(build('trl', [tested]).rules).toContain('warning pair/test-split');
  });

  it('drops the thought of the sides and keeps the prompt to the letter', () => {
    const { rows } = build('trl', [textPair()], { thought: 'drop' });
    expect(rows[0].chosen[0].content).toBe('Action: execute[SELECT count(*) FROM users]');
    expect(rows[0].rejected[0].content).toBe('Action: submit');
    expect(rows[0].prompt[2].content).toBe('Thought: Look.\nAction: execute[SHOW TABLES]');
  });

  it('marks a pair as damaged if its policy read reasoning that the prompt lacks', () => {
    const { rows, rules } = build('trl', [pair({ reasoningLeftOut: true })]);
    expect(rows).toHaveLength(1);
    expect(rules).toContain('damaged pair/reasoning-left-out');
  });

  it('leaves out a pair whose sides differ in their thoughts only, once these are dropped', () => {
    const sides = { chosen: [call('{"q":"a"}', 'Wise.')], rejected: [call('{"q":"a"}', 'Foolish.')] };
    expect(build('trl', [pair(sides)]).rows).toHaveLength(1);
    expect(build('trl', [pair(sides)], { thought: 'drop' }).rules).toContain('left-out pair/same-sides');
  });

  it('orders rows by task, step and id, whatever order they come in', () => {
    const pairs = [
      pair({ id: 'b', taskId: 't2', step: 1 }),
      pair({ id: 'z', taskId: 't1', step: 10 }),
      pair({ id: 'a', taskId: 't1', step: 2 }),
      pair({ id: 'A', taskId: 't1', step: 2 }),
    ];
    expect(build('trl', pairs).rows.map((row) => row.pair_id)).toEqual(['A', 'a', 'z', 'b']);
    expect(build('trl', pairs.toReversed()).lines).toEqual(build('trl', pairs).lines);
  });

  it('writes separators that some readers split lines at as escapes', () => {
    const { lines, rows } = build('trl', [pair({ rejected: [say('a\u2028b\u0085c')] })]);
    expect(lines[0]!.split(/[\n\u0085\u2028\u2029]/)).toHaveLength(2);
    expect(rows[0].rejected[0].content).toBe('a\u2028b\u0085c');
  });

  it('names the formats when an unknown one is asked for', () => {
    expect(() => formatOf('parquet')).toThrowError(CruxError);
    try {
      formatOf('parquet');
    } catch (error) {
      expect((error as CruxError).kind).toBe('User.Config');
      expect((error as CruxError).remedy).toContain('trl, kto, llama-factory, openai, openrlhf, axolotl, crux-masked');
    }
  });
});

describe('trl', () => {
  it('writes arguments as objects, names tool results, and turns null content into text', () => {
    const { rows, rules } = build('trl', [pair({ chosen: [call('{"q":"author"}')] })]);
    expect(rows[0]).toEqual({
      pair_id: 'pair-1',
      prompt: [
        { role: 'system', content: 'Answer.' },
        { role: 'user', content: 'Who wrote it?' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ type: 'function', function: { name: 'search', arguments: { q: 'it' } } }],
        },
        { role: 'tool', name: 'search', content: 'A book.' },
      ],
      chosen: [
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ type: 'function', function: { name: 'search', arguments: { q: 'author' } } }],
        },
      ],
      rejected: [{ role: 'assistant', content: 'Nobody.' }],
      tools: JSON.stringify([searchTool]),
    });
    expect(rules).toEqual(['rewritten trl/null-content']);
  });

  it('keeps numbers as the model wrote them', () => {
    const { lines } = build('trl', [pair({ chosen: [call('{"q":1.0,"id":12345678901234567890}')] })]);
    expect(lines[0]).toContain('{"q":1.0,"id":12345678901234567890}');
  });

  it('leaves out arguments that are no JSON object, and holds them as text when asked to', () => {
    const broken = pair({ rejected: [call('{"q":')] });
    expect(build('trl', [broken]).rules).toContain('left-out trl/arguments-not-json');
    const { rows } = build('trl', [broken], { argumentsAs: 'text' });
    expect(rows[0].rejected[0].tool_calls[0].function.arguments).toBe('{"q":');
  });

  it('leaves out sides of several turns unless observations may be trained on', () => {
    const long = pair({ chosen: severalTurns });
    expect(build('trl', [long]).rules).toContain('left-out trl/trains-on-observations');
    const { rows, rules } = build('trl', [long], { trainOnObservations: true });
    expect(rows[0].chosen).toHaveLength(3);
    expect(rules).toContain('damaged trl/trains-on-observations');
  });

  it('reports a prompt that fills max_length as dropped and a longer row as cut', () => {
    const format = formatOf('trl');
    const rules = (maxLength: number) => format.lintLengths(lengths(100, 10), maxLength).map(({ rule }) => rule);
    expect(rules(100)).toEqual(['trl/prompt-too-long']);
    expect(rules(101)).toEqual(['trl/completion-cut']);
    expect(rules(110)).toEqual([]);
    expect(format.lintLengths(lengths(100, 10, false), 110).map(({ rule }) => rule)).toEqual(['trl/prompt-not-prefix']);
  });

  it('warns when types change after the first block of a large file', () => {
    const format = formatOf('trl');
    const row = (value: unknown, padding: number) => ({ chosen: [{ a: value }], pad: 'x'.repeat(padding) });
    const rules = (rows: object[]) => finished(format.lintEach!(rows, facts)).map(({ rule }) => rule);
    expect(rules([row('a', 6 * 2 ** 20), row('b', 6 * 2 ** 20)])).toEqual([]);
    expect(rules([row('a', 1), row(5, 1)])).toEqual(['trl/uneven-types']);
    expect(rules([row('a', 6 * 2 ** 20), row(5, 6 * 2 ** 20)])).toEqual(['trl/uneven-types', 'trl/late-types']);
  });
});

describe('kto', () => {
  it('writes each side as a row with its label, the chosen ones first so that neighbours never share a prompt', () => {
    const pairs = [pair({ id: 'a', taskId: 't1' }), pair({ id: 'b', taskId: 't2' })];
    const { rows } = build('kto', pairs);
    const format = formatOf('kto');
    const arranged = format.arrange!(rows) as {
      pair_id: string;
      label: boolean;
      completion: { content: string }[];
      prompt: object[];
    }[];
    expect(arranged.map(({ pair_id, label }) => `${pair_id} ${label}`)).toEqual([
      'a true',
      'b true',
      'a false',
      'b false',
    ]);
    expect(arranged[2]!.completion).toEqual([{ role: 'assistant', content: 'Nobody.' }]);
    expect(arranged[2]!.prompt).toEqual(arranged[0]!.prompt);
  });

  it('leaves out what TRL cannot hold, both sides together', () => {
    expect(build('kto', [pair({ chosen: severalTurns })])).toMatchObject({
      rows: [],
      rules: ['left-out trl/trains-on-observations'],
    });
  });
});

describe('llama-factory', () => {
  it('writes calls as JSON with the thought in tags, results as observations, system and tools as text', () => {
    const { rows, rules } = build('llama-factory', [pair()]);
    expect(rows[0]).toEqual({
      pair_id: 'pair-1',
      conversations: [
        { from: 'human', value: 'Who wrote it?' },
        { from: 'function_call', value: '{"name":"search","arguments":{"q":"it"}}' },
        { from: 'observation', value: 'A book.' },
      ],
      chosen: {
        from: 'function_call',
        value: '<think>\nI need the author.\n</think>\n\n{"name":"search","arguments":{"q":"author"}}',
      },
      rejected: { from: 'gpt', value: 'Nobody.' },
      system: 'Answer.',
      tools: JSON.stringify([searchTool.function]),
    });
    expect(rules).toEqual(['warning llama-factory/thought-in-tags']);
  });

  it('merges results of parallel calls and a user message after them, and says so', () => {
    const parallel: Pair['prompt'] = [
      { role: 'user', content: 'Go.' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [...call('{"q":"a"}', null, 'x').tool_calls!, ...call('{"q":"b"}', null, 'y').tool_calls!],
      },
      { role: 'tool', tool_call_id: 'x', content: 'A' },
      { role: 'tool', tool_call_id: 'y', content: 'B' },
      { role: 'user', content: 'And?' },
    ];
    const { rows, rules } = build('llama-factory', [pair({ prompt: parallel })]);
    expect(rows[0].conversations).toEqual([
      { from: 'human', value: 'Go.' },
      {
        from: 'function_call',
        value: '[{"name":"search","arguments":{"q":"a"}},{"name":"search","arguments":{"q":"b"}}]',
      },
      { from: 'observation', value: 'A\nB\nAnd?' },
    ]);
    expect(rules).toContain('rewritten llama-factory/merged-turns');
  });

  it('always writes an odd number of alternating turns', () => {
    for (const { conversations } of build('llama-factory', [pair(), textPair({ id: 'p2' })]).rows) {
      expect(conversations.length % 2).toBe(1);
      conversations.forEach((turn: { from: string }, index: number) => {
        expect(index % 2 === 0 ? ['human', 'observation'] : ['gpt', 'function_call']).toContain(turn.from);
      });
    }
  });

  it.each([
    ['llama-factory/several-turns', { chosen: severalTurns }],
    ['llama-factory/arguments-not-json', { rejected: [call('{"q":')] }],
    [
      'llama-factory/two-assistant-turns',
      { prompt: [{ role: 'user', content: 'x' }, say('a'), say('b'), { role: 'user', content: 'y' }] },
    ],
    ['llama-factory/starts-with-assistant', { prompt: [say('a'), { role: 'user', content: 'y' }] }],
    [
      'llama-factory/late-system',
      {
        prompt: [
          { role: 'user', content: 'x' },
          { role: 'system', content: 's' },
          { role: 'user', content: 'y' },
        ],
      },
    ],
  ] as [string, Partial<Pair>][])('leaves out and reports %s', (rule, changes) => {
    const { rows, rules } = build('llama-factory', [pair(changes)]);
    expect(rows).toEqual([]);
    expect(rules.at(-1)).toBe(`left-out ${rule}`);
  });

  it('says whether the prompt or the side is cut at cutoff_len', () => {
    const rules = (prompt: number, side: number) =>
      formatOf('llama-factory')
        .lintLengths(lengths(prompt, side, null), 2048)
        .map(({ rule }) => rule);
    expect(rules(2000, 48)).toEqual([]);
    expect(rules(2000, 49)).toEqual(['llama-factory/prompt-cut']);
    expect(rules(1000, 1500)).toEqual(['llama-factory/side-cut']);
  });

  it('adds its entry to an index that is already there and refuses one that it cannot read', () => {
    const [file] = formatOf('llama-factory').companions(facts, () => '{"mine":{"file_name":"x.json"}}');
    expect(Object.keys(JSON.parse(String(file!.text)))).toEqual(['mine', 'crux_pairs']);
    expect(() => formatOf('llama-factory').companions(facts, () => '[broken')).toThrowError(CruxError);
  });
});

describe('crux-masked', () => {
  // A token is a byte, so labels can be read as text.
  const bytes = openTokenizer(join(import.meta.dirname, '../fixtures/tokenizer'));
  const trained = (ids: number[], labels: number[]) => labels.filter((label, index) => label === ids[index]).length;

  it('labels the turns of the model and no observation', () => {
    const { rows } = build('crux-masked', [pair({ chosen: severalTurns, rejected: [say('Nobody.')] })], {}, bytes);
    const row = rows[0];
    expect(row.chosen_ids).toHaveLength(row.chosen_labels.length);
    // Turn 1: \n search {"q": "a"} is 18 bytes, turn 2: Done. is 5; each ends with <|end|> and \n. The prompt's generation prompt is not trained on.
    expect(trained(row.chosen_ids, row.chosen_labels)).toBe(18 + 2 + 5 + 2);
    expect(row.chosen_labels.filter((label: number) => label !== -100)).toHaveLength(18 + 2 + 5 + 2);
    expect(trained(row.rejected_ids, row.rejected_labels)).toBe('Nobody.'.length + 2);
    // Nothing of the observation: <|start|>tool search\nseen<|end|>\n<|start|>assistant\n is 1+12+4+2 + 1+10 tokens between the turns.
    const gap = row.chosen_labels.slice(20, 20 + 30);
    expect(gap.every((label: number) => label === -100)).toBe(true);
    expect(row.chosen_labels[50]).not.toBe(-100);
  });

  it('does not train on turns that both sides share', () => {
    const [first, seen] = severalTurns;
    const { rows } = build(
      'crux-masked',
      [pair({ chosen: [first!, seen!, say('Yes.')], rejected: [first!, seen!, say('No.')] })],
      {},
      bytes,
    );
    expect(trained(rows[0].chosen_ids, rows[0].chosen_labels)).toBe('Yes.'.length + 2);
    expect(trained(rows[0].rejected_ids, rows[0].rejected_labels)).toBe('No.'.length + 2);
  });

  it('leaves out what a template rewrites once later turns follow', () => {
    const rewriting: ChatTokenizer = {
      render: (messages, _tools, more) =>
        messages
          .map(({ role, content }, index) => (index === messages.length - 1 ? `${role}:${content};` : `${role};`))
          .join('') + (more ? 'assistant:' : ''),
      encode: (text) => [...text].map((character) => character.codePointAt(0)!),
      eos: null,
      bos: null,
      decode: () => '',
      isDated: false,
      findSpecialToken: () => null,
    };
    expect(build('crux-masked', [textPair()], {}, rewriting).rules).toEqual([
      'left-out crux-masked/template-rewrites-history',
    ]);
  });

  it('leaves out a conversation that the template refuses', () => {
    const refusing: ChatTokenizer = {
      render: () => {
        throw new Error('no tools here');
      },
      encode: () => [],
      eos: null,
      bos: null,
      decode: () => '',
      isDated: false,
      findSpecialToken: () => null,
    };
    expect(build('crux-masked', [pair()], {}, refusing).rules).toEqual(['left-out pair/template-refuses']);
  });
});

describe('openai', () => {
  it('writes messages to the letter and no further key', () => {
    const { rows, rules } = build('openai', [pair()]);
    expect(rows[0]).toEqual({
      input: { messages: pair().prompt, tools: [searchTool], parallel_tool_calls: true },
      preferred_output: pair().chosen,
      non_preferred_output: pair().rejected,
    });
    expect(rules).toEqual([]);
  });

  it.each([
    ['openai/several-turns', { rejected: severalTurns }],
    ['openai/arguments-not-json', { rejected: [call('[1]')] }],
    ['openai/tool-name', { tools: [{ ...searchTool, function: { ...searchTool.function, name: 'has space' } }] }],
    [
      'openai/unanswered-call',
      { prompt: [{ role: 'user', content: 'x' }, call('{}'), { role: 'user', content: 'y' }] },
    ],
    [
      'openai/unanswered-call',
      {
        prompt: [
          { role: 'user', content: 'x' },
          { role: 'tool', tool_call_id: 'call_9_0', content: 'y' },
        ],
      },
    ],
  ] as [string, Partial<Pair>][])('leaves out and reports %s', (rule, changes) => {
    const { rows, rules } = build('openai', [pair(changes)]);
    expect(rows).toEqual([]);
    expect(rules).toEqual([`left-out ${rule}`]);
  });

  it('folds the system message into the first user message, in strict alternation, as a policy without a system role was asked', () => {
    const { rows, rules } = build('openai', [pair()], { toolsAsText: true, systemRole: 'fold' });
    const messages: { role: string; content: string }[] = rows[0].input.messages;
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    const { prompt } = pair();
    expect(messages[0]!.content).toContain(prompt[0]!.content);
    expect(messages[0]!.content).toContain(prompt[1]!.content);
    expect(rules).toEqual(['rewritten pair/tools-as-text', 'rewritten pair/system-folded']);
  });

  it('writes tool traffic as text for services without tool turns', () => {
    const { rows, rules } = build('openai', [pair()], { toolsAsText: true });
    const messages: { role: string; content: string }[] = rows[0].input.messages;
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(messages[0]!.content).toContain(JSON.stringify(searchTool.function));
    expect(messages[2]!.content).toBe('<tool_call>\n{"name": "search", "arguments": {"q":"it"}}\n</tool_call>');
    expect(messages[3]!.content).toBe('<tool_response>\nA book.\n</tool_response>');
    expect(rows[0].input).not.toHaveProperty('tools');
    expect(rows[0].preferred_output[0].content).toContain('I need the author.\n<tool_call>');
    expect(rules).toEqual(['rewritten pair/tools-as-text']);
  });
});
