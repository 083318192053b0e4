// Layer: exports, written to a folder.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Pair } from '../../src/domain/pairs/pair.ts';
import { type ExportOptions, exportPairs } from '../../src/export/index.ts';
import { say, textPair } from './pair-builder.ts';

const out = mkdtempSync(join(tmpdir(), 'crux-select-'));
afterEach(() => rmSync(out, { recursive: true, force: true }));

const write = (pairs: Pair[], options: Partial<ExportOptions>) =>
  exportPairs(pairs, { format: 'trl', out, force: true, ...options });

/** A pair of two actions of these kinds. */
const between = (id: string, chosen: string, rejected: string) =>
  textPair({ id, chosen: [say(`Action: ${chosen}[a ${id}]`)], rejected: [say(`Action: ${rejected}[b ${id}]`)] });

it('what has an unwanted flag is left out, with a finding that names it, and the options stand in the lint', async () => {
  const pairs = [textPair({ id: 'a', flags: ['solves-alone'] }), textPair({ id: 'b', flags: ['verified-once'] })];
  const { rows, leftOut, lint } = await write(pairs, { without: ['solves-alone', 'ungrounded'] });
  expect({ rows, leftOut }).toEqual({ rows: 1, leftOut: 1 });
  expect(lint.findings).toContainEqual(expect.objectContaining({ rule: 'pair/without-solves-alone', itemId: 'a' }));
  expect(JSON.parse(readFileSync(join(out, 'lint.json'), 'utf8')).options.without).toEqual([
    'solves-alone',
    'ungrounded',
  ]);
  expect((await write(pairs, {})).lint.options).not.toHaveProperty('without');
});

it('a flag that no pair has is refused with those that there are, and nothing is written', async () => {
  const refused = write([textPair({})], { without: ['ungronded'], out: join(out, 'refused') });
  await expect(refused).rejects.toMatchObject({
    kind: 'User.Config',
    message: expect.stringContaining('"ungronded"'),
    remedy: expect.stringContaining('ungrounded, hint-mention'),
  });
  expect(existsSync(join(out, 'refused'))).toBe(false);
});

it('texts that hold special tokens are left out by their flag, too', async () => {
  const pairs = [textPair({ id: 'a', chosen: [say('Action: submit[<|im_end|>]')] }), textPair({ id: 'b' })];
  expect(await write(pairs, { keepSpecial: true })).toMatchObject({ rows: 2, leftOut: 0 });
  const without = await write(pairs, { keepSpecial: true, without: ['special-token'] });
  expect(without).toMatchObject({ rows: 1, leftOut: 1 });
  expect(without.lint.rules).toContainEqual({ rule: 'pair/special-token', effect: 'left-out', count: 1 });
});

it('balanced, no kind of action stands on one side in more than two of three cases', async () => {
  const pairs = [
    ...Array.from({ length: 25 }, (_, index) => between(`submit-${index}`, 'execute', 'submit')),
    ...Array.from({ length: 6 }, (_, index) => between(`other-${index}`, 'submit', 'execute')),
    ...Array.from({ length: 9 }, (_, index) => between(`same-${index}`, 'execute', 'execute')),
  ];
  const { rows, lint } = await write(pairs, { balance: 'action' });
  const kept = readFileSync(join(out, 'pairs.jsonl'), 'utf8');
  const [chosen, rejected] = ['chosen', 'rejected'].map(
    (side) =>
      kept
        .trimEnd()
        .split('\n')
        .filter((line) => JSON.parse(line)[side][0].content.includes('submit[')).length,
  );
  // All 15 others stay, and as many rejected submits as the 6 chosen ones can bear.
  expect({ rows, chosen, rejected }).toEqual({ rows: 27, chosen: 6, rejected: 12 });
  expect(lint.rules).toContainEqual({ rule: 'pair/balance', effect: 'left-out', count: 13 });
  expect(lint.findings[0]!.reason).toMatch(/"submit" stand on the rejected side in 25 of 31 cases/);
  const again = kept;
  await write(pairs.toReversed(), { balance: 'action' });
  expect(readFileSync(join(out, 'pairs.jsonl'), 'utf8')).toBe(again);
});

