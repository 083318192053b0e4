// Layer: texts of the command line, from values.
import { expect, it } from 'vitest';
import { ceilingsGiven, ceilingsText } from '../../src/cli/terminal/ceilings.ts';
import { progressText } from '../../src/cli/terminal/progress.ts';
import { blockText, table, waitingText } from '../../src/cli/terminal/text.ts';
import { ceilingsFrom } from '../../src/domain/run/ceilings.ts';

it('says the ceilings of each level', () => {
  expect(ceilingsText(ceilingsFrom({}))).toBe('none');
  const all = { calls: 20_000, costMicroUsd: 2_500_000, task: { rollouts: 40 }, step: { tokens: 9_000 } };
  expect(ceilingsText(ceilingsFrom(all))).toBe('20,000 calls, $2.50; a task 40 rollouts; a step 9,000 tokens');
});

it('takes only the ceilings that were named', () => {
  expect(ceilingsGiven({ maxRollouts: 5, maxCost: 0.5 })).toEqual({ rollouts: 5, costMicroUsd: 500_000 });
});

it('says what a run waits for, and the day where it is another one', () => {
  const today = new Date();
  today.setHours(14, 5);
  const other = new Date(2031, 1, 3, 4, 5);
  const waits = [
    { endpoint: 'hosted', until: today.getTime(), calls: 12, reason: null, words: null },
    { endpoint: 'local', until: other.getTime(), calls: 1, reason: 'queue' as const, words: null },
  ];
  expect(waitingText(waits)).toBe(
    'for hosted until 14:05 (12 calls), for local until 2031-02-03 04:05 (1 call, for a place or the rate)',
  );
  const counts = { trajectories: 0, steps: 0, branches: 0, pairs: 0, calls: 0 };
  const line = progressText(
    {
      done: 0,
      total: 5,
      state: 'running',
      block: null,
      counts,
      waitingFor: waits.slice(0, 1),
      broken: { count: 0, words: null },
    },
    0,
    200,
  );
  expect(line).toContain('waiting for hosted until 14:05 (12 calls)');
});

it('ends the words of a block with one full stop', () => {
  const block = { kind: 'Model.Setup', endpoint: 'local', provider: 'p', model: 'm', since: Date.now() } as const;
  expect(blockText({ ...block, message: 'Lower it.' })).toMatch(/Lower it\.$/);
  expect(blockText({ ...block, message: 'too long' })).toMatch(/too long\.$/);
});

it('aligns spans of time to the right, also those of two units', () => {
  expect(table(['throttled'], [['2 h 54 min'], ['0 s']]).split('\n')).toEqual([
    ' throttled',
    '──────────',
    '2 h 54 min',
    '       0 s',
  ]);
});
