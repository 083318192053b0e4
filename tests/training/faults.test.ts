// Layer: pure rules.
import { describe, expect, it } from 'vitest';
import type { TrainingExit } from '../../src/domain/improve/training.ts';
import { faultOfDeaths, faultOfEnd, faultOfStart } from '../../src/training/faults.ts';

function kindOf(end: Partial<TrainingExit>, lastLines = ''): string {
  const exit = {
    ...{ code: null, signal: null, error: null, stop: null, finding: null, unwritten: 0, model: null },
    ...end,
  };
  return faultOfEnd(exit, contextOf(lastLines)).kind;
}

const contextOf = (lastLines: string) => ({
  ...{ log: 'log.txt', lastLines, command: ['trainer'], rows: 2, base: 'base' },
});

describe('a trainer some bytes of whose log could not be written', () => {
  const unwritten = 100;

  it.each([
    [2, 'Train.Failed'],
    [3, 'User.NotFound'],
    [4, 'Train.RowsDropped'],
    [5, 'Train.Failed'],
    [6, 'Train.Diverged'],
    [7, 'Train.Collapsed'],
    [8, 'Train.OutOfMemory'],
    [9, 'Disk.Full'],
  ])('and that says why it ended, by exit code %i: %s', (code, kind) => {
    expect(kindOf({ code, unwritten })).toBe(kind);
  });

  it('and whose last lines say why', () => {
    expect(kindOf({ code: 1, unwritten }, 'torch.OutOfMemoryError: CUDA out of memory')).toBe('Train.OutOfMemory');
  });

  it('and that says nothing else ended for want of space', () => {
    expect(kindOf({ code: 1, unwritten })).toBe('Disk.Full');
    expect(kindOf({ code: 1 })).toBe('Train.Failed');
  });
});

describe('a full disk', () => {
  const words = 'ENOSPC: no space left on device, write';

  it('on which a supervisor cannot note its trainer is no trainer that could not be started', () => {
    expect(kindOf({ error: words })).toBe('Disk.Full');
    expect(kindOf({ error: 'spawn trainer ENOENT' })).toBe('Train.Failed');
  });

  it('that ends supervisors is named, as far as their log holds it', () => {
    expect(faultOfDeaths('its supervisor was gone', 3, 0, contextOf(words)).kind).toBe('Disk.Full');
    expect(faultOfStart(contextOf('The disk of the store is full (database or disk is full).')).kind).toBe('Disk.Full');
    expect(faultOfStart(contextOf('')).kind).toBe('Train.Failed');
  });
});

it.each([
  ['it was killed (SIGKILL)', 'Train.OutOfMemory'],
  ['it was killed (exit code 137)', 'Train.OutOfMemory'],
  ['it ended by SIGSEGV', 'Train.Failed'],
  ['it ended by SIGABRT', 'Train.Failed'],
])('a training that died three times because %s ends as %s', (death, kind) => {
  expect(faultOfDeaths(death, 3, 0, contextOf('')).kind).toBe(kind);
});
