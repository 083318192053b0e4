// Layer: pure core.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  betaGreater,
  estimateEqualityMass,
  probabilityGreater,
} from '../../../src/domain/statistics/beta-posterior.ts';
import { seededRandom } from '../../../src/domain/statistics/random.ts';
import { type RolloutTally, sequentialDecision } from '../../../src/domain/statistics/sequential-rule.ts';

const counts = fc.integer({ min: 0, max: 40 }).chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));

describe('betaGreater', () => {
  it('gives the mean of X when Y is uniform', () => {
    expect(betaGreater(2, 1, 1, 1)).toBeCloseTo(2 / 3, 12);
    expect(betaGreater(3, 4, 1, 1)).toBeCloseTo(3 / 7, 12);
  });

  it('gives 5/6 for Beta(2, 1) over Beta(1, 2)', () => {
    // ∫ 2x · (1 − (1 − x)²) dx = 2 · (2/3 − 1/4) = 5/6.
    expect(betaGreater(2, 1, 1, 2)).toBeCloseTo(5 / 6, 12);
  });

  it('is one minus itself with the sides exchanged, also for large counts', () => {
    const parameter = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(parameter, parameter, parameter, parameter, (a, b, c, d) => {
        expect(betaGreater(a, b, c, d) + betaGreater(c, d, a, b)).toBeCloseTo(1, 9);
      }),
      { seed: 7 },
    );
  });
});

describe('probabilityGreater', () => {
  it('is (1 − w0) / 2 without data', () => {
    expect(probabilityGreater(0, 0, 0, 0, 0.8)).toBeCloseTo(0.1, 12);
  });

  it('is 0.5 for 1 of 1 against 0 of 1 at w0 = 0.5', () => {
    // Equal B(2, 2) = 1/6, independent B(2, 1) · B(1, 2) = 1/4, so independence has 0.25 / (0.25 + 0.1667) = 0.6; 0.6 · 5/6 = 0.5.
    expect(probabilityGreater(1, 1, 0, 1, 0.5)).toBeCloseTo(0.5, 12);
  });

  it('is the plain posterior at w0 = 0 and nothing at w0 = 1', () => {
    expect(probabilityGreater(1, 1, 0, 1, 0)).toBeCloseTo(5 / 6, 12);
    expect(probabilityGreater(8, 8, 0, 8, 1)).toBe(0);
  });

  it('rises with each success of the alternative and each failure of the policy', () => {
    fc.assert(
      fc.property(counts, counts, fc.double({ min: 0, max: 0.95, noNaN: true }), ([s1, n1], [s2, n2], w0) => {
        const now = probabilityGreater(s1, n1, s2, n2, w0);
        expect(probabilityGreater(s1 + 1, n1 + 1, s2, n2, w0)).toBeGreaterThanOrEqual(now - 1e-12);
        expect(probabilityGreater(s1, n1, s2, n2 + 1, w0)).toBeGreaterThanOrEqual(now - 1e-12);
      }),
      { seed: 8, numRuns: 1000 },
    );
  });

  it('is finite and in [0, 1] for thousands of rollouts', () => {
    const value = probabilityGreater(2600, 5000, 2400, 5000);
    expect(value).toBeGreaterThan(0.9);
    expect(value).toBeLessThanOrEqual(1);
  });

  it('refuses more successes than rollouts', () => {
    expect(() => probabilityGreater(3, 2, 0, 1)).toThrow(RangeError);
  });

  it('accepts mostly ties under a uniform prior at n = 4, and keeps its word under the default prior', () => {
    // 80 % of the steps are ties. With w0 = 0 most of what is accepted at 0.9 is luck; with the true w0 at least 90 % is truly better.
    const trueShare = (equalityMass: number, rollouts: number) => {
      const random = seededRandom(`prior/${rollouts}`);
      let accepted = 0;
      let better = 0;
      for (let trial = 0; trial < 60_000; trial += 1) {
        const policy = random.next();
        const alternative = random.next() < 0.8 ? policy : random.next();
        const draw = (p: number) =>
          Array.from({ length: rollouts }, () => (random.next() < p ? 1 : 0)).reduce<number>((a, b) => a + b, 0);
        if (probabilityGreater(draw(alternative), rollouts, draw(policy), rollouts, equalityMass) < 0.9) continue;
        accepted += 1;
        if (alternative > policy) better += 1;
      }
      return better / accepted;
    };
    expect(trueShare(0, 4)).toBeLessThan(0.6);
    expect(trueShare(0.8, 8)).toBeGreaterThan(0.89);
  });
});

