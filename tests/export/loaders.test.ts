// Layer: exports read by the trainers' real loaders. Needs Python with `datasets` (4.7 or later) and `trl`, and for the last part with modules of
// `llamafactory`, `openrlhf`, `axolotl`; CRUX_PYTHON names it. What is missing is skipped with the reason.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Pair } from '../../src/domain/pairs/pair.ts';
import { exportExamples, exportPairs, exportProcessExamples } from '../../src/export/index.ts';
import { suggestedMaxLength } from '../../src/export/training-advice.ts';
import { example, processExample, promptWithTurn, textExample } from './example-builder.ts';
import { call, pair, say, severalTurns, textPair } from './pair-builder.ts';

const python = process.env.CRUX_PYTHON ?? 'python3';
const script = join(import.meta.dirname, 'load_exports.py');
const elsewhere = join(import.meta.dirname, 'load_elsewhere.py');
const tokenizer = join(import.meta.dirname, '../fixtures/tokenizer');
const folder = mkdtempSync(join(tmpdir(), 'crux-loaders-'));
const environment = {
  ...process.env,
  HF_HOME: join(folder, 'cache'),
  HF_HUB_OFFLINE: '1',
  CUDA_VISIBLE_DEVICES: '',
  TOKENIZERS_PARALLELISM: 'false',
};
const run = promisify(execFile);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Arguments with other keys, other types and exact numbers, text that needs escapes, and rows with and without tools. */
const pairs: Pair[] = [
  pair({ id: 'calls' }),
  pair({ id: 'other-keys', chosen: [call('{"id":7,"deep":{"a":[1,null]}}')], rejected: [call('{"id":"7"}')] }),
  pair({ id: 'numbers', chosen: [call('{"q":1.0,"id":12345678901234567}')], rejected: [call('{"q":"x"}')] }),
  textPair({ id: 'text' }),
  textPair({ id: 'unicode', chosen: [say('Thought: é 漢 😀 \u2028 "q" \\ \n\tAction: x')] }),
];

/** Whether Python has these modules; the reason why not otherwise. */
async function missing(modules: string): Promise<string | null> {
  return run(python, ['-c', `import ${modules}`], { env: environment }).then(
    () => null,
    () => `${python} cannot import ${modules}: set CRUX_PYTHON to one that can`,
  );
}

const withoutDatasets = await missing('datasets');
const withoutTrl = withoutDatasets ?? (await missing('torch, trl'));
for (const reason of new Set([withoutDatasets, withoutTrl])) if (reason) console.warn(`skipped: ${reason}`);

async function exported(name: string, format: string, changes: { maxLength?: number } = {}, given = pairs) {
  const out = join(folder, name);
  const result = await exportPairs(given, { format, out, force: true, tokenizer, ...changes });
  return { path: join(out, result.files.at(-1)!), result };
}

async function load<T>(...args: string[]): Promise<T> {
  return loadWith(script, args);
}

async function loadWith<T>(program: string, args: string[]): Promise<T> {
  const { stdout } = await run(python, [program, ...args], { env: environment, maxBuffer: 64 * 2 ** 20 });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as T;
}

describe.skipIf(withoutDatasets !== null)('datasets.load_dataset("json")', () => {
  it.each(['trl', 'kto', 'llama-factory', 'openai', 'openrlhf', 'axolotl', 'crux-masked'])(
    'reads the %s export back row by row',
    { timeout: 120_000 },
    async (format) => {
      const { path } = await exported(`rows-${format}`, format);
      const { readFileSync } = await import('node:fs');
      const written = readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(await load('rows', path)).toEqual(written);
      expect(written).toHaveLength(format === 'kto' ? 2 * pairs.length : pairs.length);
    },
  );
});

type Kept = { kept: { prompt: number; chosen: number; rejected: number; chosenText: string }[]; loss: number | null };

describe.skipIf(withoutTrl !== null)('trl.DPOTrainer', () => {
  it('keeps every row at the suggested max_length, counts the same tokens, and trains', {
    timeout: 300_000,
  }, async () => {
    const { path, result } = await exported('trl-kept', 'trl');
    const { lengths } = result.lint;
    const { kept, loss } = await load<Kept>('trl', path, tokenizer, String(suggestedMaxLength(lengths)));
    expect(kept).toHaveLength(pairs.length);
    expect(Math.max(...kept.map((row) => row.prompt))).toBe(lengths!.prompt.max);
    expect(Math.max(...kept.map((row) => row.prompt + Math.max(row.chosen, row.rejected)))).toBe(lengths!.total.max);
    expect(kept[0]!.chosenText).toContain('search {"q": "author"}');
    expect(loss).toBeGreaterThan(0);
  });

  it('drops exactly the rows that the lint calls dropped', { timeout: 300_000 }, async () => {
    const { path, result } = await exported('trl-dropped', 'trl', { maxLength: 200 });
    const { kept } = await load<Kept>('trl', path, tokenizer, '200');
    expect(result.lint.dropped).toBeGreaterThan(0);
    expect(result.lint.dropped).toBeLessThan(pairs.length);
    expect(kept).toHaveLength(result.rows - result.lint.dropped);
  });
});

