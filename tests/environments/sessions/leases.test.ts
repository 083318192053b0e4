// Layer: work that holds its session, in the session cache with a real store and an environment of doors whose sessions are costly.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { State } from '../../../src/store/tree.ts';
import { type DoorsOptions, go } from '../../activities/doors.ts';
import { never, rootOf, type Setting, setting, take } from './setting.ts';

function costly(maxSessions: number, options: DoorsOptions = {}): Promise<Setting> {
  return setting({ capabilities: { sessions: 'costly', maxSessions }, ...options });
}

/** A trajectory of four steps, whose model takes its time before each of them. */
async function trajectory(place: Setting, name: string): Promise<State> {
  let state = place.root;
  for (const door of [`${name}-1`, `${name}-2`, `${name}-3`, 'treasure']) {
    await sleep(1);
    state = await take(place, state, door);
  }
  return state;
}

const fifty = Array.from({ length: 50 }, (_, index) => `trajectory-${index}`);

function hold<T>({ cache, seen }: Setting, work: () => Promise<T>, signal = never): Promise<T> {
  return cache.hold(seen.environment, signal, work);
}

/** Work that holds its session until it is told to end. */
function holder(place: Setting): { begun: Promise<void>; end(): Promise<void> } {
  const begun = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const done = hold(place, async () => {
    begun.resolve();
    await told.promise;
  });
  return {
    begun: begun.promise,
    end: () => {
      told.resolve();
      return done;
    },
  };
}

const waiting = ({ cache }: Setting) => cache.waiting.get('doors') ?? 0;

describe('fifty trajectories with room for two sessions', () => {
  it('rebuild none if sessions are costly: each holds its own to its end', async () => {
    const place = await costly(2);
    const ends = await Promise.all(fifty.map((name) => hold(place, () => trajectory(place, name))));
    expect(ends.map(({ step }) => step)).toEqual(fifty.map(() => 4));
    expect(place.cache.rebuilt).toBe(0);
    expect(place.seen).toMatchObject({ opened: 50, closed: 50, mostOpen: 2, stepped: 200 });
    expect(waiting(place)).toBe(0);
  });

  it('share them as before if sessions are cheap: nobody waits, and what made room is rebuilt', async () => {
    const place = await setting({ capabilities: { maxSessions: 2 } });
    let atWork = 0;
    let mostAtWork = 0;
    await Promise.all(
      fifty.map((name) =>
        hold(place, async () => {
          mostAtWork = Math.max(mostAtWork, ++atWork);
          await trajectory(place, name);
          atWork--;
        }),
      ),
    );
    expect(mostAtWork).toBe(50);
    expect(place.cache.rebuilt).toBeGreaterThan(0);
    expect(place.seen.mostOpen).toBe(2);
  });
});