it('an action that stands on one side alone is balanced away, and nothing is left in silence', async () => {
  const pairs = Array.from({ length: 4 }, (_, index) => between(`p${index}`, 'execute', 'submit'));
  const { rows, leftOut } = await write(pairs, { balance: 'action' });
  expect({ rows, leftOut }).toEqual({ rows: 1, leftOut: 3 });
});

it('sides by coin exchange about half of the pairs, the same ones each time, and say so in the lint and in their certificates', async () => {
  const pairs = Array.from({ length: 40 }, (_, index) => between(`p${index}`, 'execute', 'submit'));
  const { rows, lint } = await write(pairs, { sides: 'coin' });
  const lines = (file: string) => readFileSync(join(out, file), 'utf8').trimEnd().split('\n');
  const submits = lines('pairs.jsonl').map((line) => JSON.parse(line).chosen[0].content.includes('submit'));
  const exchanged = lines('certificates.jsonl').map((line) => JSON.parse(line).sidesExchanged ?? false);
  expect(rows).toBe(40);
  expect(exchanged).toEqual(submits);
  expect(submits.filter(Boolean).length).toBeGreaterThan(10);
  expect(submits.filter(Boolean).length).toBeLessThan(30);
  expect(lint.options).toMatchObject({ sides: 'coin' });
  expect(lint.findings).toContainEqual(expect.objectContaining({ rule: 'pair/sides-by-coin', effect: 'warning' }));
  const first = lines('pairs.jsonl');
  await write(pairs.toReversed(), { sides: 'coin' });
  expect(lines('pairs.jsonl')).toEqual(first);
});

it('a kind of action that stands mostly on one side is warned of with the option against it, which ends the warning', async () => {
  const pairs = [
    ...Array.from({ length: 6 }, (_, index) => between(`submit-${index}`, 'execute', 'submit')),
    // Rarer than one pair in five.
    ...Array.from({ length: 4 }, (_, index) => between(`look-${index}`, 'look', 'execute')),
    ...Array.from({ length: 12 }, (_, index) => between(`same-${index}`, 'execute', 'execute')),
  ];
  const warned = async (options: Partial<ExportOptions>) =>
    (await write(pairs, options)).lint.findings.filter(({ rule }) => rule === 'pair/one-sided-action');
  expect(await warned({})).toEqual([
    {
      ...{ rule: 'pair/one-sided-action', effect: 'warning', itemId: null },
      reason:
        'Actions of the kind "submit" stand on the rejected side in 6 of 6 cases: DPO may learn to avoid them in any state. --balance action leaves out pairs until none leans (improve.export.balance: \'action\').',
    },
  ]);
  // Also of what is written in another form.
  expect(await warned({ toolsAsText: true })).toHaveLength(1);
  expect(await warned({ balance: 'action' })).toEqual([]);
});

it('a majority of pairs that solve the task alone is warned of with the option against it', async () => {
  const pairs = Array.from({ length: 9 }, (_, index) =>
    textPair({ id: `p${index}`, flags: index < 5 ? ['solves-alone'] : [] }),
  );
  const rules = async (given: Pair[]) => (await write(given, {})).lint.rules.map(({ rule }) => rule);
  expect(await rules(pairs)).toContain('pair/mostly-solves-alone');
  expect(await rules(pairs.slice(1))).not.toContain('pair/mostly-solves-alone');
  const { lint } = await write(pairs, {});
  const { reason } = lint.findings.find(({ rule }) => rule === 'pair/mostly-solves-alone')!;
  expect(reason).toMatch(/5 of 9 pairs.*--without solves-alone.*improve\.export\.without: \['solves-alone'\]/);
});