describe.skipIf(withoutTrl !== null)('trl.KTOTrainer', () => {
  it('keeps every side with its label at the suggested max_length, and trains', { timeout: 300_000 }, async () => {
    const { path, result } = await exported('kto', 'kto');
    const { kept, loss } = await load<{ kept: { label: boolean; text: string }[]; loss: number }>(
      'kto',
      path,
      tokenizer,
      String(suggestedMaxLength(result.lint.lengths)),
    );
    expect(kept.map(({ label }) => label)).toEqual([...pairs.map(() => true), ...pairs.map(() => false)]);
    expect(kept.every(({ text }) => text.includes('<|end|>'))).toBe(true);
    expect(Number.isFinite(loss)).toBe(true);
  });
});

const seenAgain = { role: 'tool' as const, tool_call_id: 'call_2_0', content: 'SEEN AGAIN' };

describe.skipIf(withoutTrl !== null)('the trainer of crux-masked', () => {
  it('trains on the turns of the model only', { timeout: 300_000 }, async () => {
    const [first, seen] = severalTurns;
    const long = [
      pair({ id: 'long', chosen: severalTurns, rejected: [say('Nobody.')] }),
      // Both sides begin with the same call and its result, as the trajectories of ETO may.
      pair({
        id: 'eto',
        chosen: [first!, seen!, call('{"q":"b"}', null, 'call_2_0'), seenAgain, say('Both.')],
        rejected: [first!, seen!, say('One.')],
      }),
      textPair({ id: 'short' }),
    ];
    const { path } = await exported('masked', 'crux-masked', {}, long);
    const { kept, loss } = await load<{ kept: { chosen: string; rejected: string }[]; loss: number }>(
      'crux-masked',
      path,
      tokenizer,
      '1000',
    );
    expect(kept.toSorted((a, b) => (a.chosen < b.chosen ? -1 : 1))).toEqual([
      { chosen: '\nsearch {"q": "a"}<|end|>\nDone.<|end|>\n', rejected: 'Nobody.<|end|>\n' },
      { chosen: '\nsearch {"q": "b"}<|end|>\nBoth.<|end|>\n', rejected: 'One.<|end|>\n' },
      {
        chosen: 'Thought: Count them.\nAction: execute[SELECT count(*) FROM users]<|end|>\n',
        rejected: 'Thought: Done.\nAction: submit<|end|>\n',
      },
    ]);
    expect(Number.isFinite(loss)).toBe(true);
  });
});

/** Trajectories with calls, with text, with a turn in the opening messages; the last turns are followed by nothing. */
const examples = [
  example({ id: 'calls', taskId: 'a' }),
  textExample({ id: 'text', taskId: 'b' }),
  textExample({ id: 'opening', taskId: 'c', prompt: promptWithTurn }),
];
const turnsOfText = [
  'Thought: Look.\nAction: execute[SHOW TABLES]<|end|>\n',
  'Thought: Done.\nAction: submit[3]<|end|>\n',
];
const turnsOfCalls = ['I look.\nsearch {"q": "it"}<|end|>\n', '\nsearch {"q": "author"}<|end|>\n', 'Ann did.<|end|>\n'];
const trimmed = (rows: string[][]) => rows.map((turns) => turns.map((turn) => turn.trimEnd()));

async function exportedExamples(
  name: string,
  format: string,
  changes: { tokenizer?: string; maxLength?: number } = {},
) {
  const out = join(folder, name);
  const result = await exportExamples(examples, { format, out, force: true, ...changes });
  return { path: join(out, result.files.at(-1)!), result };
}