describe('work that waits for a session', () => {
  it('gets it in the order in which it came', async () => {
    const place = await costly(1);
    const order: string[] = [];
    const first = holder(place);
    await first.begun;
    const all = ['a', 'b', 'c', 'd'].map((name) =>
      hold(place, async () => {
        order.push(name);
        await trajectory(place, name);
      }),
    );
    expect(waiting(place)).toBe(4);
    await first.end();
    await Promise.all(all);
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('may give up, and then nobody waits for it', async () => {
    const place = await costly(1);
    const first = holder(place);
    await first.begun;
    const leaving = new AbortController();
    const given = hold(place, () => trajectory(place, 'left'), leaving.signal);
    const next = hold(place, () => trajectory(place, 'next'));
    expect(waiting(place)).toBe(2);
    const reason = new Error('cancelled');
    leaving.abort(reason);
    await expect(given).rejects.toBe(reason);
    expect(waiting(place)).toBe(1);
    await first.end();
    await next;
    expect(place.seen).toMatchObject({ opened: 1, closed: 1 });
  });

  it('gets that of work that broke, was given up, or whose session broke', async () => {
    const place = await costly(1, {
      step: (way) => {
        if (way.includes('trap')) throw new Error('the floor gave way');
        return undefined;
      },
    });
    const leaving = new AbortController();
    const broken = [
      hold(place, async () => {
        await take(place, place.root, 'left');
        throw new Error('a defect');
      }),
      hold(place, () => take(place, place.root, 'trap')),
      hold(place, async () => {
        await take(place, place.root, 'right');
        leaving.abort(new Error('cancelled'));
        await place.cache.step(place.root, go('up'), leaving.signal);
      }),
    ];
    const last = hold(place, () => trajectory(place, 'last'));
    await expect(broken[0]).rejects.toThrow('a defect');
    await expect(broken[1]).rejects.toMatchObject({ kind: 'Environment.Fault' });
    await expect(broken[2]).rejects.toThrow('cancelled');
    expect((await last).step).toBe(4);
    expect(place.seen.mostOpen).toBe(1);
  });

  it('does not wait for steps that are recorded', async () => {
    const place = await costly(1);
    const state = await take(place, place.root, 'left');
    const first = holder(place);
    await first.begun;
    expect((await place.cache.step(place.root, go('left'), never)).key).toBe(state.stateKey);
    await first.end();
  });
});

describe('work that holds the only session', () => {
  it('never waits for itself, whatever it asks of sessions', async () => {
    const place = await costly(1, { outcome: () => ({ reward: 0.5 }) });
    const { cache, root, store, seen } = place;
    const other = await rootOf(store, seen, 'task-2');
    await hold(place, async () => {
      const state = await take(place, await take(place, root, 'left'), 'right');
      // The prefix of a branch is proven while the session of the trajectory is in another state.
      expect(await cache.checkPrefix(state, never)).toBe(2);
      await take(place, state, 'up');
      expect(await cache.outcome(state, never)).toMatchObject({ reward: 0.5 });
      await cache.stepToState(other, go('left'), never);
      await hold(place, () => take(place, root, 'down'));
    });
    expect(seen.mostOpen).toBe(1);
    expect(cache.rebuilt).toBeGreaterThan(0);
  });

  it('takes a step that a caller without a session wants too, and waits for', async () => {
    const place = await costly(1);
    const { cache, root, seen } = place;
    const told = Promise.withResolvers<void>();
    const inside = hold(place, async () => {
      await told.promise;
      return cache.step(root, go('left'), never);
    });
    const outside = cache.step(root, go('left'), never);
    await expect.poll(() => waiting(place)).toBe(1);
    told.resolve();
    expect(await inside).toEqual(await outside);
    expect(seen.stepped).toBe(1);
  });
});

describe('a step that others want too', () => {
  it('keeps its place until it is over, although the work that began it has ended', async () => {
    const slow = Promise.withResolvers<undefined>();
    const place = await costly(2, { step: (way) => (way[0] === 'slow' ? slow.promise : undefined) });
    const { cache, root, seen } = place;
    const leaving = new AbortController();
    const first = hold(place, () => cache.step(root, go('slow'), leaving.signal));
    await expect.poll(() => seen.stepped).toBe(1);
    const second = hold(place, () => cache.step(root, go('slow'), never));
    await expect.poll(() => cache.open.get('doors')).toBe(1);
    leaving.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    const third = hold(place, () => trajectory(place, 'third'));
    expect(waiting(place)).toBe(1);
    slow.resolve(undefined);
    expect((await second).observation).toBe('A room behind slow.');
    await third;
    expect(seen.mostOpen).toBeLessThanOrEqual(2);
    expect(waiting(place)).toBe(0);
  });
});

describe('a session whose work has ended', () => {
  it('is there for work that goes on in its state, and makes room for other work', async () => {
    const place = await costly(1);
    const state = await hold(place, () => take(place, place.root, 'left'));
    const on = await hold(place, () => take(place, state, 'right'));
    expect(place.seen.opened).toBe(1);
    await hold(place, () => trajectory(place, 'other'));
    expect(place.seen).toMatchObject({ opened: 2, closed: 2, mostOpen: 1 });
    await hold(place, () => take(place, on, 'up'));
    expect(place.cache.rebuilt).toBe(1);
  });

  it('is closed if all were closed meanwhile', async () => {
    const place = await costly(2);
    await hold(place, async () => {
      await take(place, place.root, 'left');
      await place.cache.close();
    });
    expect(place.seen).toMatchObject({ opened: 1, closed: 1 });
  });
});
