// Layer: kill-and-resume. An evaluation whose worker is killed with SIGKILL, with calls in flight.
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { evaluationOf } from '../../src/views/evaluation.ts';
import { Lab, until } from '../helpers/lab.ts';

const request = { method: 'evaluate', split: 'train', limit: 6, samples: 2 } as const;

let lab: Lab;

beforeEach(async () => {
  lab = await Lab.open({ address: inject('temporal').address, latency: { distribution: 'fixed', meanMs: 150 } });
});
afterEach(() => lab.close());

it('an evaluation comes to the same figures when its worker is killed in the middle', async () => {
  const killed = await lab.start(request);
  const worker = await lab.workApart();
  await until('some answers', async () => (await lab.countAnswers(killed.id)) >= 10);
  await until('calls in flight', () => lab.simulation.stats().inFlight > 2);
  await worker.end('SIGKILL');
  const { overall: half } = (await evaluationOf(lab.store, killed.id))!;
  expect(half.open).toBeGreaterThan(0);
  await lab.workApart();
  expect(await killed.result()).toMatchObject({ state: 'finished', done: 12 });

  const undisturbed = await lab.start(request);
  await undisturbed.result();
  const { overall } = (await evaluationOf(lab.store, killed.id))!;
  expect(overall.open).toBe(0);
  expect(overall).toEqual((await evaluationOf(lab.store, undisturbed.id))!.overall);
});
