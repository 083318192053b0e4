// Layer: the simulated models, pure parts.
import { expect, it } from 'vitest';
import { createRequestRate } from '../../src/simulation/request-rate.ts';

it('lets a second’s worth through at once, then the rate, and says how long to wait', () => {
  const wait = createRequestRate({ requestsPerMinute: 600 });
  expect(Array.from({ length: 11 }, () => wait(0))).toEqual([...Array(10).fill(0), 100]);
  expect(wait(99)).toBe(1);
  expect(wait(100)).toBe(0);
  expect(wait(100)).toBe(100);
});

it('saves up no more than the burst', () => {
  const wait = createRequestRate({ requestsPerMinute: 60, burst: 2 });
  expect([wait(0), wait(0), wait(0)]).toEqual([0, 0, 1000]);
  expect([wait(60_000), wait(60_000), wait(60_000)]).toEqual([0, 0, 1000]);
});

it('lets through the rate over a minute, however often it is asked', () => {
  const wait = createRequestRate({ requestsPerMinute: 90, burst: 1 });
  let through = 0;
  for (let now = 0; now < 60_000; now += 7) through += Number(wait(now) === 0);
  expect(through).toBeGreaterThanOrEqual(89);
  expect(through).toBeLessThanOrEqual(91);
});
