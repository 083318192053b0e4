// Layer: pure core.
import { describe, expect, test } from 'vitest';
import { noisyScore, separation } from '../../src/simulation/noisy-score.ts';

function draws(auc: number, good: boolean, count: number, seed = 5): number[] {
  return Array.from({ length: count }, (_, index) =>
    noisyScore({
      good,
      auc,
      seed,
      task: `task ${index}`,
      state: 'state',
      action: good ? 'good' : 'bad',
      call: [index],
    }),
  );
}

/** P(good > bad) with ties counted half, over all pairs. */
function measuredAuc(good: number[], bad: number[]): number {
  let wins = 0;
  for (const a of good) for (const b of bad) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (good.length * bad.length);
}

const share = (scores: number[], test: (score: number) => boolean) => scores.filter(test).length / scores.length;

describe('noisy PRM score', () => {
  test.each([0.5, 0.7, 0.85, 0.9])('has the stated AUC of %f within 0.03', (auc) => {
    const measured = measuredAuc(draws(auc, true, 3000), draws(auc, false, 3000));
    console.info(`stated AUC ${auc}, measured ${measured.toFixed(3)} over 3,000 good and 3,000 bad actions`);
    expect(Math.abs(measured - auc)).toBeLessThan(0.03);
  });

  test('puts most good actions above 0.65 and most bad ones below 0.45 at a high AUC', () => {
    const [good, bad] = [draws(0.9, true, 3000), draws(0.9, false, 3000)];
    expect(share(good, (score) => score > 0.65)).toBeGreaterThan(0.7);
    expect(share(bad, (score) => score < 0.45)).toBeGreaterThan(0.7);
    expect(share(bad, (score) => score > 0.65)).toBeGreaterThan(0.02);
  });

  test('does not tell good from bad by its thresholds at an AUC of one half', () => {
    const [good, bad] = [draws(0.5, true, 3000), draws(0.5, false, 3000)];
    expect(Math.abs(share(good, (score) => score > 0.65) - share(bad, (score) => score > 0.65))).toBeLessThan(0.05);
  });

  test('keeps most of its error when it is asked again', () => {
    const again = (action: string) =>
      Array.from({ length: 200 }, (_, index) =>
        noisyScore({ good: true, auc: 0.7, seed: 1, task: 't', state: 's', action, call: [index] }),
      );
    const means = Array.from({ length: 200 }, (_, index) => again(`action ${index}`)).map(mean);
    const withinOne = deviation(again('action 1'));
    expect(withinOne).toBeGreaterThan(0.01);
    expect(deviation(means)).toBeGreaterThan(1.5 * withinOne);
  });

  test('scores a fluent bad action above a plain one in each of its states', () => {
    const meanOver = (action: string) =>
      mean(
        Array.from({ length: 2000 }, (_, index) =>
          noisyScore({ good: false, auc: 0.85, seed: 1, task: 't', state: `${index}`, action, call: [index] }),
        ),
      );
    const means = Array.from({ length: 30 }, (_, index) => meanOver(`action ${index}`)).sort((a, b) => a - b);
    expect(means.at(-1)! - means[0]!).toBeGreaterThan(0.12);
    expect(means[10]! - means[0]!).toBeLessThan(0.05);
  });

  test('needs more separation for a higher AUC', () => {
    expect(separation(0.5)).toBeCloseTo(0, 1);
    expect(separation(0.7)).toBeLessThan(separation(0.9));
  });
});

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}
