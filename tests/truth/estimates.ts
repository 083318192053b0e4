/** Estimates with standard errors, for tests that say how often they fail by chance. */

export type Estimate = { value: number; standardError: number };

/** A part of a whole, as one independent unit (a step) contributes to it. */
export type Share = { part: number; whole: number };

/**
 * Ratio of two sums over independent units, e.g. wrong pairs ÷ pairs over steps, of which each may have several. Its error is the usual
 * linearisation: the residuals part − ratio · whole.
 * @throws RangeError when the whole is 0
 */
export function ratio(units: readonly Share[]): Estimate {
  const whole = units.reduce((sum, unit) => sum + unit.whole, 0);
  if (whole === 0) throw new RangeError('a share of nothing');
  const value = units.reduce((sum, unit) => sum + unit.part, 0) / whole;
  const squares = units.reduce((sum, unit) => sum + (unit.part - value * unit.whole) ** 2, 0);
  return { value, standardError: Math.sqrt(squares) / whole };
}

/** Difference of two independent estimates. */
export function difference(one: Estimate, other: Estimate): Estimate {
  return { value: one.value - other.value, standardError: Math.hypot(one.standardError, other.standardError) };
}

/** Bounds of the two-sided 95 % interval. */
export function interval95({ value, standardError }: Estimate): { lower: number; upper: number } {
  return { lower: value - 1.96 * standardError, upper: value + 1.96 * standardError };
}

/** How many standard errors an estimate is away from the truth: beyond 3 by chance in 0.27 % of all cases. */
export function standardErrorsFrom(truth: number, { value, standardError }: Estimate): number {
  return Math.abs(value - truth) / standardError;
}
