// Layer: pure core, with the event loop of the process.
import { expect, it } from 'vitest';
import { withPauses } from '../src/with-pauses.ts';

it('long work lets what waits in the event loop go first between its parts, and ends with its result', async () => {
  let heartbeats = 0;
  const beating = setInterval(() => {
    heartbeats += 1;
  }, 1);
  const seen: number[] = [];
  const result = await withPauses(
    (function* () {
      for (let part = 0; part < 3; part += 1) {
        const until = performance.now() + 150;
        while (performance.now() < until);
        seen.push(heartbeats);
        yield;
      }
      return 'done';
    })(),
  );
  clearInterval(beating);
  expect(result).toBe('done');
  expect(seen[0]).toBe(0);
  expect(seen[2]).toBeGreaterThan(0);
});

it('work that is no longer wanted ends between its parts, with the reason', async () => {
  const wanted = new AbortController();
  let parts = 0;
  const work = (function* () {
    for (;;) {
      parts += 1;
      if (parts === 3) wanted.abort(new Error('no longer wanted'));
      yield;
    }
  })();
  await expect(withPauses(work, wanted.signal)).rejects.toThrow('no longer wanted');
  expect(parts).toBe(3);
});

it('what the work throws is thrown', async () => {
  const work = (function* (): Generator<void, never> {
    yield;
    throw new Error('no');
  })();
  await expect(withPauses(work)).rejects.toThrow('no');
});
