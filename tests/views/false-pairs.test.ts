// Layer: pure view of stored pairs.
import { describe, expect, it } from 'vitest';
import type { PairTable } from '../../src/store/schema.ts';
import { estimatedFalsePairs } from '../../src/views/false-pairs.ts';

const nothing = { flipRate: null, placeboFlipRate: null, revalued: null };

function pairs(...proofs: { rule: string; posterior: number | null }[]): PairTable[] {
  return proofs.map((verification) => ({ certificate: JSON.stringify({ verification }) }) as PairTable);
}

describe('the estimated share of false pairs', () => {
  it('is the mean doubt of the posteriors', () => {
    const proven = pairs({ rule: 'posterior', posterior: 0.9 }, { rule: 'posterior', posterior: 0.96 });
    expect(estimatedFalsePairs(proven, nothing)).toEqual({ share: expect.closeTo(0.07, 12), from: 'posterior' });
  });

  it('is at most what luck flips of what alternatives flip', () => {
    const once = pairs({ rule: 'once', posterior: null });
    const share = (flipRate: number | null, placeboFlipRate: number | null) =>
      estimatedFalsePairs(once, { ...nothing, flipRate, placeboFlipRate });
    expect(share(0.6, 0.15)).toEqual({ share: 0.25, from: 'placebo' });
    expect(share(0.1, 0.3)).toEqual({ share: 1, from: 'placebo' });
    expect(share(0.6, null)).toBeNull();
    expect(share(null, 0.1)).toBeNull();
  });

  it('is what fresh values no longer tell apart, or reverse', () => {
    const chosen = pairs({ rule: 'values', posterior: null });
    expect(estimatedFalsePairs(chosen, { ...nothing, revalued: { pairs: 16, ties: 0.25, wrongSigns: 0.125 } })).toEqual(
      {
        share: 0.375,
        from: 're-estimates',
      },
    );
    expect(estimatedFalsePairs(chosen, nothing)).toBeNull();
  });

  it('is unknown without pairs, and where scores alone made them', () => {
    expect(estimatedFalsePairs([], nothing)).toBeNull();
    expect(estimatedFalsePairs(pairs({ rule: 'none', posterior: null }), nothing)).toBeNull();
  });
});
