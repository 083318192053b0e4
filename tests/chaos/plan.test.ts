// Layer: kill-and-resume, its plans alone.
import { expect, it } from 'vitest';
import type { LogEntry } from '../../src/simulation/request-log.ts';
import { countRepeats, type Noted } from './aftermath.ts';
import { makePlan, type PlanOptions } from './plan.ts';

const options: PlanOptions = {
  seed: 1,
  workers: 2,
  forMs: 10,
  howMany: {
    'kill-worker': 20,
    'kill-temporal': 2,
    'restart-models': 2,
    'fill-disk': 1,
    'lock-store': 1,
    'slow-store': 1,
    'kill-export': 3,
  },
};

it('a plan is the same for the same seed, and another for another', () => {
  expect(makePlan(options)).toEqual(makePlan(options));
  expect(makePlan(options)).not.toEqual(makePlan({ ...options, seed: 2 }));
});

it('a plan has as many disturbances as are wanted, in order, before the end', () => {
  const plan = makePlan(options);
  expect(plan.length).toBe(30);
  expect(plan.filter(({ disturbance }) => disturbance.kind === 'kill-worker').length).toBe(20);
  expect(plan.map(({ share }) => share)).toEqual(plan.map(({ share }) => share).sort((one, other) => one - other));
  expect(plan.at(-1)!.share).toBeLessThanOrEqual(0.95);
});

/** A request that took half a second. */
const request = (key: string, seconds: number, end: 'complete' | 'cut' | 'hang' = 'complete'): LogEntry => ({
  key,
  fault: end === 'complete' || end === 'cut' ? null : end,
  received: new Date(1_000 * seconds).toISOString(),
  time: new Date(1_000 * seconds + 500).toISOString(),
  model: 'sim-policy',
  status: 200,
  bodyHash: '',
  complete: end === 'complete',
});
const none = { fault: 0, kill: 0, 'time-limit': 0 };
const written = (journaledAt: { [key: string]: number }, faults: { [key: string]: number } = {}): Noted => ({
  journaledAt: new Map(Object.entries(journaledAt)),
  faults: new Map(Object.entries(faults)),
});

it('a call sent again after it was journaled is found', () => {
  const repeats = countRepeats([request('a', 1), request('a', 3)], written({ a: 2_000 }), []);
  expect(repeats).toMatchObject({ afterJournaled: ['a'], repeated: none, unexplained: [expect.stringMatching(/^a /)] });
});

it('a call sent again because a kill cut it, or lost its answer, is explained by the kill, and by no other', () => {
  const requests = [
    // Cut at the kill.
    ...[request('a', 4, 'cut'), request('a', 5)],
    // Answered before the kill, and not written then.
    ...[request('b', 3), request('b', 5)],
    // Cut before the kill.
    ...[request('c', 2, 'cut'), request('c', 5)],
    // Sent again before the kill.
    ...[request('d', 1), request('d', 2)],
  ];
  const noted = written({ a: 6_000, b: 6_000, c: 6_000, d: 6_000 });
  const repeats = countRepeats(requests, noted, [{ from: 4_200, to: 4_700 }]);
  expect(repeats).toMatchObject({ afterJournaled: [], repeated: { ...none, kill: 2 }, inFlightAtKills: 4 });
  expect(repeats.unexplained).toEqual([expect.stringMatching(/^c /), expect.stringMatching(/^d /)]);
});

it('a kill explains one repeat of a call, not those that follow', () => {
  const requests = [request('a', 4, 'cut'), request('a', 5), request('a', 6)];
  const repeats = countRepeats(requests, written({ a: 7_000 }), [{ from: 4_200, to: 4_700 }]);
  expect(repeats).toMatchObject({ repeated: { ...none, kill: 1 }, unexplained: [expect.stringMatching(/^a /)] });
});

it('a call sent again after an injected fault is explained by it, whatever the order in which requests were over', () => {
  const requests = [request('a', 2), request('a', 1, 'hang')];
  expect(countRepeats(requests, written({ a: 4_000 }, { a: 1 }), [])).toMatchObject({
    repeated: { ...none, fault: 1 },
    faulted: 1,
    unexplained: [],
  });
});

it('a call that its client gave up by the time limit is explained by the fault that the store has of it, and once', () => {
  const requests = [request('a', 1), request('a', 6), request('b', 1, 'hang'), request('b', 6, 'cut'), request('b', 8)];
  const repeats = countRepeats(requests, written({ a: 7_000, b: 9_000 }, { a: 1, b: 1 }), []);
  expect(repeats).toMatchObject({
    repeated: { ...none, fault: 1, 'time-limit': 1 },
    unexplained: [expect.stringMatching(/^b /)],
  });
});
