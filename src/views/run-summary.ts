/** What a run came to, read from the store: for the terminal, `--json`, and the report. */
import { type Ending, isPolicyFailure } from '../domain/ending.ts';
import { meanReward } from '../domain/rising.ts';
import type { Ceilings, RunState } from '../domain/run-config.ts';
import { type Counts, estimateEqualityMass } from '../domain/statistics/beta-posterior.ts';
import type { TrajectoryResult } from '../domain/wire.ts';
import { type FaultLine, faultLines, type LedgerLine, ledgerLines } from '../store/ledger.ts';
import type { BranchTable, PairTable, StepTable, TrajectoryTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { WaitingFor } from '../store/waits.ts';
import { flips } from './flips.ts';

export type RunSummary = {
  runId: string;
  method: string;
  preset: string;
  environment: string;
  split: string;
  seed: number;
  state: RunState;
  createdAt: number;
  finishedAt: number | null;
  ceilings: Ceilings;
  models: { [role: string]: string };
  tasks: {
    total: number;
    done: number;
    stoppedBy: { [reason: string]: number } /** Faults that ended tasks, with how many. */;
    faults: { [fault: string]: number };
  };
  /** Trajectories by ending; successes under `success`. */
  endings: { [ending: string]: number };
  /** Failures of the policy's own doing, by ending: what CSO mines. */
  failures: { [ending: string]: number };
  /** Steps of the failures, and how they were judged. */
  steps: { mined: number; byVerdict: { [verdict: string]: number } };
  /** Alternatives drawn that were different actions. */
  candidates: number;
  branches: { [purpose: string]: { total: number; succeeded: number; faulted: number; coincidental: number } };
  pairs: { total: number; steps: number; tasks: number; groups: number; flags: { [flag: string]: number } };
  /** Share of candidate critical steps that some alternative turned into a success; null when none was verified. */
  flipRate: number | null;
  /** The same for the policy's own action, branched as often: what luck alone gives. Null when no placebo was drawn. */
  placeboFlipRate: number | null;
  placeboSteps: number;
  /** Prior mass on ties (w0) that fits the placebo and baseline branches best; null without any. For `tieMass` of later runs. */
  estimatedTieMass: number | null;
  /** Pairs of the seeded sample whose actions were valued again with fresh rollouts: what selection by gap overrates. Null without any. */
  revalued: Revalued | null;
  ledger: LedgerLine[];
  /** Providers that calls wait for now, beyond what a worker holds a slot for. */
  waitingFor: WaitingFor[];
  /** Steps that were left out because they reached the ceiling of a step. */
  stepsLeftOut: number;
  faults: FaultLine[];
  /** The four figures that methods are compared by; null while there is nothing to divide by. */
  comparison: {
    candidatesPerStep: number | null;
    rolloutsPerPair: number | null;
    tokensPerPair: number | null;
    costMicroUsdPerPair: number | null;
    shareOfStepsSupervised: number | null;
  };
};

export type Revalued = {
  pairs: number;
  /** Mean difference of values by which the pairs were chosen, and of the fresh ones. */
  meanGap: number;
  meanFreshGap: number;
  /** Share of the pairs whose fresh values are equal, and whose order is reversed. */
  ties: number;
  wrongSigns: number;
};

export async function runSummary(store: Store, runId: string): Promise<RunSummary> {
  const run = await store.runs.get(runId);
  const { findings } = store;
  const [tasks, trajectories, steps, candidates, branches, pairs, ledger, faults, waitingFor] = await Promise.all([
    store.runs.tasks(runId),
    findings.trajectories(runId),
    findings.steps(runId),
    findings.candidates(runId),
    findings.branches(runId),
    findings.pairs(runId),
    ledgerLines(store.database, runId),
    faultLines(store.database, runId),
    store.waits.waitingFor(runId),
  ]);
  const results = tasks
    .filter((task) => task.result !== null)
    .map((task) => JSON.parse(task.result!) as TrajectoryResult);
  const failures = trajectories.filter(isFailure);
  const supervisableSteps = trajectories
    .filter((row) => isSupervisable(run.method, row))
    .reduce((sum, row) => sum + row.steps, 0);
  const alternatives = candidates.filter((row) => row.position >= 0).length;
  const supervised = new Set(pairs.map((pair) => `${pair.trajectory_id}/${pair.step}`)).size;
  const tokens = sumOrNull(ledger.flatMap((line) => [line.promptTokens, line.completionTokens]));
  const cost = sumOrNull(ledger.map((line) => line.costMicroUsd));
  const critical = steps.filter((step) => step.verdict === 'critical');
  const { byAlternatives, byPlacebo } = flips(steps, branches);

  return {
    runId,
    method: run.method,
    preset: run.config.preset,
    environment: run.environment,
    split: run.config.trajectories === 'imported' ? `${run.config.split}, imported trajectories` : run.config.split,
    seed: run.seed,
    state: run.state,
    createdAt: run.createdAt,
    finishedAt: run.finishedAt,
    ceilings: run.ceilings,
    models: Object.fromEntries(Object.entries(run.config.models).map(([role, model]) => [role, model.model])),
    tasks: {
      total: tasks.length,
      done: results.length,
      stoppedBy: countBy(
        results.filter((result) => result.stoppedBy !== null),
        (result) => result.stoppedBy!,
      ),
      faults: countBy(
        results.filter((result) => result.fault),
        (result) => result.fault!,
      ),
    },
    endings: countBy(trajectories, (row) => (row.success === 1 ? 'success' : row.ending)),
    failures: countBy(failures, (row) => row.ending),
    steps: { mined: steps.length, byVerdict: countBy(steps, (step) => step.verdict) },
    candidates: alternatives,
    branches: branchFigures(branches),
    pairs: {
      total: pairs.length,
      steps: supervised,
      tasks: new Set(pairs.map((pair) => pair.task_id)).size,
      groups: new Set(pairs.map((pair) => pair.task_group)).size,
      flags: countBy(
        pairs.flatMap((pair) => JSON.parse(pair.flags) as string[]),
        (flag) => flag,
      ),
    },
    flipRate: ratio(byAlternatives.filter(({ flipped }) => flipped).length, byAlternatives.length),
    placeboFlipRate: ratio(byPlacebo.filter(({ flipped }) => flipped).length, byPlacebo.length),
    placeboSteps: byPlacebo.length,
    estimatedTieMass: estimateEqualityMass(comparisons(critical, branches)),
    revalued: revaluedPairs(pairs, branches),
    ledger,
    waitingFor,
    stepsLeftOut: results.reduce((sum, { stepsLeftOut = 0 }) => sum + stepsLeftOut, 0),
    faults,
    comparison: {
      candidatesPerStep: ratio(alternatives, steps.length),
      rolloutsPerPair: ratio(branches.length, pairs.length),
      tokensPerPair: tokens === null ? null : ratio(tokens, pairs.length),
      costMicroUsdPerPair: cost === null ? null : ratio(cost, pairs.length),
      shareOfStepsSupervised: ratio(supervised, supervisableSteps),
    },
  };
}

function isFailure(row: TrajectoryTable): boolean {
  return isPolicyFailure({
    ending: row.ending as Ending,
    reward: row.reward,
    success: row.success === null ? null : row.success === 1,
  });
}

/** Whether a method looks for pairs in a trajectory: CSO in failures, the others in every one. */
export function isSupervisable(method: string, row: TrajectoryTable): boolean {
  return method !== 'cso' || isFailure(row);
}

function branchFigures(branches: BranchTable[]): RunSummary['branches'] {
  const purposes = [...new Set(branches.map((row) => row.purpose))].sort();
  return Object.fromEntries(
    purposes.map((purpose) => {
      const own = branches.filter((row) => row.purpose === purpose);
      return [
        purpose,
        {
          total: own.length,
          succeeded: own.filter((row) => row.success === 1 && row.confirmed !== 0).length,
          faulted: own.filter((row) => row.success === null).length,
          coincidental: own.filter((row) => row.success === 1 && row.confirmed === 0).length,
        },
      ];
    }),
  );
}

function revaluedPairs(pairs: PairTable[], branches: BranchTable[]): Revalued | null {
  const at = Map.groupBy(branches, (row) => `${row.candidate_id}/${row.purpose}`);
  const gaps = pairs.flatMap((pair) => {
    const gap = (purpose: string) => {
      const [chosen, rejected] = [pair.chosen_id, pair.rejected_id].map((id) =>
        meanReward(at.get(`${id}/${purpose}`) ?? []),
      );
      return chosen == null || rejected == null ? null : chosen - rejected;
    };
    const [found, fresh] = [gap('value'), gap('re-estimate')];
    return found === null || fresh === null ? [] : [{ found, fresh }];
  });
  if (gaps.length === 0) return null;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    pairs: gaps.length,
    meanGap: mean(gaps.map(({ found }) => found)),
    meanFreshGap: mean(gaps.map(({ fresh }) => fresh)),
    ties: mean(gaps.map(({ fresh }) => Number(fresh === 0))),
    wrongSigns: mean(gaps.map(({ fresh }) => Number(fresh < 0))),
  };
}

/** Each alternative against the policy's own action, at the steps where that was branched too: chosen by seed, not by outcome. */
function comparisons(critical: StepTable[], branches: BranchTable[]): { alternative: Counts; policy: Counts }[] {
  const at = Map.groupBy(branches, (row) => row.candidate_id);
  const counts = (rows: BranchTable[]): Counts => {
    const known = rows.filter((row) => row.success !== null);
    const successes = known.filter((row) => row.success === 1 && row.confirmed !== 0).length;
    return { successes, rollouts: known.length };
  };
  return critical.flatMap((step) => {
    const policy = counts(at.get(step.policy_candidate_id) ?? []);
    if (policy.rollouts === 0) return [];
    const alternatives = JSON.parse(step.alternatives) as string[];
    const compared = alternatives.map((id) => ({ alternative: counts(at.get(id) ?? []), policy }));
    return compared.filter(({ alternative }) => alternative.rollouts > 0);
  });
}

export function countBy<T>(list: readonly T[], name: (item: T) => string): { [name: string]: number } {
  const counts: { [name: string]: number } = {};
  for (const key of list.map(name).sort()) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** A sum with an unknown part is unknown. */
function sumOrNull(values: (number | null)[]): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}
