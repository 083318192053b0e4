/**
 * How often at least one of `k` worthless alternatives "flips" a step whose continuations succeed with probability `p` anyway:
 * 1 − (1 − p)^k. With p = 0.3 and k = 3 that is 66 %.
 * @param p in [0, 1]
 * @param k whole number from 0
 */
export function luckFlipRate(p: number, k: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p must lie in [0, 1], not ${p}`);
  if (!Number.isInteger(k) || k < 0) throw new RangeError(`k must be a whole number from 0, not ${k}`);
  return 1 - (1 - p) ** k;
}