describe.skipIf(withoutTrl !== null)('trl.SFTTrainer', () => {
  it('trains on the turns of crux-masked-sft and on no observation, at the suggested max_length', {
    timeout: 300_000,
  }, async () => {
    const { path, result } = await exportedExamples('masked-sft', 'crux-masked-sft', { tokenizer });
    const maxLength = String(suggestedMaxLength(result.lint.lengths));
    const { kept, loss } = await load<{ kept: string[][]; loss: number }>(
      'crux-masked-sft',
      path,
      tokenizer,
      maxLength,
    );
    expect(kept).toEqual([turnsOfCalls, turnsOfText, turnsOfText]);
    expect(loss).toBeGreaterThan(0);
  });

  it('drops exactly the rows of crux-masked-sft that the lint calls dropped', { timeout: 300_000 }, async () => {
    const { path, result } = await exportedExamples('masked-sft-cut', 'crux-masked-sft', { tokenizer, maxLength: 100 });
    const { kept } = await load<{ kept: string[][] }>('crux-masked-sft', path, tokenizer, '100');
    expect(result.lint.dropped).toBe(1);
    expect(kept).toHaveLength(2);
  });

  it('trains trl-sft on marked generations; a row with turns in its opening messages is left out', {
    timeout: 300_000,
  }, async () => {
    const { path, result } = await exportedExamples('trl-sft', 'trl-sft', { tokenizer });
    const maxLength = String(suggestedMaxLength(result.lint.lengths));
    const { kept } = await load<{ kept: string[][] }>('trl-sft', path, tokenizer, maxLength);
    expect(kept).toEqual([turnsOfCalls, turnsOfText]);
    const opening = result.lint.findings.filter(({ rule }) => rule === 'trl/trains-on-prompt');
    expect(opening).toMatchObject([{ itemId: 'opening', effect: 'left-out' }]);
  });
});

const withoutLlamaFactory = await missing('llamafactory.data.converter');
const withoutOpenRlhf = await missing('openrlhf.datasets.reward_dataset, openrlhf.datasets.sft_dataset');
const withoutAxolotl = await missing('axolotl.prompt_strategies.dpo, axolotl.prompt_strategies.chat_template');
const withoutPrmTrainer = await missing('trl.experimental.prm');
for (const reason of new Set([withoutLlamaFactory, withoutOpenRlhf, withoutAxolotl, withoutPrmTrainer]))
  if (reason) console.warn(`skipped: ${reason}`);

describe.skipIf(withoutLlamaFactory !== null)("LLaMA-Factory's converter", () => {
  type Converted = { roles: string[]; response: { role: string; content: string }[]; system: string }[];

  it('skips no pair and keeps both sides', { timeout: 120_000 }, async () => {
    const { path } = await exported('llama-pairs', 'llama-factory');
    const made = await loadWith<Converted>(elsewhere, ['llama-factory', path, tokenizer, '0']);
    expect(made).toHaveLength(pairs.length);
    for (const { roles, response } of made) expect([roles.length % 2, response.length]).toEqual([1, 2]);
  });

  it('skips no example and takes the last turn as the answer', { timeout: 120_000 }, async () => {
    const { path } = await exportedExamples('llama-sft', 'llama-factory-sft');
    const made = await loadWith<Converted>(elsewhere, ['llama-factory', path, tokenizer, '0']);
    expect(made.map(({ roles }) => roles)).toEqual([
      ['user', 'function', 'observation', 'function', 'observation'],
      ['user', 'assistant', 'user'],
      ['user', 'assistant', 'user', 'assistant', 'user'],
    ]);
    expect(made.map(({ response }) => response[0]!.content)).toEqual([
      'Ann did.',
      ...Array(2).fill('Thought: Done.\nAction: submit[3]'),
    ]);
  });
});

type Sides = { prompt: string; chosen: string; rejected: string }[];

describe.skipIf(withoutOpenRlhf !== null)('OpenRLHF', () => {
  it('finds the sides of rendered pairs again, with one end of text each', { timeout: 120_000 }, async () => {
    const { path, result } = await exported('openrlhf', 'openrlhf');
    const maxLength = String(suggestedMaxLength(result.lint.lengths));
    const made = await loadWith<Sides>(elsewhere, ['openrlhf', path, tokenizer, maxLength]);
    expect(made).toHaveLength(pairs.length);
    expect(made[0]!.prompt).toMatch(/<\|start\|>assistant\n$/);
    expect(made[0]!.chosen).toBe('I need the author.\nsearch {"q": "author"}<|end|>');
    for (const { chosen, rejected } of made)
      for (const side of [chosen, rejected]) expect(side.split('<|end|>')).toHaveLength(2);
  });

  it('drops exactly the pairs that the lint calls dropped', { timeout: 120_000 }, async () => {
    const { path, result } = await exported('openrlhf-cut', 'openrlhf', { maxLength: 200 });
    const made = await loadWith<Sides>(elsewhere, ['openrlhf', path, tokenizer, '200']);
    expect(result.lint.dropped).toBeGreaterThan(0);
    expect(made).toHaveLength(result.rows - result.lint.dropped);
  });

  it('finds the sides of messages again where there was no tokenizer', { timeout: 120_000 }, async () => {
    const out = join(folder, 'openrlhf-messages');
    await exportPairs(pairs, { format: 'openrlhf', out, force: true });
    const made = await loadWith<Sides>(elsewhere, ['openrlhf', join(out, 'pairs.jsonl'), tokenizer, '4000']);
    expect(made[0]!.chosen).toContain(
      '<tool_call>\n{"name": "search", "arguments": {"q":"author"}}\n</tool_call><|end|>',
    );
    expect(made[0]!.prompt).toContain('You may call these tools');
  });

  it('trains on every turn of the model in examples, and on nothing between them', { timeout: 120_000 }, async () => {
    const { path } = await exportedExamples('openrlhf-sft', 'openrlhf-sft');
    const made = await loadWith<string[][]>(elsewhere, ['openrlhf-sft', path, tokenizer, '4000']);
    expect(trimmed(made.slice(1))).toEqual(trimmed([turnsOfText, ['OK<|end|>', ...turnsOfText]]));
    expect(made[0]).toHaveLength(3);
    expect(made.flat().join('')).not.toMatch(/Ann\.|A book|Observation/);
  });
});

