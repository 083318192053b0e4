// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { judgePair, meanOutcome } from '../../../src/domain/pairs/quality.ts';

describe('a pair', () => {
  it('is better, equal or wrong by the interval of its difference', () => {
    const of64 = (mean: number) => ({ mean, n: 64 });
    expect(judgePair(of64(0.75), of64(0.25)).quality).toBe('better');
    expect(judgePair(of64(0.25), of64(0.75)).quality).toBe('wrong');
    // A difference of 0.1 has a standard error of about 0.09 here.
    expect(judgePair(of64(0.55), of64(0.45))).toMatchObject({ quality: 'equal', difference: expect.closeTo(0.1, 12) });
    expect(judgePair(of64(0), of64(0)).quality).toBe('equal');
  });

  it('with few rollouts is hardly ever told apart', () => {
    expect(judgePair({ mean: 0.5, n: 4 }, { mean: 0, n: 4 }).quality).toBe('equal');
    expect(judgePair({ mean: 0.5, n: 40 }, { mean: 0, n: 40 }).quality).toBe('better');
  });
});

describe('the mean outcome of rollouts', () => {
  it('is the mean reward of those that gave one; a coincidental success gives nothing', () => {
    const rollouts = [
      { reward: 1, success: true, confirmed: true },
      { reward: 1, success: true, confirmed: false }, // does not hold on variants
      { reward: 0.5, success: false, confirmed: null }, // graded
      { reward: null, success: null, confirmed: null }, // ended by a fault
      { reward: 1, success: true, confirmed: null, auditFlags: ['tests-edited'] }, // says nothing
    ];
    expect(meanOutcome(rollouts)).toEqual({ mean: 0.5, n: 3 });
    expect(meanOutcome(rollouts.slice(3))).toBeNull();
    expect(meanOutcome([])).toBeNull();
  });
});
