import { isFlagged } from '../domain/audit-flags.ts';
import { isPolicyEnding } from '../domain/ending.ts';
import { factsOf } from '../domain/methods/index.ts';
import { outcomeKind } from '../domain/outcome-kind.ts';
import { isMeasurement } from '../domain/purpose.ts';
import { type FigureName, figureNames, type Sums } from '../domain/run/figures.ts';
import { isEvaluation } from '../domain/run/run-config.ts';
import { passAtK } from '../domain/statistics/pass-at-k.ts';
import type { Trajectory } from '../domain/trajectory.ts';
import { ledgerByTask } from '../store/ledger.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { type Flip, flips } from './flips.ts';
import { isSupervisable } from './run-summary.ts';

export type TaskSums = { [name in FigureName]: Sums };

/**
 * Each task's part in each figure of a run; summed up they give the figures of the run's summary. Tasks that the run has not reached are
 * left out.
 * @param k of pass@k
 */
export async function taskSums(store: Store, run: Run, k = 1): Promise<Map<string, TaskSums>> {
  const { findings, database } = store;
  const [trajectories, steps, branches, pairs, candidates, ledger, environmentCosts, tasks] = await Promise.all([
    findings.trajectories(run.id),
    findings.steps(run.id),
    findings.branches(run.id),
    findings.pairs(run.id),
    findings.alternativesByTask(run.id),
    ledgerByTask(database, run.id),
    store.environmentCosts.byTask(run.id),
    findings.tasksOfStates(run.id),
  ]);
  const sums = new Map<string, TaskSums>();
  const add = (taskId: string, name: FigureName, { part = 0, whole = 0 }: { part?: number | null; whole?: number }) => {
    if (!sums.has(taskId)) sums.set(taskId, noSums());
    const sum = sums.get(taskId)![name];
    sum.part = sum.part === null || part === null ? null : sum.part + part;
    sum.whole += whole;
  };

  for (const { taskId, alternatives } of candidates) add(taskId, 'candidatesPerStep', { part: alternatives });
  for (const step of steps) add(tasks.get(step.nodeId)!, 'candidatesPerStep', { whole: 1 });
  for (const branch of branches.filter((row) => !isMeasurement(row.purpose)))
    add(tasks.get(branch.nodeId)!, 'rolloutsPerPair', { part: 1 });
  for (const { taskId, tokens, costMicroUsd } of ledger) {
    add(taskId, 'tokensPerPair', { part: tokens });
    add(taskId, 'costMicroUsdPerPair', { part: costMicroUsd });
  }
  for (const { id, costMicroUsd } of environmentCosts) add(id, 'costMicroUsdPerPair', { part: costMicroUsd });
  for (const { taskId } of pairs) {
    for (const name of ['rolloutsPerPair', 'tokensPerPair', 'costMicroUsdPerPair'] as const)
      add(taskId, name, { whole: 1 });
  }
  const supervised = new Map(pairs.map((pair) => [`${pair.trajectoryId}/${pair.step}`, pair.taskId]));
  for (const taskId of supervised.values()) add(taskId, 'shareOfStepsSupervised', { part: 1 });
  for (const row of trajectories) {
    const whole = isSupervisable(run.config, row) ? row.steps : 0;
    add(row.taskId, 'shareOfStepsSupervised', { whole });
  }
  const addFlips = (name: FigureName, all: Flip[]) => {
    for (const { step, flipped } of all) add(tasks.get(step.nodeId)!, name, { part: Number(flipped), whole: 1 });
  };
  const { byAlternatives, byPlacebo } = flips(steps, branches);
  addFlips('flipRate', byAlternatives);
  addFlips('placeboFlipRate', byPlacebo);
  for (const row of trajectories.filter((trajectory) => speaksForPolicy(run, trajectory))) {
    add(row.taskId, 'successRate', { part: Number(outcomeKind(row) === 'success'), whole: 1 });
    if (row.reward !== null) add(row.taskId, 'meanReward', { part: isFlagged(row) ? 0 : row.reward, whole: 1 });
  }
  if (isEvaluation(run.config)) for (const task of sums.values()) weighAlike(task, k);
  return sums;
}

/** Whether the outcome of a trajectory says how good the policy is. Recorded ones are not its own, and RRO's consist of chosen actions. */
function speaksForPolicy(run: Run, row: Trajectory): boolean {
  return (
    factsOf(run.method).trajectory !== 'constructed' &&
    row.origin === 'policy' &&
    row.success !== null &&
    isPolicyEnding(row.ending)
  );
}

/** In an evaluation every task has the same weight, however many of its samples have an outcome. */
function weighAlike(task: TaskSums, k: number): void {
  const { part: successes, whole: samples } = task.successRate;
  const passed = passAtK(samples, successes!, k);
  if (passed !== null) task.passAtK = { part: passed, whole: 1 };
  for (const name of ['successRate', 'meanReward'] as const) {
    const { part, whole } = task[name];
    if (whole > 0) task[name] = { part: part! / whole, whole: 1 };
  }
}

function noSums(): TaskSums {
  return Object.fromEntries(figureNames.map((name) => [name, { part: 0, whole: 0 }])) as TaskSums;
}
