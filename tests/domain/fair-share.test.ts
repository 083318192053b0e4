// Layer: pure core, examples and properties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairShares } from '../../src/domain/fair-share.ts';

describe('fair shares', () => {
  it.each([
    // Alone, it has all, however little it needs now.
    [64, [1], [64]],
    [64, [500], [64]],
    // Both need more than there is.
    [64, [500, 500], [32, 32]],
    // The small one gets what it needs, the large one the rest.
    [64, [4, 500], [4, 60]],
    [64, [500, 4, 500], [30, 4, 30]],
    // What nobody needs is shared out evenly.
    [64, [2, 6], [30, 34]],
    // More sharers than places: none is shut out.
    [2, [5, 5, 5], [1, 1, 1]],
  ])('of %i among %j are %j', (total, demands, shares) => {
    expect(fairShares(total, demands)).toEqual(shares);
  });

  it('are together no more than there is, and give all of it away while that is needed', () => {
    const demands = fc.array(fc.nat(500), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 2_000 }), demands, (total, needed) => {
        const shares = fairShares(total, needed);
        const sum = shares.reduce((one, other) => one + other, 0);
        // One that needs nothing keeps a place all the same.
        const idle = needed.filter((demand) => demand === 0).length;
        expect(sum).toBeLessThanOrEqual(total + idle);
        if (needed.every((demand) => demand >= total)) expect(sum).toBeGreaterThan(total - needed.length);
        for (const [index, share] of shares.entries()) {
          const isShort = share < needed[index]!;
          // Who lacks some has no less than anybody has who got more than nothing to spare.
          if (isShort) for (const other of shares) expect(other).toBeLessThanOrEqual(Math.max(share + 1, 1));
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
