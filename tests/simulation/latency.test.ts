// Layer: pure core.
import { expect, test } from 'vitest';
import { createLatency } from '../../src/simulation/latency.ts';

test('a lognormal latency has the stated mean and 95th percentile', () => {
  const latency = createLatency(1, { distribution: 'lognormal', meanMs: 200, p95Ms: 500 });
  const times = Array.from({ length: 40_000 }, (_, index) => latency(`key ${index}`)).sort((a, b) => a - b);
  expect(times.reduce((sum, time) => sum + time, 0) / times.length / 200).toBeCloseTo(1, 1);
  expect(times[Math.floor(0.95 * times.length)]! / 500).toBeCloseTo(1, 1);
});

test('a uniform latency goes from a fifth to nine fifths of its mean', () => {
  const latency = createLatency(1, { distribution: 'uniform', meanMs: 100 });
  const times = Array.from({ length: 10_000 }, (_, index) => latency(`key ${index}`));
  expect(times.reduce((sum, time) => sum + time, 0) / times.length / 100).toBeCloseTo(1, 1);
  expect(Math.min(...times) / 20).toBeCloseTo(1, 1);
  expect(Math.max(...times) / 180).toBeCloseTo(1, 1);
});

test('a latency is the same for the same key and seed, and another for another', () => {
  const options = { distribution: 'lognormal' as const, meanMs: 200 };
  expect(createLatency(1, options)('a')).toBe(createLatency(1, options)('a'));
  expect(createLatency(1, options)('a')).not.toBe(createLatency(1, options)('b'));
  expect(createLatency(1, options)('a')).not.toBe(createLatency(2, options)('a'));
});

test('rejects a percentile that no lognormal distribution of that mean has', () => {
  expect(() => createLatency(1, { distribution: 'lognormal', meanMs: 100, p95Ms: 390 })).toThrow(RangeError);
  expect(() => createLatency(1, { distribution: 'lognormal', meanMs: 100, p95Ms: 90 })).toThrow(RangeError);
});
