// Layer: pure rules.
import { describe, expect, it } from 'vitest';
import type { TrainingExit } from '../../src/domain/improve/training.ts';
import { faultOfEnd } from '../../src/training/faults.ts';

function kindOf(end: Partial<TrainingExit>, lastLines = ''): string {
  const exit = {
    ...{ code: null, signal: null, error: null, stop: null, finding: null, unwritten: 0, model: null },
    ...end,
  };
  return faultOfEnd(exit, { log: 'log.txt', lastLines, command: ['trainer'], rows: 2, base: 'base' }).kind;
}

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
