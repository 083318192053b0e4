// Layer: pure parts of the models, in one process.
import { performance } from 'node:perf_hooks';
import { expect, it } from 'vitest';
import { Limiter } from '../../src/models/limiter.ts';
import { never } from './gateway-builder.ts';

const patient = () => performance.now() + 10_000;

/** Takes a place, notes the name, and leaves a moment later. */
async function work(limiter: Limiter, runId: string, name: string, order: string[]): Promise<void> {
  await limiter.enter(runId, patient(), never);
  order.push(name);
  await new Promise((resolve) => setImmediate(resolve));
  limiter.leave();
}

it('halves the calls at once at most once a second, and never below one', () => {
  const limiter = new Limiter(8);
  limiter.overloaded(10_000);
  limiter.overloaded(10_500);
  expect(limiter.limit).toBe(4);
  for (let now = 11_000; now < 20_000; now += 1_000) limiter.overloaded(now);
  expect(limiter.limit).toBe(1);
});

it('serves the callers of a run in the order of their coming', async () => {
  const limiter = new Limiter(1);
  const order: string[] = [];
  await Promise.all(['1', '2', '3'].map((name) => work(limiter, 'run-1', name, order)));
  expect(order).toEqual(['1', '2', '3']);
});

it('lets runs take turns: one with few calls does not wait for all of one with many', async () => {
  const limiter = new Limiter(1);
  const order: string[] = [];
  const many = Array.from({ length: 6 }, (_, index) => work(limiter, 'many', `m${index}`, order));
  const few = Array.from({ length: 2 }, (_, index) => work(limiter, 'few', `f${index}`, order));
  await Promise.all([...many, ...few]);
  // The first one found a place at once.
  expect(order).toEqual(['m0', 'm1', 'f0', 'm2', 'f1', 'm3', 'm4', 'm5']);
});

it('sends a caller away whose patience is over, and gives the place to the next', async () => {
  const limiter = new Limiter(1);
  await limiter.enter('run-1', patient(), never);
  expect(await limiter.enter('run-1', performance.now() + 10, never)).toBe(false);
  const next = limiter.enter('run-1', patient(), never);
  limiter.leave();
  expect(await next).toBe(true);
});
