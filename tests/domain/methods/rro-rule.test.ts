// Layer: pure rules of reward-rising sampling, on values written down by hand.
import { describe, expect, it } from 'vitest';
import {
  chooseStep,
  isDrawnEnough,
  meanReward,
  type RisingOptions,
  type ValuedAction,
  valueAtBest,
  whyUnpaired,
} from '../../../src/domain/methods/rro-rule.ts';

const rising: RisingOptions = {
  exploration: 'rising',
  stopProbability: 0.5,
  draws: 5,
  gap: 0.1,
  saturation: 0.01,
  extraDraw: false,
};
const fixed: RisingOptions = { ...rising, exploration: 'fixed' };

function drawn(...values: (number | null)[]) {
  return values.map((value, index) => ({ candidateId: `c${index}`, value }));
}

describe('rising exploration', () => {
  it('stops at the first action above the value before, and pairs it with the lowest drawn before', () => {
    expect(isDrawnEnough(0.4, drawn(0.4, 0.2), rising, 0)).toBe(false);
    expect(isDrawnEnough(0.4, drawn(0.4, 0.2, 0.6), rising, 0)).toBe(true);
    expect(chooseStep(0.4, drawn(0.4, 0.2, 0.6), rising)).toEqual({ verdict: 'rising', accepted: 2, rejected: 1 });
  });

  it('an equal value does not rise', () => {
    expect(isDrawnEnough(0.4, drawn(0.4), rising, 0)).toBe(false);
  });

  it('the same rewards, added in another order, do not rise', () => {
    const [before, after] = [
      [0.1, 0.2, 0.3],
      [0.3, 0.2, 0.1],
    ].map((rewards) => meanReward(rewards.map((reward) => ({ reward }))));
    expect(before).not.toBe(after);
    expect(isDrawnEnough(Math.min(before!, after!), drawn(Math.max(before!, after!)), rising, 0)).toBe(false);
  });

  it('has no pair where the first action rises, unless one more is drawn', () => {
    expect(chooseStep(0.4, drawn(0.6), rising)).toEqual({ verdict: 'rising', accepted: 0, rejected: null });
    const extra = { ...rising, extraDraw: true };
    expect(isDrawnEnough(0.4, drawn(0.6), extra, 0)).toBe(false);
    expect(isDrawnEnough(0.4, drawn(0.6, 0.2), extra, 0)).toBe(true);
    expect(chooseStep(0.4, drawn(0.6, 0.2), extra)).toEqual({ verdict: 'rising', accepted: 0, rejected: 1 });
  });

  it('goes on with the best where none of K rises, and pairs best against worst', () => {
    const five = drawn(0.2, 0.4, 0, 0.4, 0.2);
    expect(isDrawnEnough(0.8, five, rising, 0)).toBe(true);
    expect(chooseStep(0.8, five, rising)).toEqual({ verdict: 'not-rising', accepted: 1, rejected: 2 });
  });

  it('takes the first action at once where nothing can rise', () => {
    expect(isDrawnEnough(1, drawn(0.8), rising, 0)).toBe(true);
    expect(chooseStep(1, drawn(0.8), rising)).toEqual({ verdict: 'saturated', accepted: 0, rejected: null });
  });

  it('gives no pair for a gap of τ or less', () => {
    expect(chooseStep(0.4, drawn(0.4, 0.5), rising).rejected).toBeNull();
    expect(chooseStep(0.4, drawn(0.4, 0.50001), rising).rejected).toBe(0);
    // As binary fractions 0.4 − 0.3 is more than 0.1, and 0.6 − 0.5 less.
    expect(chooseStep(0.3, drawn(0.3, 0.4), rising).rejected).toBeNull();
    expect(chooseStep(0.5, drawn(0.5, 0.6), rising).rejected).toBeNull();
  });

  it('an unknown value neither rises nor is rejected', () => {
    expect(isDrawnEnough(0.4, drawn(null), rising, 0)).toBe(false);
    expect(chooseStep(0.4, drawn(null, 0.6), rising)).toEqual({ verdict: 'rising', accepted: 1, rejected: null });
    expect(chooseStep(0.4, drawn(null, null, null, null, null), rising).accepted).toBe(0);
  });

  it('any known value rises above an unknown one', () => {
    expect(isDrawnEnough(null, drawn(0), rising, 0)).toBe(true);
  });
});

