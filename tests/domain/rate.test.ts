// Layer: pure core, properties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockOf, catchUpUs, horizonUs, lease, stretchUs, untilLeasableUs } from '../../src/domain/rate.ts';

const minuteUs = 60_000_000;

/** Workers that ask one after the other for some amount each, after some pause. */
const asking = fc.array(fc.record({ pauseUs: fc.nat(5_000_000), amount: fc.integer({ min: 1, max: 40 }) }), {
  minLength: 1,
  maxLength: 400,
});
const rate = fc.integer({ min: 1, max: 100_000 });

/** When each single request may go, in order. */
function timesOf(asked: { pauseUs: number; amount: number }[], perMinute: number): number[] {
  const times: number[] = [];
  let nowUs = 1_000_000_000;
  let nextUs = 0;
  for (const { pauseUs, amount } of asked) {
    nowUs += pauseUs;
    const leased = lease(nextUs, nowUs, amount, perMinute);
    nextUs = leased.nextUs;
    for (let index = 0; index < amount; index++) {
      // What begins in the past goes now.
      times.push(Math.max(nowUs, leased.startsUs + stretchUs(index, perMinute)));
    }
  }
  return times.sort((one, other) => one - other);
}

describe('leases of a rate', () => {
  it('never let more through in any minute than the rate, whoever asks for how much and when', () => {
    fc.assert(
      fc.property(asking, rate, (asked, perMinute) => {
        const times = timesOf(asked, perMinute);
        for (let index = perMinute; index < times.length; index++) {
          expect(times[index]! - times[index - perMinute]!).toBeGreaterThan(minuteUs);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('let 97 % of the rate through while somebody always asks', () => {
    fc.assert(
      fc.property(rate, fc.integer({ min: 1, max: 50 }), (perMinute, amount) => {
        let nextUs = 0;
        let leased = 0;
        // Asked as soon as the last stretch is over.
        for (let nowUs = 0; nowUs < 10 * minuteUs; nowUs = nextUs) {
          ({ nextUs } = lease(nextUs, nowUs, amount, perMinute));
          leased += amount;
        }
        expect((leased * minuteUs) / (nextUs * perMinute)).toBeGreaterThan(0.965);
      }),
      { seed: 2, numRuns: 50 },
    );
  });

  it('never overlap, and never begin further back than what may be caught up', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 50),
        fc.nat(2 ** 50),
        fc.integer({ min: 1, max: 1_000 }),
        rate,
        (next, now, amount, r) => {
          const { startsUs, nextUs } = lease(next, now, amount, r);
          expect(startsUs).toBeGreaterThanOrEqual(next);
          expect(startsUs).toBeGreaterThanOrEqual(now - catchUpUs);
          expect(nextUs - startsUs).toBeGreaterThanOrEqual(stretchUs(amount, r));
          expect(Number.isSafeInteger(nextUs)).toBe(true);
        },
      ),
      { seed: 3 },
    );
  });

  it('are not made further ahead than the horizon, so that a worker holds little that another could use', () => {
    const limits = { requestsPerMinute: 60, tokensPerMinute: null };
    const next = { requests: 10_000_000, tokens: 99_000_000 };
    expect(untilLeasableUs(next, 10_000_000 - horizonUs, limits)).toBe(0);
    expect(untilLeasableUs(next, 10_000_000 - horizonUs - 1, limits)).toBe(1);
    expect(untilLeasableUs(next, 0, { ...limits, tokensPerMinute: 1 })).toBe(99_000_000 - horizonUs);
    expect(untilLeasableUs(next, 0, { requestsPerMinute: null, tokensPerMinute: null })).toBe(0);
  });

  it('come in blocks of a quarter of a second, and at least one', () => {
    expect(blockOf(6_000)).toBe(24);
    expect(blockOf(60)).toBe(1);
    expect(blockOf(1)).toBe(1);
  });
});
