/** Runs side by side, by the figures that methods are compared by, with what chance alone may have done to them. */
import { addSums, type FigureName, figureNames, figures, ratioOf, type Sums } from '../domain/figures.ts';
import type { RunState } from '../domain/run-config.ts';
import { type BootstrapResult, groupBootstrap } from '../domain/statistics/bootstrap.ts';
import type { Interval } from '../domain/statistics/interval.ts';
import { twoSidedQuantile } from '../domain/statistics/normal.ts';
import type { Environment } from '../environments/contract.ts';
import { CruxError } from '../errors.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { comparisonNotes } from './comparison-notes.ts';
import { type RunSummary, runSummary } from './run-summary.ts';
import { type TaskSums, taskSums } from './task-sums.ts';

export type ComparedFigure = {
  /** Null when unknown, or when there is nothing to divide by. */
  value: number | null;
  /** 95 %, by resampling groups; null with fewer than five groups, where they are all alike, or where few resamples have the figure. */
  interval: Interval | null;
};

/** A figure of this run minus that of the first one, over the tasks that both have. */
export type Difference = ComparedFigure & {
  /** True difference that data like these would show, at the 5 % level, in four of five cases; null where `interval` is. */
  smallestSeen: number | null;
  /** Tasks that had a part in it, and their groups. */
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
  tasks: { total: number; done: number };
  pairs: { total: number; steps: number; tasks: number; groups: number };
  /** Share of the pairs with each flag; empty without pairs. */
  flagShares: { [flag: string]: number };
  /** What the run itself knows about its false pairs; null where there is nothing to estimate it from. */
  estimatedFalseShare: number | null;
  /** What reference rollouts say about its pairs; null without an audit. */
  audit: RunSummary['audit'];
  calls: number;
  /** Share of the calls that were read from the journal of another run; null without calls. */
  reusedShare: number | null;
  /** Those compared: without `outcome` figures where only the ledger is. */
  figures: { [name in FigureName]?: ComparedFigure };
  /** To the first run; null for that itself, and where the runs have no tasks in common by definition. */
  differences: { [name in FigureName]?: Difference } | null;
};

export type Comparison = {
  /** What a group was: `environment` as it groups its tasks, `task` each task alone because the environment was not there to ask. */
  grouping: 'environment' | 'task';
  runs: ComparedRun[];
  /** What a reader must know. */
  notes: string[];
};

export type CompareOptions = {
  /** Only what pairs took, so that runs over different environments or splits can stand side by side. */
  ledgerOnly?: boolean;
  /** Asked for the groups of their tasks. */
  environments?: readonly Environment[];
};

/** A run with what each of its tasks put into the figures, and the group of each task. */
type Summed = { run: Run; summary: RunSummary; sums: Map<string, TaskSums>; groupOf: (taskId: string) => string };

/** Resamples of fewer groups take too few different values for a percentile to mean something: of two groups, three. */
const leastGroups = 5;

/** Share of a figure below which a standard error is due to rounding. */
const negligible = 1e-9;

/**
 * Compares runs with the first of them. Differences are paired: over the tasks that both runs came to, resampling their groups, each with
 * both runs' sums.
 * @throws CruxError `User.NotFound`; `User.Config` for fewer than two runs, a run named twice, or runs over different environments or splits
 *   unless `ledgerOnly`
 */
export async function compareRuns(
  store: Store,
  runIds: readonly string[],
  options: CompareOptions = {},
): Promise<Comparison> {
  const { ledgerOnly = false, environments = [] } = options;
  const runs = await checkedRuns(store, runIds);
  const isSameGround = runs.every((run) => ground(run) === ground(runs[0]!));
  if (!isSameGround && !ledgerOnly) {
    throw new CruxError(
      'User.Config',
      `Outcomes can be compared over the same tasks only: ${runs.map((run) => `${run.id} is over ${ground(run)}`).join(', ')}.`,
      {
        remedy: 'Compare what their pairs took with --ledger-only, or choose runs over the same environment and split.',
      },
    );
  }
  const groups = new Map<string, Map<string, string> | null>();
  for (const { environment } of runs) {
    if (!groups.has(environment)) groups.set(environment, await groupsOf(environment, environments));
  }
  const summed: Summed[] = [];
  for (const run of runs) {
    const known = groups.get(run.environment);
    summed.push({
      run,
      summary: await runSummary(store, run.id),
      sums: await taskSums(store, run),
      groupOf: (taskId) => known?.get(taskId) ?? `task ${taskId}`,
    });
  }
  const names = figureNames.filter((name) => !ledgerOnly || figures[name].kind === 'ledger');
  const compared = summed.map(
    (other, index): ComparedRun => ({
      ...factsOf(other),
      figures: fromEntries(names, (name) => figureOf(other, name)),
      differences:
        index === 0 || !isSameGround ? null : fromEntries(names, (name) => differenceOf(summed[0]!, other, name)),
    }),
  );
  const grouping = [...groups.values()].includes(null) ? 'task' : 'environment';
  return {
    grouping,
    runs: compared,
    notes: comparisonNotes(runs, compared, { grouping, isSameGround, ledgerOnly, leastGroups }),
  };
}

