// Layer: kill-and-resume, its plans alone.
import { expect, it } from 'vitest';
import { countRepeats } from './aftermath.ts';
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

const request = (key: string, seconds: number, fault: 'cut' | null = null) => ({
  key,
  fault,
  received: new Date(1_000 * seconds).toISOString(),
  time: new Date(1_000 * seconds + 500).toISOString(),
  model: 'sim-policy',
  status: 200,
  bodyHash: '',
  complete: fault === null,
});

it('a call sent again after it was journaled is found', () => {
  const repeats = countRepeats([request('a', 1), request('a', 3)], new Map([['a', 2_000]]), []);
  expect(repeats).toMatchObject({ afterJournaled: ['a'], repeated: 1, unexplained: ['a'] });
});

it('a call sent again because a kill hit it is explained by the kill, and by no other', () => {
  const requests = [request('a', 1), request('a', 5), request('b', 1), request('b', 2)];
  const written = new Map([
    ['a', 6_000],
    ['b', 3_000],
  ]);
  const repeats = countRepeats(requests, written, [{ from: 4_000, to: 4_500 }]);
  expect(repeats).toMatchObject({ afterJournaled: [], repeated: 2, inFlightAtKills: 1, unexplained: ['b'] });
});

it('a call sent again after an injected fault is no repeat', () => {
  const requests = [request('a', 1, 'cut'), request('a', 2), request('a', 3, 'cut')];
  expect(countRepeats(requests, new Map([['a', 4_000]]), [])).toMatchObject({
    repeated: 0,
    faulted: 2,
    unexplained: [],
  });
});
