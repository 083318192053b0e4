// Layer: pure core.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProcessExample } from '../../src/domain/example.ts';
import { actionFormats, findFormat } from '../../src/export/formats.ts';
import { actionKind, outcomeError } from '../../src/export/kinds/action.ts';
import { type ChatTokenizer, openTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { promptVersions, scoreRequest } from '../../src/models/prompts.ts';
import { buildActions as build } from './build.ts';
import { processExample } from './example-builder.ts';
import { finished } from './finished.ts';
import { say } from './pair-builder.ts';

const bytes = openTokenizer(join(import.meta.dirname, '../fixtures/tokenizer'));
const names = actionFormats.map(({ name }) => name);
const many = (count: number, changes: (index: number) => Partial<ProcessExample>) =>
  Array.from({ length: count }, (_, index) => processExample({ id: `a${index}`, ...changes(index) }));
const studied = (actions: ProcessExample[]) =>
  finished(actionKind.study(actions, actions)).findings.map(({ rule }) => rule);

describe('every format of actions', () => {
  it.each(names)('%s holds an action in one row without a loss', (format) => {
    const { rows, rules } = build(format, [processExample()], {}, bytes);
    expect(rows).toHaveLength(1);
    expect(rules).toEqual([]);
  });

  it.each([
    ['action/no-outcome', { rollouts: 0 }],
    ['action/no-outcome', { outcome: Number.NaN }],
    ['action/no-outcome', { outcome: 1.5 }],
    ['action/empty-side', { action: say('') }],
  ] as [string, Partial<ProcessExample>][])('leaves out and reports %s', (rule, changes) => {
    for (const format of names)
      expect(build(format, [processExample(changes)])).toMatchObject({ rows: [], rules: [`left-out ${rule}`] });
  });

  it('warns of a class that is hardly there, of one group for all, and notes outcomes close to a toss', () => {
    const sound = (index: number) => ({ outcome: index % 2, rollouts: 8, group: `g${index % 4}` });
    expect(studied(many(20, sound))).toEqual([]);
    expect(studied(many(20, (index) => ({ ...sound(index), outcome: index === 0 ? 0 : 1 })))).toEqual([
      'action/class-balance',
    ]);
    expect(studied(many(20, (index) => ({ ...sound(index), group: index < 11 ? 'big' : `g${index}` })))).toEqual([
      'action/few-groups',
    ]);
    expect(studied(many(20, (index) => ({ ...sound(index), outcome: index % 2 ? 0.75 : 0, rollouts: 4 })))).toEqual([]);
    expect(studied(many(20, (index) => ({ ...sound(index), outcome: index % 2 ? 0.6 : 0, rollouts: 5 })))).toEqual([
      'action/unsure-outcome',
    ]);
  });

  it('gives an outcome without variation an error too', () => {
    // (4 · 1 + 1) / 6 = 5/6; √(5/6 · 1/6 / 4) = 0.186339
    expect(outcomeError(processExample({ outcome: 1, rollouts: 4 }))).toBeCloseTo(0.186339, 6);
  });
});

describe('trl-prm', () => {
  it('writes prompt, action and label as text, rendered with the tokenizer', () => {
    const [row] = build('trl-prm', [processExample()], {}, bytes).rows;
    expect(row.prompt).toMatch(/A book\.<\|end\|>\n<\|start\|>assistant\n$/);
    expect(row.completions).toEqual(['I need the author.\nsearch {"q": "author"}<|end|>']);
    expect(row.labels).toEqual([true]);
    expect(Object.keys(row)).toEqual(['action_id', 'prompt', 'completions', 'labels']);
  });

  it('writes roles before texts where there is no tokenizer', () => {
    const [row] = build('trl-prm', [processExample({ outcome: 0.25 })]).rows;
    expect(row.prompt).toMatch(/^system: Answer\./);
    expect(row.prompt).toMatch(/user: <tool_response>\nA book\.\n<\/tool_response>\n\nassistant: $/);
    expect(row.completions[0]).toContain('<tool_call>');
    expect(row.labels).toEqual([false]);
  });

  it.each([
    ['good', [[true]], []],
    ['bad', [[false]], []],
    ['leave-out', [], ['left-out trl-prm/tie']],
  ] as const)('labels a tie as %s says', (ties, labels, rules) => {
    const built = build('trl-prm', [processExample({ outcome: 0.5, successes: 2 })], { ties }, bytes);
    expect(built.rows.map((row) => row.labels)).toEqual(labels);
    expect(built.rules).toEqual(rules);
  });

  it('leaves away the beginning of text that the trainer adds again', () => {
    const beginning: ChatTokenizer = {
      ...bytes,
      bos: '<s>',
      render: (...given) => `<s>${bytes.render(...given)}`,
    };
    const { rows, rules } = build('trl-prm', [processExample()], {}, beginning);
    expect(rows[0].prompt.startsWith('<|start|>')).toBe(true);
    expect(rules).toEqual(['rewritten trl-prm/beginning-of-text']);
  });

  it('says that a row over the limit loses its label', () => {
    const rules = (maxLength: number) =>
      findFormat(actionFormats, 'trl-prm')
        .lintLengths({ prompt: 90, side: 10, context: 90, historyKept: true }, maxLength)
        .map(({ rule, effect }) => `${effect} ${rule}`);
    expect(rules(100)).toEqual(['dropped trl-prm/label-cut']);
    expect(rules(101)).toEqual([]);
  });
});

describe('prm', () => {
  it('keeps everything that is known', () => {
    const item = processExample();
    // (3 + 1) / 6 = 2/3; √(2/3 · 1/3 / 4) = 0.235702
    expect(build('prm', [item]).rows[0]).toEqual({
      action_id: 'action-1',
      task_id: 'task-1',
      group: 'group-1',
      split: 'train',
      step: 2,
      messages: item.prompt,
      tools: item.tools,
      action: item.action,
      outcome: 0.75,
      successes: 3,
      rollouts: 4,
      standard_error: 0.235702,
      score: 0.6,
      weight: 20,
    });
  });
});

describe('openai-prm', () => {
  it('answers the scoring request of a run with the outcome', () => {
    const item = processExample({ outcome: 2 / 3 });
    const { messages } = build('openai-prm', [item]).rows[0];
    const request = scoreRequest(item.prompt, item.tools, item.action, { version: promptVersions.score });
    expect(messages.slice(0, -1)).toEqual(request.messages);
    expect(JSON.parse(messages.at(-1).content)).toEqual({ score: 0.67, reason: '' });
  });

  it('asks in the wording that the run had', () => {
    const item = processExample({ wording: 'rubric-1' });
    const { messages } = build('openai-prm', [item]).rows[0];
    const request = scoreRequest(item.prompt, item.tools, item.action, { version: 'rubric-1' });
    expect(messages.slice(0, -1)).toEqual(request.messages);
  });

  it('is as long as the whole request and its answer', () => {
    const { rows, lengths } = build('openai-prm', [processExample()]);
    const characters = JSON.stringify(rows[0]).length;
    expect(lengths[0]!.prompt).toBeGreaterThan(characters / 5);
    expect(build('openai-prm', [processExample()], { maxLength: lengths[0]!.prompt }).rules).toContain(
      'truncated openai/too-long',
    );
  });

  it('asks by the rubric of the user where the run did', () => {
    const [system, ...rest] = build('openai-prm', [processExample({ rubric: 'Good steps are short.' })]).rows[0]
      .messages;
    expect(system.content).toMatch(/^Good steps are short\.\n\nAnswer with one JSON object/);
    expect(rest).toEqual(build('openai-prm', [processExample()]).rows[0].messages.slice(1));
  });
});
