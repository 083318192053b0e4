// Layer: exports read by the trainers' real loaders. Needs Python with `datasets` (4.7 or later), and `trl` for the second half; CRUX_PYTHON names it.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Pair } from '../../src/domain/pair.ts';
import { exportPairs } from '../../src/export/index.ts';
import { call, pair, say, severalTurns, textPair } from './pair-builder.ts';

const python = process.env.CRUX_PYTHON ?? 'python3';
const script = join(import.meta.dirname, 'load_exports.py');
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
  const { stdout } = await run(python, [script, ...args], { env: environment, maxBuffer: 64 * 2 ** 20 });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as T;
}

describe.skipIf(withoutDatasets !== null)('datasets.load_dataset("json")', () => {
  it.each(['trl', 'kto', 'llama-factory', 'openai', 'crux-masked'])(
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
    const { suggestedMaxLength } = await import('../../src/export/training-advice.ts');
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
    const { suggestedMaxLength } = await import('../../src/export/training-advice.ts');
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

describe.skipIf(withoutTrl !== null)('the trainer of crux-masked', () => {
  it('trains on the turns of the model only', { timeout: 300_000 }, async () => {
    const long = [pair({ id: 'long', chosen: severalTurns, rejected: [say('Nobody.')] }), textPair({ id: 'short' })];
    const { path } = await exported('masked', 'crux-masked', {}, long);
    const { kept, loss } = await load<{ kept: { chosen: string; rejected: string }[]; loss: number }>(
      'crux-masked',
      path,
      tokenizer,
      '1000',
    );
    expect(kept.toSorted((a, b) => (a.chosen < b.chosen ? -1 : 1))).toEqual([
      { chosen: '\nsearch {"q": "a"}<|end|>\nDone.<|end|>\n', rejected: 'Nobody.<|end|>\n' },
      {
        chosen: 'Thought: Count them.\nAction: execute[SELECT count(*) FROM users]<|end|>\n',
        rejected: 'Thought: Done.\nAction: submit<|end|>\n',
      },
    ]);
    expect(Number.isFinite(loss)).toBe(true);
  });
});
