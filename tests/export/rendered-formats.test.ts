// Layer: pure core. OpenRLHF and Axolotl, whose pairs are rendered here where a tokenizer is given.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFormat, pairFormats } from '../../src/export/formats.ts';
import { type ChatTokenizer, openTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { buildPairs as build, rowOptions } from './build.ts';
import { call, pair, say, severalTurns, textPair } from './pair-builder.ts';

const bytes = openTokenizer(join(import.meta.dirname, '../fixtures/tokenizer'));
const facts = { rows: 2, rowsFile: 'pairs.jsonl', tools: true, lengths: null, options: rowOptions };

describe.each(['openrlhf', 'axolotl'])('%s', (format) => {
  it('writes prompt and sides as the template renders them, tools included, without white space after the end', () => {
    const { rows, rules } = build(format, [pair()], {}, bytes);
    expect(rows[0].prompt).toContain('"name": "search"');
    expect(rows[0].prompt).toMatch(/A book\.<\|end\|>\n<\|start\|>assistant\n$/);
    expect(rows[0].chosen).toBe('I need the author.\nsearch {"q": "author"}<|end|>');
    expect(rows[0].rejected).toBe('Nobody.<|end|>');
    expect(rules).toEqual([]);
  });

  it('writes messages with tool traffic as text where there is no tokenizer', () => {
    const { rows, rules } = build(format, [pair()]);
    const messages = rows[0].messages ?? rows[0].prompt;
    expect(messages.map(({ role }: { role: string }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(JSON.stringify(rows[0])).not.toContain('tool_calls');
    expect(rules).toContain('rewritten pair/tools-as-text');
    const all = findFormat(pairFormats, format).lintAll(rows, { ...facts, tokenizer: null });
    expect(all.map(({ rule }) => rule)).toEqual([`${format}/not-rendered`]);
  });

  it('warns of a template whose turns do not end with the end-of-text token, which the trainer adds', () => {
    const { lintAll } = findFormat(pairFormats, format);
    expect(lintAll([{}], { ...facts, tokenizer: bytes })).toEqual([]);
    const other = { ...bytes, eos: '<eos>' };
    expect(lintAll([{}], { ...facts, tokenizer: other }).map(({ rule }) => rule)).toEqual([`${format}/end-of-turn`]);
  });

  it('holds sides of several turns only rendered, and only when observations may be trained on', () => {
    const long = pair({ chosen: severalTurns });
    expect(build(format, [long], {}, bytes)).toMatchObject({
      rows: [],
      rules: [`left-out ${format}/trains-on-observations`],
    });
    const { rows, rules } = build(format, [long], { trainOnObservations: true }, bytes);
    expect(rows[0].chosen).toContain('seen');
    expect(rules).toContain(`damaged ${format}/trains-on-observations`);
  });

  it('leaves out what the template rewrites or refuses', () => {
    const rewriting: ChatTokenizer = {
      ...bytes,
      render: (messages, _tools, more) => `${messages.length}${more ? 'assistant:' : ''}`,
    };
    expect(build(format, [textPair()], {}, rewriting).rules).toEqual([`left-out ${format}/template-rewrites-history`]);
    const refusing: ChatTokenizer = {
      ...bytes,
      render: () => {
        throw new Error('no');
      },
    };
    expect(build(format, [textPair()], {}, refusing).rules).toEqual(['left-out pair/template-refuses']);
  });

  it('leaves out arguments that no template can write, and takes them as text', () => {
    const broken = pair({ rejected: [call('{"q":')] });
    expect(build(format, [broken], {}, bytes).rules).toEqual([`left-out ${format}/arguments-not-json`]);
    expect(build(format, [broken], { toolsAsText: true }, bytes).rows).toHaveLength(1);
  });
});

describe('openrlhf', () => {
  const rules = (prompt: number, side: number, maxLength: number, historyKept = true) =>
    findFormat(pairFormats, 'openrlhf')
      .lintLengths({ prompt, side, context: prompt, historyKept }, maxLength)
      .map(({ rule, effect }) => `${effect} ${rule}`);

  it('knows that prompts within two tokens of the limit are dropped and longer rows cut', () => {
    expect(rules(510, 1, 512)).toEqual(['dropped openrlhf/prompt-too-long']);
    expect(rules(509, 4, 512)).toEqual(['truncated openrlhf/row-cut']);
    expect(rules(509, 3, 512)).toEqual([]);
    expect(rules(100, 3, 512, false)).toEqual(['damaged openrlhf/prompt-not-prefix']);
  });
});

describe('axolotl', () => {
  it('trims sides that it is to find again, and leaves out those with nothing in them', () => {
    const { rows, rules } = build('axolotl', [textPair({ chosen: [say('Action: a!\n')] })]);
    expect(rows[0].chosen).toEqual({ role: 'assistant', content: 'Action: a!' });
    expect(rules).toEqual(['rewritten axolotl/trimmed']);
    expect(build('axolotl', [textPair({ chosen: [say(' \n')] })]).rules).toEqual(['left-out pair/empty-side']);
    expect(build('axolotl', [textPair({ chosen: [say('assistant')] })]).rules).toEqual([
      'warning axolotl/content-search',
    ]);
  });

  it('takes no side of several turns as messages, whatever is asked', () => {
    const { rules } = build('axolotl', [pair({ chosen: severalTurns })], { trainOnObservations: true });
    expect(rules).toContain('left-out axolotl/several-turns');
  });

  it('writes a configuration for the rows that it has written', () => {
    const format = findFormat(pairFormats, 'axolotl');
    const text = (tokenizer: ChatTokenizer | null) =>
      String(format.companions({ ...facts, tokenizer }, () => null)[0]!.text);
    expect(text(bytes)).toContain('type: passthrough');
    expect(text(null)).toContain('type: chat_template.default');
    expect(text(null)).toContain('chat_template: tokenizer_default');
  });
});

describe('sides of several turns', () => {
  const long = pair({ chosen: severalTurns });

  it.each(pairFormats.map(({ name }) => name).filter((name) => name !== 'crux-masked'))(
    'are left out of %s with a finding that says why, unless asked for',
    (format) => {
      for (const tokenizer of [null, bytes]) {
        const { rows, rules } = build(format, [long], {}, tokenizer);
        expect(rows).toEqual([]);
        expect(rules.at(-1)).toMatch(/^left-out .*\/(trains-on-observations|several-turns)$/);
      }
    },
  );

  it.each(['llama-factory', 'openai'])('are never held by %s', (format) => {
    expect(build(format, [long], { trainOnObservations: true }, bytes).rows).toEqual([]);
  });
});