async function checkedRuns(store: Store, runIds: readonly string[]): Promise<Run[]> {
  if (runIds.length < 2 || new Set(runIds).size < runIds.length) {
    throw new CruxError('User.Config', 'A comparison needs two runs or more, each named once.', {
      remedy: '`crux status` lists the runs.',
    });
  }
  return Promise.all(runIds.map((id) => store.runs.get(id)));
}

/** What the tasks of a run are, in words. */
function ground({ environment, config }: Run): string {
  return `${environment} ${config.environmentVersion}, ${config.split}`;
}

/** Group by task; null when the environment is not there, or its data are not. */
async function groupsOf(name: string, environments: readonly Environment[]): Promise<Map<string, string> | null> {
  const environment = environments.find((candidate) => candidate.name === name);
  if (!environment) return null;
  const tasks = await environment.tasks().catch(() => null);
  return tasks && new Map(tasks.map((task) => [task.id, task.group]));
}

function factsOf({ summary }: Summed): Omit<ComparedRun, 'figures' | 'differences'> {
  const { runId, method, preset, environment, split, seed, state, models, tasks, pairs, ledger } = summary;
  const { flags, ...pairCounts } = pairs;
  const calls = ledger.reduce((sum, line) => sum + line.calls, 0);
  const reused = ledger.reduce((sum, line) => sum + line.reused, 0);
  return {
    ...{ runId, method, preset, environment, split, seed, state, models },
    tasks: { total: tasks.total, done: tasks.done },
    pairs: pairCounts,
    estimatedFalseShare: summary.estimatedFalsePairs?.share ?? null,
    audit: summary.audit,
    flagShares: Object.fromEntries(Object.entries(flags).map(([flag, count]) => [flag, count / pairs.total])),
    calls,
    reusedShare: calls === 0 ? null : reused / calls,
  };
}

function figureOf({ sums, groupOf }: Summed, name: FigureName): ComparedFigure {
  const own = [...sums]
    .map(([taskId, task]) => ({ group: groupOf(taskId), sums: task[name] }))
    .filter((item) => isPart(item.sums));
  const groups = [...Map.groupBy(own, ({ group }) => group)]
    .sort(byName)
    .map(([, items]) => [addSums(items.map((item) => item.sums))]);
  const result = groupBootstrap(groups, ratioOf, { seed: `compare/${name}` });
  return { value: result.estimate, interval: telling(result, groups.length)?.interval ?? null };
}

function differenceOf(first: Summed, other: Summed, name: FigureName): Difference {
  const shared = [...first.sums].flatMap(([taskId, { [name]: own }]) => {
    const theirs = other.sums.get(taskId)?.[name];
    return theirs && hasPart(name, own, theirs) ? [{ group: first.groupOf(taskId), first: own, other: theirs }] : [];
  });
  const groups = [...Map.groupBy(shared, ({ group }) => group)]
    .sort(byName)
    .map(([, items]) => [
      { first: addSums(items.map((item) => item.first)), other: addSums(items.map((item) => item.other)) },
    ]);
  const result = groupBootstrap(groups, difference, { seed: `compare/${name}` });
  const told = telling(result, groups.length);
  return {
    value: result.estimate,
    interval: told?.interval ?? null,
    smallestSeen: told && detectable(told.standardError),
    tasks: shared.length,
    groups: groups.length,
  };
}

/** Outcomes are paired task by task. Where there were no steps or pairs in one of the runs, that is a result of its own. */
function hasPart(name: FigureName, first: Sums, other: Sums): boolean {
  if (name === 'successRate' || name === 'meanReward') return first.whole > 0 && other.whole > 0;
  return isPart(first) || isPart(other);
}

function isPart({ part, whole }: Sums): boolean {
  return part !== 0 || whole > 0;
}

function difference(items: readonly { first: Sums; other: Sums }[]): number | null {
  const first = ratioOf(items.map((item) => item.first));
  const other = ratioOf(items.map((item) => item.other));
  return first === null || other === null ? null : other - first;
}

/**
 * The bootstrap's interval and error where they say something: the estimate is known, there are some groups, not all alike, and at most one
 * resample in twenty lacks the statistic, because the others alone would make it look surer than it is.
 */
function telling(result: BootstrapResult, groups: number): { interval: Interval; standardError: number } | null {
  const { estimate, interval, standardError, undefinedResamples } = result;
  if (groups < leastGroups || estimate === null || interval === null || standardError === null) return null;
  return standardError > negligible * Math.max(1, Math.abs(estimate)) && undefinedResamples <= 100
    ? { interval, standardError }
    : null;
}

/** (z₀.₉₇₅ + z₀.₈) standard errors: found at the 5 % level with power 0.8. Source: Cohen, Statistical Power Analysis (1988), in its normal form. */
export function detectable(standardError: number): number {
  return (twoSidedQuantile(0.95) + twoSidedQuantile(0.6)) * standardError;
}

/** The bootstrap's result depends on the order of the groups, which must not depend on the store. */
function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function fromEntries<T>(names: readonly FigureName[], value: (name: FigureName) => T): { [name in FigureName]?: T } {
  return Object.fromEntries(names.map((name) => [name, value(name)]));
}
