// Layer: pure core. Values computed by hand.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intersectionOverUnion, kendallTau, rewardOf } from '../../../src/environments/intercode-sql/reward.ts';

describe('intersection over union', () => {
  it.each([
    ['equal rows', ['a', 'b'], ['b', 'a'], 1],
    ['one of three', ['a', 'b'], ['a', 'c'], 1 / 3],
    // min(2, 1) over max(2, 1)
    ['a row too often', ['a', 'a'], ['a'], 1 / 2],
    ['nothing shared', ['a'], ['b'], 0],
    ['both empty', [], [], 1],
    ['one empty', [], ['a'], 0],
  ])('%s', (_, agent, gold, expected) => {
    expect(intersectionOverUnion(agent, gold)).toBe(expected);
  });
});

describe('Kendall tau-b', () => {
  it.each([
    ['the same order', ['a', 'b', 'c'], ['a', 'b', 'c'], 1],
    ['reversed', ['a', 'b', 'c'], ['c', 'b', 'a'], -1],
    // Pairs: (a,b)/(a,c) agree, (a,c)/(a,b) agree, (b,c)/(c,b) do not: (2 - 1) / 3.
    ['two of three exchanged', ['a', 'b', 'c'], ['a', 'c', 'b'], 1 / 3],
    // Of 3 pairs one ties on the left: 2 agree, (2 - 0) / sqrt(2 * 3).
    ['a tie on one side', ['a', 'a', 'b'], ['a', 'b', 'c'], 2 / Math.sqrt(6)],
    // 6 pairs; (1,2) ties left, (3,4) ties right, (2,3) and three more: 4 agree of sqrt(5 * 5).
    ['ties on both sides', ['a', 'a', 'b', 'c'], ['a', 'b', 'c', 'c'], 4 / 5],
    ['a single item', ['a'], ['a'], null],
    ['all equal on one side', ['a', 'a'], ['a', 'b'], null],
    ['nothing', [], [], null],
  ])('%s', (_, first, second, expected) => {
    const tau = kendallTau(first, second);
    if (expected === null) expect(tau).toBeNull();
    else expect(tau).toBeCloseTo(expected, 12);
  });

  it('equals the count of all pairs', () => {
    const letters = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('a', 'b', 'c', 'd')), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(letters, (pairs) => {
        const sign = (x: string, y: string) => Math.sign(x.localeCompare(y, 'en'));
        let sum = 0;
        let first = 0;
        let second = 0;
        for (let i = 0; i < pairs.length; i++) {
          for (let j = i + 1; j < pairs.length; j++) {
            const [a, b] = [sign(pairs[i]![0], pairs[j]![0]), sign(pairs[i]![1], pairs[j]![1])];
            sum += a * b;
            first += a * a;
            second += b * b;
          }
        }
        const tau = kendallTau(
          pairs.map(([a]) => a),
          pairs.map(([, b]) => b),
        );
        if (first * second === 0) expect(tau).toBeNull();
        else expect(tau).toBeCloseTo(sum / Math.sqrt(first * second), 12);
      }),
      { seed: 1 },
    );
  });
});

describe('reward', () => {
  it('is 0 without rows of an agent, also when the gold is empty', () => {
    expect(rewardOf('iou', null, [])).toEqual({ reward: 0, raw: 0 });
  });

  it('ignores the order under iou and weighs it under iou-tau', () => {
    expect(rewardOf('iou', ['b', 'a'], ['a', 'b'])).toEqual({ reward: 1, raw: 1 });
    expect(rewardOf('iou-tau', ['a', 'b'], ['a', 'b'])).toEqual({ reward: 1, raw: 1 });
  });

  it('clips a negative reward at 0 and keeps the raw one', () => {
    expect(rewardOf('iou-tau', ['b', 'a'], ['a', 'b'])).toEqual({ reward: 0, raw: -1 });
  });

  it('stays the overlap where tau is not defined', () => {
    expect(rewardOf('iou-tau', ['a', 'x', 'y'], ['a'])).toEqual({ reward: 1 / 3, raw: 1 / 3 });
  });

  it('takes tau over the shared rows only, and rounds to two digits', () => {
    // Shared a, b, c in orders a c b and a b c: tau 1/3; overlap 3 of 4: 0.25.
    expect(rewardOf('iou-tau', ['a', 'c', 'x', 'b'], ['a', 'b', 'c']).raw).toBe(0.25);
    // Overlap 3 of 8, tau 1/3: exactly 0.125, to the even digit.
    expect(rewardOf('iou-tau', ['a', 'c', 'b', 'x', 'y', 'z', 'v', 'w'], ['a', 'b', 'c']).raw).toBe(0.12);
  });
});