describe('fixed exploration', () => {
  it('always draws all, and pairs best against worst', () => {
    expect(isDrawnEnough(0, drawn(1, 1, 1, 1), fixed, 0)).toBe(false);
    expect(chooseStep(0.4, drawn(0.6, 0.2, 1, 0, 0.4), fixed)).toEqual({ verdict: 'rising', accepted: 2, rejected: 3 });
  });
});

describe('random exploration', () => {
  const random: RisingOptions = { ...rising, exploration: 'random', stopProbability: 0.4 };

  it('stops by chance alone, whatever the values are, and at K at the latest', () => {
    expect(isDrawnEnough(0.4, drawn(), random, 0)).toBe(false);
    expect(isDrawnEnough(0.4, drawn(0), random, 0.39)).toBe(true);
    expect(isDrawnEnough(0.4, drawn(1), random, 0.4)).toBe(false);
    expect(isDrawnEnough(0.4, drawn(0, 0, 0, 0, 0), random, 0.99)).toBe(true);
  });

  it('goes on with the best of those drawn, and pairs best against worst', () => {
    expect(chooseStep(0.4, drawn(0.6, 0.2, 0.8), random)).toEqual({ verdict: 'rising', accepted: 2, rejected: 1 });
  });
});

describe('a value', () => {
  it('is the mean of the known outcomes, and unknown without any', () => {
    expect(meanReward([{ reward: 1 }, { reward: 0 }, { reward: null }, { reward: 0.5 }])).toBe(0.5);
    expect(meanReward([{ reward: null }])).toBeNull();
    expect(meanReward([])).toBeNull();
  });

  it('is what it would be at best where it was given up before all rollouts were made', () => {
    expect(valueAtBest([{ reward: 0 }, { reward: 0 }], 5)).toBeCloseTo(3 / 5, 10);
    expect(valueAtBest([{ reward: 1 }, { reward: null }], 4)).toBe(1);
    expect(valueAtBest([{ reward: 0 }, { reward: 1 }], 2)).toBe(0.5);
    expect(valueAtBest([{ reward: null }], 5)).toBeNull();
  });

  it('comes before every bound, of which the highest is taken where there is nothing else', () => {
    const bounded = (...values: (number | null)[]) => drawn(...values).map((action) => ({ ...action, isBound: true }));
    const last = { ...rising, boundsLast: true };
    const [real] = drawn(0.2);
    // At best 0.6, so perhaps 0; the other is 0.2.
    expect(chooseStep(0.7, [...bounded(0.6), real!], last)).toMatchObject({ accepted: 1, rejected: null });
    expect(chooseStep(0.7, [real!, ...bounded(0.05), ...bounded(0.6)], last)).toMatchObject({
      accepted: 0,
      rejected: 1,
    });
    expect(chooseStep(0.7, bounded(0.3, 0.6, 0.4), last)).toMatchObject({ accepted: 1, rejected: null });
    expect(chooseStep(0.7, [...drawn(null), ...bounded(0.1)], last)).toMatchObject({ accepted: 1, rejected: null });
    // Runs from before go on as they began.
    expect(chooseStep(0.7, [...bounded(0.6), real!], rising)).toMatchObject({ accepted: 0, rejected: null });
  });

  it('that is only a bound never makes an action preferred', () => {
    const [first, second] = drawn(0.4, 0.1) as [ValuedAction, ValuedAction];
    expect(chooseStep(0.5, [{ ...first, isBound: true }, second], rising)).toMatchObject({
      accepted: 0,
      rejected: null,
    });
    expect(chooseStep(0.3, [{ ...second, isBound: true }, first], rising)).toMatchObject({ accepted: 1, rejected: 0 });
  });
});

describe('flagged successes', () => {
  const flagged = { reward: 1, auditFlags: ['tests-edited'] };

  it('are in no value', () => {
    expect(meanReward([flagged, { reward: 0 }, { reward: 0.5, auditFlags: [] }])).toBe(0.25);
    expect(meanReward([flagged, flagged])).toBeNull();
    // Of four wanted rollouts one is known and one is open.
    expect(valueAtBest([flagged, flagged, { reward: 0 }], 4)).toBe(0.5);
  });

  it('are the reason if they leave no value to compare', () => {
    const [honest, trick] = [
      { candidateId: 'a', value: 0.5, equality: 'a' },
      { candidateId: 'b', value: null, equality: 'b', auditFlags: ['tests-edited'] },
    ];
    const choice = { verdict: 'rising' as const, accepted: 0, rejected: null };
    expect(whyUnpaired([honest, trick], choice)).toBe('flagged');
    expect(whyUnpaired([honest, { ...trick, auditFlags: null }], choice)).toBe('no-outcome');
  });
});
