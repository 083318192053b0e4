/** The words for the figures of an evaluation, on the terminal and in the page. */
import type { EvaluationFigures } from '../domain/run/evaluation.ts';
import { nothingElse, sourcesText } from '../domain/run/lineage.ts';
import type { Estimate } from '../domain/statistics/ratio-by-group.ts';
import type { Evaluation } from '../views/evaluation.ts';
import { count, decimal } from './values.ts';

/** How many leaked groups are named; the rest is counted. */
const namedGroups = 8;

/** One row for the whole test, one without leaked groups, and one for each difficulty. */
export function figureRows({ overall, withoutLeaked, byDifficulty }: Evaluation): {
  title: string;
  figures: EvaluationFigures;
}[] {
  return [
    { title: withoutLeaked === null ? 'all' : 'all, leaked groups too', figures: overall },
    ...(withoutLeaked === null ? [] : [{ title: 'without leaked groups', figures: withoutLeaked }]),
    ...byDifficulty.map(({ difficulty, figures }) => ({ title: difficulty ?? 'no difficulty', figures })),
  ];
}

/** k of the pass@k columns: all up to 4, then doubling, then the last. pass@1 is the success rate. */
export function shownPassAt({ overall }: Evaluation): number[] {
  const most = overall.passAt.length;
  return overall.passAt
    .map(({ k }) => k)
    .filter((k) => k > 1 && (k <= 4 || k === most || Number.isInteger(Math.log2(k))));
}

export function shareText({ value, interval }: Estimate): string {
  if (value === null) return 'unknown';
  const points = (share: number) => (100 * share).toFixed(1);
  return `${points(value)} %${interval === null ? '' : ` (${points(interval.lower)} to ${points(interval.upper)})`}`;
}

export function rewardText({ value, interval }: Estimate): string {
  if (value === null) return 'unknown';
  return `${decimal(value, 3)}${interval === null ? '' : ` (${decimal(interval.lower, 3)} to ${decimal(interval.upper, 3)})`}`;
}

/** Endings of the samples with an outcome, e.g. `submitted 30 (20 succeeded, 2 coincidental)`. */
export function endingTexts({ endings }: EvaluationFigures): string[] {
  return Object.entries(endings).map(([ending, { samples, successes, coincidental, flagged }]) => {
    const found = [
      ...(successes > 0 ? [`${count(successes)} succeeded`] : []),
      ...(coincidental > 0 ? [`${count(coincidental)} coincidental`] : []),
      ...(flagged > 0 ? [`${count(flagged)} flagged`] : []),
    ];
    return `${ending} ${count(samples)}${found.length === 0 ? '' : ` (${found.join(', ')})`}`;
  });
}

/** Successes that the environment's audit flagged, and what the rate would be with them; null if there are none. */
export function flaggedText({ flagged, successes, coincidental }: EvaluationFigures): string | null {
  if (flagged === null) return null;
  const { samples, byFlag, successRateWith } = flagged;
  const all = samples + successes + coincidental;
  const flags = Object.entries(byFlag).map(([flag, times]) => `${flag} ${count(times)}`);
  return `${count(samples)} of ${count(all)} successes: ${flags.join(', ')}. They count as failures with reward 0; with them the success rate would be ${(100 * successRateWith).toFixed(1)} %`;
}

/** Samples without an outcome, and how they could change the rate; null if there are none. */
export function missingText({ missing, bounds, tasksWithout }: EvaluationFigures): string | null {
  if (bounds === null) return null;
  const kinds = Object.entries(missing).map(([ending, samples]) => `${ending} ${count(samples)}`);
  const range = `${(100 * bounds.lower).toFixed(1)} to ${(100 * bounds.upper).toFixed(1)} %`;
  const tasks = tasksWithout === 0 ? '' : `; ${count(tasksWithout)} tasks have no outcome`;
  return `${kinds.join(', ')}: in no figure. Had all failed or all succeeded, the success rate would be ${range}${tasks}`;
}

/** The runs that the policy was trained on, as far as the user stated them. */
export function lineageText({ trainedOn }: Evaluation): string {
  if (trainedOn === null) return 'unknown: not stated (--trained-on)';
  const runs = trainedOn.filter((name) => name !== nothingElse);
  if (runs.length === 0) return 'nothing of this store';
  return `${runs.join(', ')}${trainedOn.length > runs.length ? ', and nothing else' : ''}`;
}

/** Marks a test on groups that the policy has seen or may have seen; null for a clean one. */
export function leakText({ leaked }: Evaluation): string | null {
  if (leaked.length === 0) return null;
  const certain = leaked.filter(({ isCertain }) => isCertain).length;
  const named = leaked.slice(0, namedGroups).map(({ group, from }) => `${group} (${sourcesText(from)})`);
  const others = leaked.length > namedGroups ? `, and ${leaked.length - namedGroups} others` : '';
  const seen = [
    ...(certain > 0 ? [`has seen ${count(certain)}`] : []),
    ...(certain < leaked.length ? [`may have seen ${count(leaked.length - certain)}`] : []),
  ];
  return `LEAK: the policy ${seen.join(' and ')} of the groups that it was tested on (--allow-leak): ${named.join(', ')}${others}`;
}
