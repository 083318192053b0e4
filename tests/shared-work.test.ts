// Layer: pure core.
import { expect, it } from 'vitest';
import { SharedWork } from '../src/shared-work.ts';

const never = new AbortController().signal;
const reason = new Error('left');

it('does the work once for all who ask while it is under way, and again for who asks later', async () => {
  const shared = new SharedWork<number>();
  let times = 0;
  const work = async () => ++times;
  expect(await Promise.all([shared.join('a', work, never), shared.join('a', work, never)])).toEqual([1, 1]);
  expect(await shared.join('a', work, never)).toBe(2);
});

it('keeps different keys apart', async () => {
  const shared = new SharedWork<string>();
  expect(await Promise.all(['a', 'b'].map((key) => shared.join(key, async () => key, never)))).toEqual(['a', 'b']);
});

it('tells the work to give up only when the last caller has left', async () => {
  const shared = new SharedWork<void>();
  const done = Promise.withResolvers<void>();
  let told: AbortSignal | undefined;
  const work = (signal: AbortSignal) => {
    told = signal;
    return done.promise;
  };
  const [first, second] = [new AbortController(), new AbortController()];
  const waiting = [shared.join('a', work, first.signal), shared.join('a', work, second.signal)];
  first.abort(reason);
  await expect(waiting[0]).rejects.toBe(reason);
  expect(told!.aborted).toBe(false);
  second.abort(reason);
  await expect(waiting[1]).rejects.toBe(reason);
  expect(told!.aborted).toBe(true);
  done.resolve();
  await shared.idle();
});

it('does not tell work that is over to give up', async () => {
  const shared = new SharedWork<string>();
  let told: AbortSignal | undefined;
  const work = async (signal: AbortSignal) => {
    told = signal;
    return 'done';
  };
  await Promise.all([shared.join('a', work, never), shared.join('a', work, never)]);
  expect(told!.aborted).toBe(false);
});

it('begins anew only after abandoned work has wound up', async () => {
  const shared = new SharedWork<string>();
  const windUp = Promise.withResolvers<string>();
  const leaving = new AbortController();
  const first = shared.join('a', () => windUp.promise, leaving.signal);
  leaving.abort(reason);
  await expect(first).rejects.toBe(reason);
  let begun = false;
  const work = async () => {
    begun = true;
    return 'new';
  };
  const second = shared.join('a', work, never);
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toBe(false);
  windUp.resolve('old');
  expect(await second).toBe('new');
});

it('hands a failure to all who wait, and lets the next one try again', async () => {
  const shared = new SharedWork<string>();
  const failing = async () => {
    throw reason;
  };
  const waiting = [shared.join('a', failing, never), shared.join('a', failing, never)];
  for (const result of waiting) await expect(result).rejects.toBe(reason);
  expect(await shared.join('a', async () => 'well', never)).toBe('well');
});