describe('estimateEqualityMass', () => {
  const comparison = (s1: number, n1: number, s2: number, n2: number) => ({
    alternative: { successes: s1, rollouts: n1 },
    policy: { successes: s2, rollouts: n2 },
  });

  it('goes to the edge when every comparison speaks for one side', () => {
    expect(estimateEqualityMass([comparison(8, 8, 0, 8), comparison(0, 8, 8, 8)])).toBeLessThan(0.01);
    expect(estimateEqualityMass([comparison(8, 8, 8, 8), comparison(0, 8, 0, 8)])).toBeGreaterThan(0.99);
  });

  it('is unknown without comparisons', () => {
    expect(estimateEqualityMass([])).toBeNull();
    expect(estimateEqualityMass([comparison(1, 2, 0, 0)])).toBeNull();
  });

  it.each([0.3, 0.8])('finds the share of ties again in simulated data: %d', (share) => {
    const random = seededRandom(`ties/${share}`);
    const draw = (p: number) => Array.from({ length: 8 }).reduce<number>((sum) => sum + (random.next() < p ? 1 : 0), 0);
    const data = Array.from({ length: 4000 }, () => {
      const policy = random.next();
      const alternative = random.next() < share ? policy : random.next();
      return comparison(draw(alternative), 8, draw(policy), 8);
    });
    expect(Math.abs(estimateEqualityMass(data)! - share)).toBeLessThan(0.04);
  });
});

describe('sequentialDecision', () => {
  const tally = (successes: number, failures: number, remaining: number, missing = 0): RolloutTally => ({
    successes,
    failures,
    remaining,
    missing,
  });

  it('accepts 6 of 6 against 0 of 6', () => {
    expect(sequentialDecision(tally(6, 0, 2), tally(0, 6, 2)).verdict).toBe('accepted');
  });

  it('goes on while the best case would be accepted', () => {
    expect(sequentialDecision(tally(2, 0, 6), tally(0, 2, 6)).verdict).toBe('continue');
  });

  it('rejects once even the best case falls short', () => {
    // The policy's own action succeeded in 6 of 6: two more failures cannot make it look worse.
    expect(sequentialDecision(tally(6, 0, 2), tally(6, 0, 2)).verdict).toBe('rejected');
  });

  it('rejects at once where no outcome could ever be accepted, so that a configuration can be refused before it costs anything', () => {
    const untouched = (rollouts: number) => tally(0, 0, rollouts);
    expect(sequentialDecision(untouched(4), untouched(4)).verdict).toBe('rejected');
    expect(sequentialDecision(untouched(8), untouched(2)).verdict).toBe('rejected');
    expect(sequentialDecision(untouched(5), untouched(5)).verdict).toBe('continue');
    expect(sequentialDecision(untouched(8), untouched(8)).verdict).toBe('continue');
  });

  it('counts missing rollouts against the pair on both sides', () => {
    const clean = sequentialDecision(tally(6, 0, 0), tally(0, 6, 0));
    expect(clean.verdict).toBe('accepted');
    expect(sequentialDecision(tally(6, 0, 0, 3), tally(0, 6, 0)).posterior).toBeLessThan(clean.posterior);
    expect(sequentialDecision(tally(6, 0, 0), tally(0, 6, 0, 3)).posterior).toBeLessThan(clean.posterior);
  });

  it('never rejects what some continuation would accept', () => {
    const small = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(small, small, small, small, small, small, (s1, f1, r1, s2, f2, r2) => {
        const decision = sequentialDecision(tally(s1, f1, r1), tally(s2, f2, r2), {
          confidence: 0.8,
          equalityMass: 0.5,
        });
        let reachable = false;
        for (let wins = 0; wins <= r1; wins += 1)
          for (let losses = 0; losses <= r1 - wins; losses += 1)
            for (let policyWins = 0; policyWins <= r2; policyWins += 1)
              for (let policyLosses = 0; policyLosses <= r2 - policyWins; policyLosses += 1)
                reachable ||=
                  probabilityGreater(
                    s1 + wins,
                    s1 + f1 + wins + losses,
                    s2 + policyWins,
                    s2 + f2 + policyWins + policyLosses,
                    0.5,
                  ) >= 0.8;
        expect(decision.verdict !== 'rejected').toBe(reachable);
      }),
      { seed: 9, numRuns: 300 },
    );
  });
});
