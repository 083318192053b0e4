// Layer: pure rules, over time that is counted and not waited for.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SearchPace } from '../../../../src/environments/deep-search/live/search-pace.ts';

const signal = new AbortController().signal;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A plan of one search a second, asked by many at once. @returns requests that each of them took */
async function searched(searches: number): Promise<number[]> {
  const pace = new SearchPace();
  let freeAt = 0;
  const works = Array.from({ length: searches }, async () => {
    for (let requests = 1; ; requests++) {
      await pace.turn(signal);
      const sentAt = performance.now();
      const isTaken = sentAt >= freeAt;
      if (isTaken) freeAt = sentAt + 1_000;
      // The way there and back.
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (isTaken) {
        pace.answered();
        return requests;
      }
      pace.refused(sentAt);
    }
  });
  await vi.advanceTimersByTimeAsync(600_000);
  return Promise.all(works);
}

it('lets 40 searches through a plan of one a second, with four requests at most', async () => {
  expect(Math.max(...(await searched(40)))).toBeLessThanOrEqual(4);
});

it('holds back nothing as long as nothing is refused', async () => {
  const pace = new SearchPace();
  const begin = performance.now();
  for (let searches = 0; searches < 100; searches++) await pace.turn(signal);
  expect(performance.now()).toBe(begin);
});

it('has all searches wait as long as an answer says to one of them', async () => {
  const pace = new SearchPace();
  const begin = performance.now();
  pace.refused(begin, 30_000);
  const turns = [1, 2].map(() => pace.turn(signal).then(() => performance.now() - begin));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Math.min(...(await Promise.all(turns)))).toBeGreaterThanOrEqual(30_000);
});

it('lets the next one go when one that waits is given up', async () => {
  const pace = new SearchPace();
  pace.refused(performance.now(), 1_000);
  const caller = new AbortController();
  const given = expect(pace.turn(caller.signal)).rejects.toThrow('gone');
  const next = pace.turn(signal);
  caller.abort(new Error('gone'));
  await given;
  await vi.advanceTimersByTimeAsync(2_000);
  await next;
});
