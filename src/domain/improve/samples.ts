/** How many samples of a task a validation takes. */
import { twoSidedQuantile } from '../statistics/normal.ts';

/** Quantiles of 5 % two-sided and of 80 % power. */
export const visibleFactor = twoSidedQuantile(0.95) + twoSidedQuantile(0.6);

/**
 * The smallest difference of success between two policies that a validation shows before anything is known: samples are taken for independent, each
 * policy for one that succeeds half the time. What is seen later (decide.ts) counts groups and pairs, and may be larger or smaller.
 */
export function visibleBefore(tasks: number, samples: number): number {
  return visibleFactor * Math.sqrt(0.5 / (tasks * samples));
}

/**
 * The fewest samples of a task that show the wanted difference.
 * @param least and `most`: the limits of what is taken
 */
export function samplesToSee(visible: number, tasks: number, { least, most }: { least: number; most: number }): number {
  return Math.min(most, Math.max(least, Math.ceil(outcomesToSee(visible) / tasks)));
}

/** The fewest tasks that show the wanted difference with so many samples of each. */
export function tasksToSee(visible: number, samples: number): number {
  return Math.ceil(outcomesToSee(visible) / samples);
}

function outcomesToSee(visible: number): number {
  return 0.5 * (visibleFactor / visible) ** 2;
}
