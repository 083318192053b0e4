/** Compares runs by the figures of methods, with the effect that chance alone may have had on them. */

import { addSums, type FigureName, figureNames, figures, ratioOf, type Sums } from '../domain/run/figures.ts';
import { isEvaluation } from '../domain/run/run-config.ts';
import { groupBootstrap } from '../domain/statistics/bootstrap.ts';
import { twoSidedQuantile } from '../domain/statistics/normal.ts';
import { inGroups, leastGroups, ratioByGroup, shareByGroup, telling } from '../domain/statistics/ratio-by-group.ts';
import type { Environment } from '../environments/contract.ts';
import { CruxError } from '../errors.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { comparisonNotes } from './comparison-notes.ts';
import type { ComparedFigure, ComparedRun, Comparison, Difference } from './comparison-types.ts';
import { type RunSummary, runSummary } from './run-summary.ts';
import { type TaskSums, taskSums } from './task-sums.ts';

export type CompareOptions = {
  /** Only the cost of pairs, so that runs over different environments or splits can be compared. */
  ledgerOnly?: boolean;
  /** Gives the groups of the tasks. */
  environments?: readonly Environment[];
};

/** A run with each task's part in the figures, and the group of each task. */
type Summed = { run: Run; summary: RunSummary; sums: Map<string, TaskSums>; groupOf: (taskId: string) => string };

/** The figures for evaluations. */
const ofEvaluations: readonly FigureName[] = ['successRate', 'meanReward', 'passAtK'];

/**
 * Compares runs with the first of them. Differences are paired: over the tasks that both runs reached, resampling their groups, each with
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
  const passAt = await samplesOfAll(store, runs);
  const summed: Summed[] = [];
  const groupings = new Set<Comparison['grouping']>();
  for (const run of runs) {
    const groups = (await storedGroups(store, run)) ?? (await groupsOf(run.environment, environments));
    groupings.add(groups === null ? 'task' : 'environment');
    summed.push({
      run,
      summary: await runSummary(store, run.id),
      sums: await taskSums(store, run, passAt ?? 1),
      groupOf: (taskId) => groups?.get(taskId) ?? `task ${taskId}`,
    });
  }
  const areEvaluations = runs.every(({ config }) => isEvaluation(config));
  const names = figureNames.filter(
    (name) =>
      (!ledgerOnly || figures[name].kind === 'ledger') &&
      (!areEvaluations || ledgerOnly || ofEvaluations.includes(name)) &&
      (name !== 'passAtK' || passAt !== null),
  );
  const isLeaked = leakedIn(runs);
  const clean = summed.map((own) => ({ ...own, sums: withoutGroups(own, isLeaked) }));
  const outcomes = names.filter((name) => figures[name].kind === 'outcome');
  const over = (all: readonly Summed[], index: number, shown: readonly FigureName[]) => ({
    figures: fromEntries(shown, (name) => figureOf(all[index]!, name)),
    differences:
      index === 0 || !isSameGround ? null : fromEntries(shown, (name) => differenceOf(all[0]!, all[index]!, name)),
  });
  const compared = summed.map(
    (other, index): ComparedRun => ({
      ...factsOf(other),
      ...over(summed, index, names),
      withoutLeaked: isLeaked.size === 0 || outcomes.length === 0 ? null : over(clean, index, outcomes),
    }),
  );
  const grouping = groupings.has('task') ? 'task' : 'environment';
  return {
    grouping,
    passAt,
    runs: compared,
    notes: comparisonNotes(runs, compared, { grouping, passAt, isSameGround, ledgerOnly, leastGroups }),
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

/** Names the set of tasks that a run takes from. */
function ground({ environment, config }: Run): string {
  return `${environment} ${config.environmentVersion}, ${config.split}`;
}

/** Samples of a task that all runs have; null unless all are evaluations of several. */
async function samplesOfAll(store: Store, runs: readonly Run[]): Promise<number | null> {
  if (!runs.every(({ config }) => isEvaluation(config))) return null;
  const counts = await Promise.all(
    runs.map(async ({ id }) => 1 + Math.max(0, ...(await store.runs.tasks(id)).map(({ sample }) => sample))),
  );
  const least = Math.min(...counts);
  return least > 1 ? least : null;
}

