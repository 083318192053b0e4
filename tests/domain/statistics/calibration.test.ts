// Layer: pure core.
import { expect, it } from 'vitest';
import { areaUnderCurve } from '../../../src/domain/statistics/area-under-curve.ts';
import {
  brierScore,
  clearestThresholds,
  reliabilityCurve,
  type ScoredOutcome,
  separationAt,
  weightedAreaUnderCurve,
} from '../../../src/domain/statistics/calibration.ts';
import { seededRandom } from '../../../src/domain/statistics/random.ts';

const outcome = (score: number, success: boolean, weight = 1): ScoredOutcome => ({ score, success, weight });

/** Actions whose score is their chance of success, of which those below 0.65 were rolled out at a rate of 0.2 only. */
function sampled(count: number): { all: ScoredOutcome[]; seen: ScoredOutcome[] } {
  const random = seededRandom('calibration');
  const all = Array.from({ length: count }, () => {
    const score = random.next();
    return outcome(score, random.next() < score);
  });
  const seen = all.flatMap((one) => (one.score > 0.65 ? [one] : random.next() < 0.2 ? [{ ...one, weight: 5 }] : []));
  return { all, seen };
}

it('an empty list says nothing, instead of 0', () => {
  expect(brierScore([])).toBeNull();
  expect(weightedAreaUnderCurve([])).toBeNull();
  expect(weightedAreaUnderCurve([outcome(0.4, true)])).toBeNull();
  expect(clearestThresholds([])).toBeNull();
  expect(reliabilityCurve([], 10)[3]).toEqual({ from: 0.3, to: 0.4, actions: 0, meanScore: null, successRate: null });
});

it('weights give from a biased sample what the whole would give', () => {
  // Stated error: each figure of the sample has a standard error below 0.01 here; 0.03 is three of them.
  const { all, seen } = sampled(20_000);
  expect(seen.length).toBeLessThan(all.length / 1.5);
  expect(Math.abs(brierScore(seen)! - brierScore(all)!)).toBeLessThan(0.03);
  expect(Math.abs(weightedAreaUnderCurve(seen)! - weightedAreaUnderCurve(all)!)).toBeLessThan(0.03);
  const unweighted = seen.map((one) => ({ ...one, weight: 1 }));
  expect(Math.abs(brierScore(unweighted)! - brierScore(all)!)).toBeGreaterThan(0.005);
});

it('the area with equal weights is that of Mann and Whitney, ties included', () => {
  const random = seededRandom('area');
  const all = Array.from({ length: 300 }, () => outcome(random.below(10) / 10, random.next() < 0.4, 3));
  const scores = (success: boolean) => all.filter((one) => one.success === success).map(({ score }) => score);
  expect(weightedAreaUnderCurve(all)).toBeCloseTo(areaUnderCurve(scores(true), scores(false))!, 10);
});

it('a calibrated model lies on the diagonal', () => {
  for (const { meanScore, successRate } of reliabilityCurve(sampled(20_000).all, 10))
    expect(Math.abs(meanScore! - successRate!)).toBeLessThan(0.05);
});

it('thresholds lie where bad actions end and good ones begin', () => {
  const random = seededRandom('thresholds');
  const bad = Array.from({ length: 200 }, () => outcome(random.next() * 0.4, random.next() < 0.1));
  const unclear = Array.from({ length: 200 }, () => outcome(0.4 + random.next() * 0.3, random.next() < 0.5));
  const good = Array.from({ length: 200 }, () => outcome(0.7 + random.next() * 0.3, random.next() < 0.9));
  const all = [...bad, ...unclear, ...good];
  const thresholds = clearestThresholds(all)!;
  expect(Math.abs(thresholds.low - 0.4)).toBeLessThanOrEqual(0.1 + 1e-9);
  expect(Math.abs(thresholds.high - 0.7)).toBeLessThanOrEqual(0.1 + 1e-9);
  const { below, above, shareBelow, shareAbove } = separationAt(all, thresholds);
  expect(below).toBeLessThan(0.2);
  expect(above).toBeGreaterThan(0.8);
  expect(shareBelow + shareAbove).toBeLessThan(0.75);
});

it('a model that is worse than a coin gets no thresholds', () => {
  const upsideDown = Array.from({ length: 100 }, (_, index) => outcome(index / 100, index < 50));
  expect(clearestThresholds(upsideDown)).toBeNull();
});
