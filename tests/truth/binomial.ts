/** Exact distributions of estimates, to compare with what is drawn. */

/** P(k successes of n), k = 0 … n, each with this chance. */
export function binomial(n: number, chance: number): number[] {
  const shares = [1];
  for (let trial = 0; trial < n; trial++) {
    for (let k = shares.length; k >= 0; k--)
      shares[k] = (shares[k] ?? 0) * (1 - chance) + (k === 0 ? 0 : shares[k - 1]! * chance);
  }
  return shares;
}

/** A distribution that is one of several, with these weights. */
export function mixture(parts: readonly { weight: number; shares: readonly number[] }[]): number[] {
  return parts[0]!.shares.map((_, k) => parts.reduce((sum, { weight, shares }) => sum + weight * shares[k]!, 0));
}

/** Mean draws until one comes that has this chance, at most `most` of them: (1 − (1 − p)^K) / p. */
export function meanDraws(chance: number, most: number): number {
  return chance === 0 ? most : (1 - (1 - chance) ** most) / chance;
}

/** What a step of rising exploration comes to. */
export type RisingStep = {
  meanDraws: number;
  /** Probability of a pair with any gap. */
  pairs: number;
  /** Distribution of the accepted action's value, in successes of m. */
  accepted: number[];
};

/**
 * One step of rising exploration with estimated values, all of them fractions of m.
 * @param previous distribution of the value to rise above, in successes of m
 * @param drawn distribution of the value of a drawn action, in successes of m
 * @param most K
 * Source: the mixture over r_prev that docs/methods.md gives; a value of 1 is saturated, and the first action is taken.
 */
export function risingStep(previous: readonly number[], drawn: readonly number[], most: number): RisingStep {
  const m = drawn.length - 1;
  const atMost = (k: number) => drawn.slice(0, k + 1).reduce((sum, share) => sum + share, 0);
  const cases = previous.map((weight, r) => {
    if (r === m) return { weight, draws: 1, pairs: 0, shares: [...drawn] };
    const rises = 1 - atMost(r);
    const draws = meanDraws(rises, most);
    // Above r: the first that rises, after any number of others. Up to r: the best of K, none of which rises.
    const shares = drawn.map((share, k) => (k > r ? share * draws : atMost(k) ** most - atMost(k - 1) ** most));
    // The first draw alone has nothing to be compared with; K draws of one value have no gap.
    const alike = drawn.slice(0, r + 1).reduce((sum, share) => sum + share ** most, 0);
    return { weight, draws, pairs: 1 - rises - alike, shares };
  });
  const mean = (key: 'draws' | 'pairs') => cases.reduce((sum, one) => sum + one.weight * one[key], 0);
  return { meanDraws: mean('draws'), pairs: mean('pairs'), accepted: mixture(cases) };
}
