/**
 * pass@k without bias: the probability that at least one of k samples, drawn without replacement from those at hand, is a success.
 * @param samples n: samples with an outcome
 * @param successes c: how many of them succeeded
 * @returns in [0, 1]; null with fewer than k samples, because nothing is known about k of them then
 * @throws RangeError unless 0 ≤ c ≤ n and k ≥ 1, all whole
 * Source: Chen et al., "Evaluating Large Language Models Trained on Code" (arXiv 2107.03374), equation 1: 1 − C(n − c, k) / C(n, k), as a
 * product, because the binomials overflow.
 */
export function passAtK(samples: number, successes: number, k: number): number | null {
  const isWhole = [samples, successes, k].every(Number.isInteger);
  if (!isWhole || successes < 0 || successes > samples || k < 1) {
    throw new RangeError(`pass@${k} of ${successes} successes in ${samples} samples`);
  }
  if (samples < k) return null;
  let allFail = 1;
  for (let draw = 0; draw < k; draw += 1) allFail *= Math.max(0, samples - successes - draw) / (samples - draw);
  return 1 - allFail;
}
