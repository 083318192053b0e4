/**
 * Area under the ROC curve: the probability that a random positive scores higher than a random negative, a tie counting half
 * (Mann–Whitney U divided by the number of pairs).
 * @returns in [0, 1]; null when either side is empty
 */
export function areaUnderCurve(positives: readonly number[], negatives: readonly number[]): number | null {
  if (positives.length === 0 || negatives.length === 0) return null;
  const scored = [
    ...positives.map((score) => ({ score, positive: true })),
    ...negatives.map((score) => ({ score, positive: false })),
  ].sort((a, b) => a.score - b.score);
  let wins = 0;
  let negativesBelow = 0;
  for (let start = 0; start < scored.length; ) {
    let end = start;
    let positivesTied = 0;
    while (end < scored.length && scored[end]!.score === scored[start]!.score) {
      if (scored[end]!.positive) positivesTied += 1;
      end += 1;
    }
    const negativesTied = end - start - positivesTied;
    wins += positivesTied * (negativesBelow + negativesTied / 2);
    negativesBelow += negativesTied;
    start = end;
  }
  return wins / (positives.length * negatives.length);
}
