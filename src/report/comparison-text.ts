/** The words in the cells of a comparison, on the terminal and in the page. */

import { findFacts, type OtherRole } from '../domain/methods/index.ts';
import { pairQualities } from '../domain/pairs/quality.ts';
import { type FigureName, figures } from '../domain/run/figures.ts';
import type { Estimate } from '../views/audit.ts';
import type { ComparedFigure, ComparedRun, Comparison, Difference } from '../views/comparison-types.ts';
import { falsePairsCell } from './false-pairs-text.ts';
import { cost, count, decimal } from './values.ts';

/** The model of a role, if the method may ask it and the run was given one. */
function asked({ method, models }: ComparedRun, role: OtherRole): string {
  return role in (findFacts(method)?.asks ?? {}) ? (models[role] ?? '–') : '–';
}

/** The text for a run that looks for pairs; others have none. */
function ofPairs({ method }: ComparedRun, text: string): string {
  return findFacts(method)?.gives === 'figures' ? '–' : text;
}

/** The facts of a run, row by row. Its pairs are last; the rows of their flags follow. */
export const facts: readonly { title: string; text: (run: ComparedRun) => string }[] = [
  { title: 'Method', text: ({ method, preset }) => `${method} (${preset})` },
  { title: 'Tasks', text: ({ environment, split }) => `${environment}, ${split}` },
  { title: 'State', text: ({ state, tasks }) => `${state}, ${count(tasks.done)} of ${count(tasks.total)} tasks` },
  { title: 'Policy', text: ({ models }) => models.policy ?? 'unknown' },
  { title: 'Expert', text: (run) => asked(run, 'expert') },
  { title: 'PRM', text: (run) => asked(run, 'prm') },
  { title: '  kind', text: ({ prmKind }) => prmKind ?? '–' },
  { title: 'Calls', text: ({ calls }) => count(calls) },
  { title: '  read from other runs', text: ({ reusedShare }) => share(reusedShare) },
  { title: 'Environment steps', text: ({ environmentSteps }) => count(environmentSteps.demand) },
  { title: '  fresh', text: ({ environmentSteps }) => count(environmentSteps.fresh) },
  {
    title: 'Leaked groups',
    text: ({ method, leakedGroups }) => (findFacts(method)?.gives === 'figures' ? count(leakedGroups.length) : '–'),
  },
  { title: 'Verified pairs', text: (run) => ofPairs(run, count(run.pairs.total)) },
  { title: '  estimated false', text: ({ estimatedFalsePairs }) => falsePairsCell(estimatedFalsePairs) },
  ...pairQualities.map((quality) => ({
    title: `  ${quality} by reference rollouts`,
    text: ({ audit }: ComparedRun) => estimatedShare(audit?.quality?.[quality]),
  })),
  {
    title: '  at steps / tasks / groups',
    text: (run) => ofPairs(run, [run.pairs.steps, run.pairs.tasks, run.pairs.groups].map(count).join(' / ')),
  },
];

/** Every flag that some run has, with its share of the pairs. A run without pairs has no shares. */
export function flagRows(runs: readonly ComparedRun[]): { title: string; texts: string[] }[] {
  const flags = [...new Set(runs.flatMap(({ flagShares }) => Object.keys(flagShares)))].sort();
  return flags.map((flag) => ({
    title: `  ${flag}`,
    texts: runs.map(({ pairs, flagShares }) => (pairs.total === 0 ? '–' : share(flagShares[flag] ?? 0))),
  }));
}

/** The same without the groups that leaked into any of the runs; null if none did. */
export function withoutLeaked(comparison: Comparison): Comparison | null {
  const runs = comparison.runs.map((run) => ({ ...run, ...run.withoutLeaked }));
  return comparison.runs.some((run) => run.withoutLeaked !== null) ? { ...comparison, runs } : null;
}

/** A figure with its interval, e.g. `42.0 % of 12 (30.0 to 55.0 %)`. Shares and means state their sample size. */
export function figureText(name: FigureName, { value, interval, of }: ComparedFigure): string {
  const isMean = figures[name].unit === 'share' || figures[name].unit === 'reward';
  const text = `${valueText(name, value)}${isMean && value !== null ? ` of ${count(of)}` : ''}`;
  return interval === null ? text : `${text} (${intervalText(name, interval.lower, interval.upper)})`;
}

/** A difference with sign and interval; differences of shares are in points. */
export function differenceText(name: FigureName, { value, interval }: Difference): string {
  if (value === null) return 'unknown';
  const text = signed(name, value);
  return interval === null ? text : `${text} (${signed(name, interval.lower)} to ${signed(name, interval.upper)})`;
}

export function smallestText(name: FigureName, { smallestSeen }: Difference): string {
  return valueText(name, smallestSeen).replace(' %', ' points');
}

export function valueText(name: FigureName, value: number | null): string {
  switch (figures[name].unit) {
    case 'number':
    case 'reward':
      return decimal(value);
    case 'count':
      return count(value === null ? null : Math.round(value));
    case 'micro-dollars':
      return cost(value);
    case 'share':
      return share(value);
  }
}

function intervalText(name: FigureName, lower: number, upper: number): string {
  return `${valueText(name, lower)} to ${valueText(name, upper)}`.replace(' % to', ' to');
}

function signed(name: FigureName, value: number): string {
  const text = valueText(name, Math.abs(value)).replace(' %', '');
  return `${value < 0 ? '−' : '+'}${text}`;
}

function estimatedShare(estimate: Estimate | undefined): string {
  if (estimate === undefined) return 'not audited';
  const { value, interval } = estimate;
  const bounds = interval && `${share(interval.lower)} to ${share(interval.upper)}`.replace(' % to', ' to');
  return bounds === null ? share(value) : `${share(value)} (${bounds})`;
}

function share(value: number | null): string {
  return value === null ? 'unknown' : `${(100 * value).toFixed(1)} %`;
}
