// Layer: pure rules over lines of metrics, and a file that grows.
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MetricsFile, MetricsWatch, parseMetrics, type WatchSettings } from '../../src/training/metrics.ts';
import { temporaryFolder } from '../helpers/store.ts';

function watching(settings: WatchSettings, ...lines: object[]): MetricsWatch {
  const watch = new MetricsWatch(settings);
  for (const line of lines) watch.add(JSON.stringify(line));
  return watch;
}

describe('a line of metrics', () => {
  it('keeps numbers, NaN as Python writes it included, and nothing else', () => {
    const line = '{"step": 2, "total": 9, "loss": NaN, "lr": -Infinity, "name": "NaN, of a kind", "on": true}';
    expect(parseMetrics(line)).toEqual({ step: 2, total: 9, loss: Number.NaN, lr: -Infinity });
  });

  it.each(['{"step": 2, "to', '[1]', 'null', '{"loss": 1}'])('is none if it is %s', (line) => {
    expect(parseMetrics(line)).toBeNull();
  });
});

describe('a watch', () => {
  const settings = { collapse: 20, beta: 0.5 };

  it('tells the newest step, and the highest one if steps are done again', () => {
    const steps = [1, 2, 3, 2].map((step) => ({ step, total: 9, loss: step / 10 }));
    expect(watching(settings, ...steps).progress).toEqual({ step: 2, total: 9, loss: 0.2, reached: 3 });
  });

  it('counts lines that cannot be read', () => {
    const watch = watching(settings);
    for (const line of ['{"step"', '', '{"step": 1, "total": 2}']) watch.add(line);
    expect([watch.unreadable, watch.progress?.step]).toEqual([1, 1]);
  });

  it.each([
    // β 0.5: a fall of 20 nats is one of 10 in the reward.
    ['by the reward', 'rewards/chosen', 1, -9, null],
    ['by the reward', 'rewards/chosen', 1, -9.1, 'collapsed'],
    ['by the log-probability', 'logps/chosen', -30, -50, null],
    ['by the log-probability', 'logps/chosen', -30, -50.1, 'collapsed'],
  ])('finds a collapse %s (%s from %d to %d: %s)', (_, name, first, last, stop) => {
    const watch = watching(settings, { step: 1, total: 2, [name]: first }, { step: 2, total: 2, [name]: last });
    expect(watch.finding?.stop ?? null).toBe(stop);
  });

  it('follows the reward where both are given: the log-probability varies with the length of the sides', () => {
    const lines = [
      { step: 1, total: 2, 'rewards/chosen': 0, 'logps/chosen': -10 },
      { step: 2, total: 2, 'rewards/chosen': -1, 'logps/chosen': -90 },
    ];
    expect(watching(settings, ...lines).finding).toBeNull();
    expect(watching({ ...settings, beta: null }, ...lines).finding?.stop).toBe('collapsed');
    expect(watching({ collapse: null, beta: null }, ...lines).finding).toBeNull();
  });
});

it('a file of metrics gives whole lines as they come, and all of them once it is replaced', () => {
  const path = join(temporaryFolder(), 'metrics.jsonl');
  const file = new MetricsFile(path);
  expect(file.newLines()).toEqual([]);
  writeFileSync(path, 'one\ntw');
  expect(file.newLines()).toEqual(['one']);
  appendFileSync(path, 'o\nthree\n');
  expect(file.newLines()).toEqual(['two', 'three']);
  expect(file.newLines()).toEqual([]);
  writeFileSync(`${path}.part`, 'one\nfour and more\n');
  renameSync(`${path}.part`, path);
  expect(file.newLines()).toEqual(['one', 'four and more']);
});
