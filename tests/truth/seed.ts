/** `TRUTH_SEED=<any text>` draws every seed of the truth tests anew: to see that a failure rate is the stated one, or a failure no chance. */
export function truthSeed(name: string): string {
  const drawnAnew = process.env.TRUTH_SEED;
  return drawnAnew ? `${name}/${drawnAnew}` : name;
}
