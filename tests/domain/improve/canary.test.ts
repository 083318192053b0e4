// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { judgeServed, type MeasuredText, tolerances } from '../../../src/domain/improve/canary.ts';
import { seededRandom } from '../../../src/domain/statistics/random.ts';

/** A text of ten tokens. Everything is given in nats a token. */
const text = (row: { before: number; after: number; said: number; again?: number; base?: number }): MeasuredText => ({
  tokens: 10,
  before: 10 * row.before,
  after: 10 * row.after,
  first: 10 * row.said,
  second: 10 * (row.again ?? row.said),
  base: row.base === undefined ? null : 10 * row.base,
});
const tolerance = tolerances.bfloat16; // 0.05

/** Chosen sides rise by 0.2 nats a token, rejected ones fall. */
const changes = [0.2, -0.2, 0.2, -0.2];

describe('a served model', () => {
  it('passes if it says what the trainer measured, and the figures are those by hand', () => {
    const texts = changes.map((change) => text({ before: -1, after: -1 + change, said: -1 + change + 0.01 }));
    const judgement = judgeServed(texts, tolerance);
    expect(judgement).toMatchObject({ verdict: 'passed', noise: 0 });
    expect(judgement.distance).toBeCloseTo(0.01, 9);
    // Root of the mean of 0.21² and 0.19².
    expect(judgement.distanceToBase).toBeCloseTo(Math.sqrt((0.21 ** 2 + 0.19 ** 2) / 2), 9);
    expect(judgement.change).toBeCloseTo(0.2, 9);
  });

  it('with the old weights is the base', () => {
    const texts = changes.map((change) => text({ before: -1, after: -1 + change, said: -1.01 }));
    expect(judgeServed(texts, tolerance).verdict).toBe('base');
  });

  it('with the old weights is the base also if the change is smaller than the tolerance', () => {
    const texts = changes.map((change) => text({ before: -1, after: -1 + change / 10, said: -0.995 }));
    expect(judgeServed(texts, tolerance).verdict).toBe('base');
  });

  it('of other weights is foreign', () => {
    const texts = changes.map((change) => text({ before: -1, after: -1 + change, said: -2 - change }));
    expect(judgeServed(texts, tolerance).verdict).toBe('foreign');
  });

  it('passes in spite of noise that is larger than the tolerance', () => {
    const texts = changes.map((change, index) => {
      const noise = index % 2 === 0 ? 0.06 : -0.06;
      return text({ before: -1, after: -1 + 3 * change, said: -1 + 3 * change + noise, again: -1 + 3 * change });
    });
    expect(judgeServed(texts, tolerance)).toMatchObject({ verdict: 'passed', noise: expect.closeTo(0.06, 9) });
  });
});

describe('no change', () => {
  it('is what a training made that moved less than three times the noise', () => {
    const texts = changes.map((change) =>
      text({ before: -1, after: -1 + change / 10, said: -1 + 0.005, again: -1 - 0.005 }),
    );
    expect(judgeServed(texts, tolerance).verdict).toBe('no-change');
  });

  it('is what a training made that moved nothing at all, on a server without noise', () => {
    expect(judgeServed([text({ before: -1, after: -1, said: -1 })], tolerance).verdict).toBe('no-change');
  });

  it('is said if trainer and server disagree by more than the training moved', () => {
    const texts = changes.map((change) => text({ before: -1, after: -1 + change / 20, said: -1.03 + change / 20 }));
    expect(judgeServed(texts, tolerance).verdict).toBe('no-change');
  });

  it('does not excuse a foreign model', () => {
    const texts = changes.map(() => text({ before: -1, after: -1, said: -3 }));
    expect(judgeServed(texts, tolerance).verdict).toBe('foreign');
  });
});

describe('a base that is served beside it', () => {
  /** The server's arithmetic is 0.03 off, the same for both models; the training moved 0.01. */
  const row = (change: number, isApplied: boolean) =>
    text({ before: -1, after: -1 + change, said: -1.03 + (isApplied ? change : 0), base: -1.03 });

  it('shows a change that is smaller than the disagreement of trainer and server', () => {
    expect(
      judgeServed(
        changes.map((change) => row(change / 20, true)),
        tolerance,
      ).verdict,
    ).toBe('passed');
  });

  it('finds an adapter that is not applied there', () => {
    expect(
      judgeServed(
        changes.map((change) => row(change / 20, false)),
        tolerance,
      ).verdict,
    ).toBe('base');
  });
});

describe('by chance', () => {
  /** 64 texts; the change differs from text to text; the server is off by `offset` at random, and by noise at each answer. */
  function texts(seed: number, isApplied: boolean): MeasuredText[] {
    const random = seededRandom(seed);
    const around = (width: number) => (random.next() - 0.5) * 2 * width;
    return Array.from({ length: 64 }, () => {
      const change = around(0.15);
      const said = -1 + (isApplied ? change : 0) + around(0.03);
      return text({ before: -1, after: -1 + change, said: said + around(0.02), again: said + around(0.02) });
    });
  }

  it('no right model is refused in 1000, and no old one passes', () => {
    const verdicts = (isApplied: boolean) =>
      new Set(Array.from({ length: 1000 }, (_, seed) => judgeServed(texts(seed, isApplied), tolerance).verdict));
    expect([...verdicts(true)]).toEqual(['passed']);
    expect([...verdicts(false)]).toEqual(['base']);
  });
});
