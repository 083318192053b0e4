// Layer: pure rules: which ends of a training are deaths, and when they are too many.
import { describe, expect, it } from 'vitest';
import type { TrainingExit } from '../../src/domain/improve/training.ts';
import type { Training } from '../../src/store/trainings.ts';
import { deathOf, firstStart, mostDeaths, startAfter } from '../../src/training/restart.ts';

const exit: TrainingExit = {
  ...{ code: null, signal: null, error: null, stop: null, finding: null, unwritten: 0, model: null },
};

function training(changes: Partial<Training> = {}): Training {
  return {
    ...{ folder: '/f', holder: 'a', host: 'here', process: null, state: 'ended', silentMs: 0, heldMs: 1_000 },
    ...{ progress: null, stop: null, exit: null },
    ...firstStart,
    ...changes,
  };
}

describe('the death of a training', () => {
  it.each<[string, Partial<TrainingExit>]>([
    ['it was killed (SIGKILL)', { signal: 'SIGKILL' }],
    ['it was killed (exit code 137)', { code: 137 }],
    ['it ended by SIGSEGV', { signal: 'SIGSEGV' }],
    ['it ended by SIGABRT', { signal: 'SIGABRT' }],
    ['its supervisor was told to end, as when the machine shuts down', { signal: 'SIGTERM', stop: 'terminated' }],
    ['its supervisor lost the folder', { signal: 'SIGTERM', stop: 'lost' }],
  ])('%s', (death, end) => {
    expect(deathOf(training({ exit: { ...exit, ...end } }))).toBe(death);
  });

  it('is that of its supervisor, if that is gone', () => {
    expect(deathOf(training({ state: 'running' }))).toBe('its supervisor was gone');
  });

  it.each<[string, Partial<TrainingExit>]>([
    ['an end of its own', { code: 0 }],
    ['a word of its own', { code: 1 }],
    ['a program that is not there', { error: 'ENOENT' }],
    ['a cancellation', { signal: 'SIGKILL', stop: 'cancelled' }],
    ['a collapse', { signal: 'SIGTERM', stop: 'collapsed' }],
  ])('is not %s', (_, end) => {
    expect(deathOf(training({ exit: { ...exit, ...end } }))).toBeNull();
  });
});

describe('the start after it', () => {
  const at = (step: number) => ({ step, total: 99, loss: null, reached: step });
  /** Lets a training die at these steps, for these reasons, one after another. */
  const diesAt = (...deaths: [number, string][]) =>
    deaths.reduce(
      (history, [step, death]) => startAfter(training({ ...history, progress: at(step) }), death),
      firstStart,
    );

  it('adds up how often and how long the trainer ran', () => {
    expect(diesAt([5, 'killed'], [9, 'killed'])).toMatchObject({ starts: 3, ranMs: 2_000, reachedBefore: 9 });
  });

  it('counts deaths for the same reason without a new step, up to the most', () => {
    expect(diesAt([5, 'killed'], [5, 'killed']).deaths).toBe(2);
    expect(diesAt([5, 'killed'], [4, 'killed'], [5, 'killed']).deaths).toBe(mostDeaths);
  });

  it('counts anew after a new step, and for another reason', () => {
    expect(diesAt([5, 'killed'], [5, 'killed'], [6, 'killed']).deaths).toBe(1);
    expect(diesAt([5, 'killed'], [5, 'killed'], [5, 'gone']).deaths).toBe(1);
  });
});
