/** Φ(x) of the standard normal distribution, by the series of Marsaglia, "Evaluating the normal distribution" (2004). */
export function normalDistribution(x: number): number {
  if (Math.abs(x) > 9) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-17 * Math.abs(sum); odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + sum * normalDensity(x);
}

/**
 * The z with P(|Z| ≤ z) = `confidence`, e.g. 1.96 for 0.95. Newton's method from 0 rises to the root without overshooting, because Φ is concave
 * right of 0.
 * @throws RangeError unless `confidence` is in (0, 1)
 */
export function twoSidedQuantile(confidence: number): number {
  if (!(confidence > 0 && confidence < 1))
    throw new RangeError(`confidence must lie between 0 and 1, not ${confidence}`);
  const target = (1 + confidence) / 2;
  let z = 0;
  for (let round = 0; round < 200; round += 1) {
    const step = (target - normalDistribution(z)) / normalDensity(z);
    z += step;
    if (Math.abs(step) < 1e-12) break;
  }
  return z;
}

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}
