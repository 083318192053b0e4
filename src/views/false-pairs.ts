import type { Certificate, VerificationRule } from '../domain/pair.ts';
import type { PairTable } from '../store/schema.ts';

export type FalsePairs = {
  /** Estimated share of the pairs whose chosen action is not the better one, in [0, 1]. */
  share: number;
  /**
   * What it is estimated from. `posterior`: mean of 1 − P(p_chosen > p_rejected). `placebo`: the flip rate of repeating the policy's own action,
   * relative to that of the alternatives; an upper bound, because luck also flips steps where the alternative is better. `re-estimates`:
   * share of the pairs valued again whose fresh gap is 0 or reversed; with few rollouts too high, because these err too.
   */
  from: 'posterior' | 'placebo' | 're-estimates';
};

/** A share of fewer pairs says nothing. */
const fewestRevalued = 10;

/** What a run itself knows about its false pairs, without an audit. @returns null where there is nothing to estimate it from. Source: ours. */
export function estimatedFalsePairs(
  pairs: readonly PairTable[],
  known: {
    flipRate: number | null;
    placeboFlipRate: number | null;
    revalued: { pairs: number; ties: number; wrongSigns: number } | null;
  },
): FalsePairs | null {
  const proofs = pairs.map(({ certificate }) => (JSON.parse(certificate) as Partial<Certificate>).verification);
  const rules = new Set(proofs.map((proof) => proof?.rule));
  const areAll = (...wanted: (VerificationRule | undefined)[]) =>
    rules.size > 0 && [...rules].every((rule) => wanted.includes(rule));
  const { flipRate, placeboFlipRate, revalued } = known;
  if (areAll('posterior', 'lasting')) {
    const doubts = proofs.map((proof) => 1 - (proof?.posterior ?? 0));
    return { share: doubts.reduce((sum, doubt) => sum + doubt, 0) / doubts.length, from: 'posterior' };
  }
  if (areAll('once') && flipRate && placeboFlipRate !== null) {
    return { share: Math.min(1, placeboFlipRate / flipRate), from: 'placebo' };
  }
  if (areAll('values', 'outcome', 'none', 'once') && revalued && revalued.pairs >= fewestRevalued) {
    return { share: revalued.ties + revalued.wrongSigns, from: 're-estimates' };
  }
  return null;
}