describe.skipIf(withoutAxolotl !== null)('Axolotl', () => {
  it('passes rendered pairs through as they are', { timeout: 120_000 }, async () => {
    const { path, result } = await exported('axolotl', 'axolotl');
    const maxLength = String(suggestedMaxLength(result.lint.lengths));
    const made = await loadWith<Sides>(elsewhere, ['axolotl', path, tokenizer, maxLength]);
    expect(made).toHaveLength(pairs.length);
    expect(made[0]!.chosen).toBe('I need the author.\nsearch {"q": "author"}<|end|>');
  });

  it('drops exactly the pairs that the lint calls dropped', { timeout: 120_000 }, async () => {
    const { path, result } = await exported('axolotl-cut', 'axolotl', { maxLength: 250 });
    const made = await loadWith<Sides>(elsewhere, ['axolotl', path, tokenizer, '250']);
    expect(result.lint.dropped).toBeGreaterThan(0);
    expect(result.lint.dropped).toBeLessThan(result.rows);
    expect(made).toHaveLength(result.rows - result.lint.dropped);
  });

  it('finds the sides of messages again where there was no tokenizer', { timeout: 120_000 }, async () => {
    const out = join(folder, 'axolotl-messages');
    await exportPairs(pairs, { format: 'axolotl', out, force: true });
    const made = await loadWith<Sides>(elsewhere, ['axolotl', join(out, 'pairs.jsonl'), tokenizer, '4000']);
    expect(made[0]!.chosen).toMatch(/^I need the author\.\n<tool_call>/);
    expect(made[0]!.chosen).toMatch(/<\/tool_call><\|end\|>$/);
  });

  it.each([
    ['segments', { tokenizer }],
    ['messages', {}],
  ])('trains on the turns of examples and on nothing else: %s', { timeout: 120_000 }, async (name, changes) => {
    const { path } = await exportedExamples(`axolotl-sft-${name}`, 'axolotl-sft', changes);
    const made = await loadWith<string[][]>(elsewhere, ['axolotl-sft', path, tokenizer, '4000']);
    expect(trimmed(made.slice(1))).toEqual(trimmed([turnsOfText, turnsOfText]));
    expect(made[0]).toHaveLength(3);
    expect(made.flat().join('')).not.toMatch(/OK|Ann\.|A book|Observation/);
  });
});

describe.each([
  ['trl-prm', withoutPrmTrainer],
  ['axolotl-prm', withoutAxolotl],
])('stepwise rows in %s', (mode, reason) => {
  it.skipIf(reason !== null)('have their only label after the action', { timeout: 120_000 }, async () => {
    const out = join(folder, mode);
    const actions = [processExample(), processExample({ id: 'bad', step: 3, outcome: 0, successes: 0 })];
    const { lint } = await exportProcessExamples(actions, { format: 'trl-prm', out, force: true, tokenizer });
    const maxLength = suggestedMaxLength(lint.lengths)!;
    const args = (limit: number) => [mode, join(out, 'actions.jsonl'), tokenizer, String(limit)];
    const made = await loadWith<{ text: string; labels: number[] }[]>(elsewhere, args(maxLength));
    expect(made.map(({ labels }) => labels)).toEqual([[1], [0]]);
    for (const { text } of made) expect(text).toMatch(/search {"q": "author"}<\|end\|>$/);
    const cut = await loadWith<{ labels: number[] }[]>(elsewhere, args(lint.lengths!.total.max - 1));
    expect(cut.map(({ labels }) => labels)).toEqual([[], []]);
  });
});