/** Groups that leaked into any of the runs. */
function leakedIn(runs: readonly Run[]): Set<string> {
  return new Set(runs.flatMap(leakedGroupsOf));
}

function leakedGroupsOf({ config }: Run): string[] {
  return isEvaluation(config) ? config.leaked.map(({ group }) => group) : [];
}

function withoutGroups({ sums, groupOf }: Summed, groups: ReadonlySet<string>): Map<string, TaskSums> {
  return new Map([...sums].filter(([taskId]) => !groups.has(groupOf(taskId))));
}

/** Group by task, as the run stores it; null for a run from earlier versions. */
async function storedGroups(store: Store, { id }: Run): Promise<Map<string, string> | null> {
  const tasks = await store.runs.tasks(id);
  const known = tasks.flatMap(({ taskId, group }) => (group === null ? [] : [[taskId, group] as const]));
  return known.length < tasks.length ? null : new Map(known);
}

/** Group by task; null if the environment or its data are not available. */
async function groupsOf(name: string, environments: readonly Environment[]): Promise<Map<string, string> | null> {
  const environment = environments.find((candidate) => candidate.name === name);
  if (!environment) return null;
  const tasks = await environment.tasks().catch(() => null);
  return tasks && new Map(tasks.map((task) => [task.id, task.group]));
}

function factsOf({ run, summary }: Summed): Omit<ComparedRun, 'figures' | 'differences' | 'withoutLeaked'> {
  const { runId, method, preset, environment, split, seed, state, models, prmKind, tasks, pairs, ledger } = summary;
  const { flags, ...pairCounts } = pairs;
  const calls = ledger.reduce((sum, line) => sum + line.calls, 0);
  const reused = ledger.reduce((sum, line) => sum + line.reused, 0);
  return {
    ...{ runId, method, preset, environment, split, seed, state, models, prmKind },
    tasks: { total: tasks.total, done: tasks.done },
    pairs: pairCounts,
    estimatedFalsePairs: summary.estimatedFalsePairs,
    audit: summary.audit,
    flagShares: Object.fromEntries(Object.entries(flags).map(([flag, count]) => [flag, count / pairs.total])),
    calls,
    reusedShare: calls === 0 ? null : reused / calls,
    environmentSteps: summary.environmentSteps,
    leakedGroups: leakedGroupsOf(run),
  };
}

function figureOf({ sums, groupOf }: Summed, name: FigureName): ComparedFigure {
  const own = [...sums]
    .map(([taskId, task]) => ({ group: groupOf(taskId), sums: task[name] }))
    .filter((item) => isPart(item.sums));
  const estimate = figures[name].unit === 'share' ? shareByGroup : ratioByGroup;
  return { ...estimate(own, `compare/${name}`), of: addSums(own.map(({ sums: own }) => own)).whole };
}

function differenceOf(first: Summed, other: Summed, name: FigureName): Difference {
  const shared = [...first.sums].flatMap(([taskId, { [name]: own }]) => {
    const theirs = other.sums.get(taskId)?.[name];
    return theirs && hasPart(name, own, theirs) ? [{ group: first.groupOf(taskId), first: own, other: theirs }] : [];
  });
  const groups = inGroups(shared).map((items) => [
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

/** Outcomes are paired task by task. If one of the runs has no steps or pairs, that is a result too. */
function hasPart(name: FigureName, first: Sums, other: Sums): boolean {
  if (name === 'successRate' || name === 'meanReward' || name === 'passAtK') return first.whole > 0 && other.whole > 0;
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

/** (z₀.₉₇₅ + z₀.₈) standard errors: found at the 5 % level with power 0.8. Source: Cohen, Statistical Power Analysis (1988), in its normal form. */
export function detectable(standardError: number): number {
  return (twoSidedQuantile(0.95) + twoSidedQuantile(0.6)) * standardError;
}

function fromEntries<T>(names: readonly FigureName[], value: (name: FigureName) => T): { [name in FigureName]?: T } {
  return Object.fromEntries(names.map((name) => [name, value(name)]));
}
