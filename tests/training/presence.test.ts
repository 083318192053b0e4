// Layer: a rule over the record of a lease, with processes of this machine and of others.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import type { Training } from '../../src/store/trainings.ts';
import { ownPlace, placeOf } from '../../src/temporal/process-identity.ts';
import { Presence } from '../../src/training/presence.ts';
import { firstStart } from '../../src/training/restart.ts';

const own = ownPlace()!;
const elsewhere = { ...own, space: 'another machine' };

function training(changes: Partial<Training> = {}): Training {
  return {
    ...{ folder: '/f', holder: 'a', host: 'there', process: elsewhere, state: 'running', silentMs: 0, heldMs: 0 },
    ...{ progress: null, stop: null, exit: null },
    ...firstStart,
    ...changes,
  };
}

const presence = (objectionMs = 0) => new Presence({ silenceMs: 60_000, objectionMs });

it('a supervisor whose process can be seen lives while it runs, however silent it is', async () => {
  const child = spawn('sleep', ['60']);
  const process = placeOf(child.pid!);
  expect(presence().isAtWork(training({ process, silentMs: 1e9 }))).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(presence().isAtWork(training({ process }))).toBe(false);
});

it('one out of sight is dead after a minute of silence, in either direction of the clock', () => {
  expect(presence().isAtWork(training({ silentMs: 59_000 }))).toBe(true);
  expect(presence().isAtWork(training({ silentMs: 61_000 }))).toBe(false);
  expect(presence().isAtWork(training({ silentMs: -61_000 }))).toBe(false);
  expect(presence().isAtWork(training({ process: null, silentMs: 61_000 }))).toBe(false);
});

it('one out of sight may object, and does if it is heard of or the store was away', () => {
  const patient = presence(1e9);
  expect(patient.isAtWork(training({ silentMs: 61_000 }))).toBe(true);
  patient.missed();
  expect(patient.isAtWork(training({ silentMs: 99_000 }))).toBe(true);
  expect(patient.isAtWork(training({ silentMs: 1_000 }))).toBe(true);
});

it('nobody is at work on a training that has ended', () => {
  expect(presence().isAtWork(training({ process: own, state: 'ended' }))).toBe(false);
});
