/** Runs side by side, in the form in which they are shown. */
import type { FigureName } from '../domain/run/figures.ts';
import type { RunState } from '../domain/run/run-config.ts';
import type { Estimate } from '../domain/statistics/ratio-by-group.ts';
import type { FalsePairs } from './false-pairs.ts';
import type { RunSummary } from './run-summary.ts';

export type ComparedFigure = Estimate & {
  /** Its denominator: pairs, steps, trajectories; tasks under evaluations. */
  of: number;
};

/** A figure of this run minus that of the first one, over the tasks that both have. */
export type Difference = Estimate & {
  /** True difference that data like these would show, at the 5 % level, in four of five cases; null if `interval` is null. */
  smallestSeen: number | null;
  /** Tasks behind the difference, and their groups. */
  tasks: number;
  groups: number;
};

export type ComparedRun = {
  runId: string;
  method: string;
  preset: string;
  environment: string;
  split: string;
  seed: number;
  state: RunState;
  models: { [role: string]: string };
  /** The kind of its PRM, in words; null if it asks none. */
  prmKind: string | null;
  tasks: { total: number; done: number };
  pairs: { total: number; steps: number; tasks: number; groups: number };
  /** Share of the pairs with each flag; empty without pairs. */
  flagShares: { [flag: string]: number };
  /** The run's own estimate of its false pairs; null if it has no data for one. */
  estimatedFalsePairs: FalsePairs | null;
  /** What reference rollouts say about its pairs; null without an audit. */
  audit: RunSummary['audit'];
  calls: number;
  /** Share of the calls that were read from the journal of another run; null without calls. */
  reusedShare: number | null;
  environmentSteps: RunSummary['environmentSteps'];
  /** The compared figures; without `outcome` figures if only the ledger is compared. */
  figures: { [name in FigureName]?: ComparedFigure };
  /** Differences from the first run; null for the first run itself, and if the runs have no tasks in common by definition. */
  differences: { [name in FigureName]?: Difference } | null;
  /** Groups that its policy has seen or may have seen, tested nevertheless (`--allow-leak`). */
  leakedGroups: string[];
  /** Outcomes without the groups that leaked into any of the runs; null if none did. */
  withoutLeaked: Pick<ComparedRun, 'figures' | 'differences'> | null;
};

export type Comparison = {
  /** What counted as a group. `environment`: its own groups of tasks. `task`: each task alone, because the environment was not available. */
  grouping: 'environment' | 'task';
  /** k of pass@k: samples of a task that all evaluations have; null unless all runs are evaluations of several samples. */
  passAt: number | null;
  runs: ComparedRun[];
  /** Notes to read with it. */
  notes: string[];
};
