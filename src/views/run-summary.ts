/** The results of a run, read from the store: for the terminal, `--json`, and the report. */

import type { Branch } from '../domain/branch.ts';
import { countBy } from '../domain/count-by.ts';
import { isPolicyFailure } from '../domain/ending.ts';
import type { MalformedShare } from '../domain/malformed.ts';
import { factsOf } from '../domain/methods/index.ts';
import { outcomeKind } from '../domain/outcome-kind.ts';
import { isMeasurement, workOf } from '../domain/purpose.ts';
import { prmKindText } from '../domain/run/prm-kind.ts';
import {
  askedModels,
  type Ceilings,
  type RunConfig,
  type RunState,
  selectsFirstErrors,
} from '../domain/run/run-config.ts';
import { estimateEqualityMass } from '../domain/statistics/beta-posterior.ts';
import type { Share } from '../domain/statistics/exact-bound.ts';
import { type Interval, wilsonInterval } from '../domain/statistics/interval.ts';
import { sumOrNull } from '../domain/statistics/sums.ts';
import type { Trajectory } from '../domain/trajectory.ts';
import { type CutObservations, cutObservations } from '../store/cut-observations.ts';
import type { EndpointFact } from '../store/endpoint-facts.ts';
import type { EnvironmentCostLine } from '../store/environment-costs.ts';
import { type EnvironmentSteps, environmentSteps } from '../store/environment-steps.ts';
import { type FaultLine, faultLines, type LedgerLine, ledgerLines } from '../store/ledger.ts';
import type { Block, RunTask } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { UnusableLine } from '../store/unusable-answers.ts';
import type { WaitingFor } from '../store/waits.ts';
import { type AuditView, auditView } from './audit.ts';
import { type AuditedSuccesses, auditedSuccesses } from './audited-successes.ts';
import { type Evaluation, evaluationOf } from './evaluation.ts';
import { estimatedFalsePairs, type FalsePairs, type GroupedFlip } from './false-pairs.ts';
import { type Flip, flips } from './flips.ts';
import { malformedMessages } from './malformed.ts';
import { type ScoreCounts, scoreCounts } from './missing-scores.ts';
import { type Revalued, revaluedPairs } from './revalued.ts';
import { tieComparisons } from './tie-comparisons.ts';
import { type UnpairedView, unpairedView } from './unpaired.ts';

/** `count` of `of`, with the interval that chance allows. */
export type ShareWithInterval = Share & { share: number; interval: Interval };

export type RunSummary = {
  runId: string;
  method: string;
  preset: string;
  environment: string;
  split: string;
  seed: number;
  state: RunState;
  /** Why a blocked run stands still; null if it is not blocked. */
  block: Block | null;
  createdAt: number;
  finishedAt: number | null;
  ceilings: Ceilings;
  models: { [role: string]: string };
  /** The kind of its PRM, in words; null if it asks none. */
  prmKind: string | null;
  /** What came of the calls to a scoring endpoint; null for another PRM. */
  scores: ScoreCounts | null;
  tasks: {
    total: number;
    done: number;
    stoppedBy: { [reason: string]: number };
    /** Faults that ended tasks, with the number of tasks. */
    faults: { [fault: string]: number };
  };
  /**
   * Trajectories by ending; successes under `success`, those that the environment's audit flagged under `flagged`, those that did not hold on
   * variants under `coincidental`.
   */
  endings: { [ending: string]: number };
  /** Failures that the policy caused, by ending: CSO mines these. */
  failures: { [ending: string]: number };
  /** Steps of the failures, and how they were judged. */
  steps: {
    mined: number;
    byVerdict: { [verdict: string]: number };
    /** Steps of the trajectories in which the method looks for pairs. */
    supervisable: number;
  };
  /** Alternatives drawn that were different actions. */
  candidates: number;
  branches: {
    [purpose: string]: { total: number; succeeded: number; faulted: number; coincidental: number; flagged: number };
  };
  /** What the environment's audit said about successes of trajectories, expert trajectories and branches; null if it was asked about none. */
  auditedSuccesses: AuditedSuccesses | null;
  pairs: { total: number; steps: number; tasks: number; groups: number; flags: { [flag: string]: number } };
  /** Why other pairs were not made; null under methods that make none. */
  unpaired: UnpairedView | null;
  /** Share of candidate critical steps that some alternative turned into a success; null if none was verified. */
  flipRate: number | null;
  /** The same for the policy's own action, branched as often: the rate of luck alone. Null if no placebo was drawn. */
  placeboFlipRate: number | null;
  placeboSteps: number;
  /** The steps behind both rates, with their 95 % intervals (Wilson), which treat steps as independent; null if there is no rate. */
  flips: { byAlternatives: ShareWithInterval | null; byPlacebo: ShareWithInterval | null };
  /** Prior mass on ties (w0) that fits the placebo and baseline branches best; null without any. For `tieMass` of later runs. */
  estimatedTieMass: number | null;
  /** Comparisons of an alternative with a branched policy action that the estimate rests on: with few, it says little. */
  tieMassComparisons: number;
  /** Expert trajectories: how many exist, and how many succeeded. */
  demonstrations: { total: number; succeeded: number };
  /** Trajectories kept to imitate, by origin; null under methods that keep none. */
  examples: { total: number; tasks: number; groups: number; byOrigin: { [origin: string]: number } } | null;
  /** Pairs of the seeded sample whose actions were valued again with fresh rollouts: how much selection by gap overrates. Null without any. */
  revalued: Revalued | null;
  /** The run's own estimate of its false pairs; null if it has no data for one. */
  estimatedFalsePairs: FalsePairs | null;
  /** What reference rollouts say about its pairs; null for a run that was not audited (`crux audit`). */
  audit: Omit<AuditView, 'judged'> | null;
  ledger: LedgerLine[];
  /** What the environment's steps cost, apart from the models; empty if they cost nothing. */
  environmentCosts: EnvironmentCostLine[];
  /** Answers that were, or may have been, paid for and were of no use. They are not in the ledger, whose calls had an answer. */
  unusable: UnusableLine[];
  /** The servers' names for the models, by role. Roles whose server gives none, or that were not asked, are absent. */
  servedModels: { [role: string]: string };
  /** Environment steps that were asked for; the ledger holds the calls only. */
  environmentSteps: EnvironmentSteps;
  /** Observations of which the run's models read only a part, as `run.observationLimit` says. */
  cutObservations: CutObservations & { limit: number | null };
  /** Forms of JSON answers in which the PRM's server is asked because it refuses a better one, with its words. */
  jsonForms: EndpointFact[];
  /** Messages of the policy that are no action in the run's format. */
  malformed: MalformedShare;
  /** Providers that calls are waiting for, beyond the time for which a worker holds a slot. */
  waitingFor: WaitingFor[];
  /** Steps that were left out because they reached the ceiling of a step. */
  stepsLeftOut: number;
  faults: FaultLine[];
  /** Faults of environments that ended trajectories and branches. */
  environmentFaults: FaultLine[];
  /** Trajectories without an outcome, by ending. */
  withoutOutcome: { [ending: string]: number };
  /** The four figures by which methods are compared; null while their denominator is zero. */
  comparison: {
    candidatesPerStep: number | null;
    rolloutsPerPair: number | null;
    tokensPerPair: number | null;
    costMicroUsdPerPair: number | null;
    shareOfStepsSupervised: number | null;
  };
  /** What an evaluation found; null for other methods. */
  evaluation: Evaluation | null;
};

export async function runSummary(store: Store, runId: string): Promise<RunSummary> {
  const run = await store.runs.get(runId);
  const { findings } = store;
  const [
    tasks,
    trajectories,
    demonstrations,
    examples,
    steps,
    alternatives,
    branches,
    pairs,
    ledger,
    faults,
    waitingFor,
    audit,
    environmentCosts,
  ] = await Promise.all([
    store.runs.tasks(runId),
    findings.trajectories(runId),
    findings.demonstrations(runId),
    findings.examples(runId),
    findings.steps(runId),
    findings.countAlternatives(runId),
    findings.branches(runId),
    findings.pairs(runId),
    ledgerLines(store.database, runId),
    faultLines(store.database, runId),
    store.waits.waitingFor(runId),
    auditView(store, runId),
    store.environmentCosts.lines(runId),
  ]);
  const [unusable, servedModels] = await Promise.all([store.unusable.lines(runId), store.unusable.servedModels(runId)]);
  const results = tasks.map(({ result }) => result).filter((result) => result !== null);
  const { prm } = run.config.models;
  const stepsLeftOut = results.reduce((sum, { stepsLeftOut: own = 0 }) => sum + own, 0);
  const isComplete =
    run.state === 'finished' && stepsLeftOut === 0 && results.every(({ stoppedBy }) => stoppedBy === null);
  const failures = trajectories.filter(isFailure);
  const supervisableSteps = trajectories
    .filter((row) => isSupervisable(run.config, row))
    .reduce((sum, row) => sum + row.steps, 0);
  const supervised = new Set(pairs.map((pair) => `${pair.trajectoryId}/${pair.step}`)).size;
  const demand = ledger.filter((line) => !isMeasurement(workOf(line)));
  const tokens = sumOrNull(demand.flatMap((line) => [line.promptTokens, line.completionTokens]));
  const spent = [...demand, ...environmentCosts.filter(({ purpose }) => !isMeasurement(purpose))];
  const cost = sumOrNull(spent.map((line) => line.costMicroUsd));
  const rollouts = branches.filter((row) => !isMeasurement(row.purpose)).length;
  const { byAlternatives, byPlacebo } = flips(steps, branches);
  const flipped = { byAlternatives: shareOf(byAlternatives), byPlacebo: shareOf(byPlacebo) };
  const compared = tieComparisons(steps, branches);
  const grouped = flipsByGroup(tasks, trajectories);
  const { options } = run.config;
  const discount = 'discount' in options ? options.discount : 1;
  const revalued = revaluedPairs(pairs, branches, demonstrations, discount);

  return {
    runId,
    method: run.method,
    preset: run.config.preset,
    environment: run.environment,
    split: run.config.trajectories === 'imported' ? `${run.config.split}, imported trajectories` : run.config.split,
    seed: run.seed,
    state: run.state,
    block: run.block,
    createdAt: run.createdAt,
    finishedAt: run.finishedAt,
    ceilings: run.ceilings,
    models: Object.fromEntries(Object.entries(askedModels(run.config)).map(([role, model]) => [role, model.model])),
    prmKind: prmKindText(run.config),
    scores: await scoreCounts(store, run),
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
    endings: countBy(trajectories, (row) => (row.success ? outcomeKind(row) : row.ending)),
    failures: countBy(failures, (row) => row.ending),
    steps: {
      mined: steps.length,
      byVerdict: countBy(steps, (step) => step.verdict),
      supervisable: supervisableSteps,
    },
    candidates: alternatives,
    branches: branchFigures(branches),
    auditedSuccesses: auditedSuccesses([...trajectories, ...demonstrations, ...branches]),
    pairs: {
      total: pairs.length,
      steps: supervised,
      tasks: new Set(pairs.map((pair) => pair.taskId)).size,
      groups: new Set(pairs.map((pair) => pair.group)).size,
      flags: countBy(
        pairs.flatMap((pair): string[] => pair.flags),
        (flag) => flag,
      ),
    },
    unpaired: 'pairsPerStep' in run.config.options ? unpairedView(steps, pairs) : null,
    flipRate: flipped.byAlternatives?.share ?? null,
    placeboFlipRate: flipped.byPlacebo?.share ?? null,
    placeboSteps: byPlacebo.length,
    flips: flipped,
    estimatedTieMass: estimateEqualityMass(compared),
    tieMassComparisons: compared.length,
    demonstrations: {
      total: demonstrations.length,
      succeeded: demonstrations.filter((row) => outcomeKind(row) === 'success').length,
    },
    examples:
      factsOf(run.method).gives === 'examples'
        ? {
            total: examples.length,
            tasks: new Set(examples.map((row) => row.taskId)).size,
            groups: new Set(examples.map((row) => row.group)).size,
            byOrigin: countBy(examples, (row) => row.origin),
          }
        : null,
    revalued,
    estimatedFalsePairs: estimatedFalsePairs(pairs, {
      byAlternatives: grouped(byAlternatives),
      byPlacebo: grouped(byPlacebo),
      revalued,
    }),
    audit: audit && withoutPairs(audit),
    ledger,
    environmentCosts,
    unusable,
    servedModels,
    environmentSteps: await environmentSteps(store.database, run, isComplete),
    cutObservations: {
      limit: run.config.observationLimit ?? null,
      ...(await cutObservations(store.database, runId)),
    },
    jsonForms: prm ? (await store.endpointFacts.ofModel(prm.model)).filter(({ words }) => words !== null) : [],
    malformed: malformedMessages(trajectories, branches),
    waitingFor,
    stepsLeftOut,
    faults,
    environmentFaults: environmentFaults([...trajectories, ...demonstrations, ...branches]),
    withoutOutcome: countBy(
      results.filter(({ success }) => success === null),
      ({ ending }) => ending,
    ),
    comparison: {
      candidatesPerStep: ratio(alternatives, steps.length),
      rolloutsPerPair: ratio(rollouts, pairs.length),
      tokensPerPair: tokens === null ? null : ratio(tokens, pairs.length),
      costMicroUsdPerPair: cost === null ? null : ratio(cost, pairs.length),
      shareOfStepsSupervised: ratio(supervised, supervisableSteps),
    },
    evaluation: await evaluationOf(store, runId),
  };
}

/** Flipped steps among all branched ones; null for none. */
function shareOf(all: readonly Flip[]): ShareWithInterval | null {
  const count = all.filter(({ flipped }) => flipped).length;
  const interval = wilsonInterval(count, all.length);
  return interval && { count, of: all.length, share: count / all.length, interval };
}

/** Gives each flip the group of its task. In runs from earlier versions, which stored no groups, each task is its own group. */
function flipsByGroup(
  tasks: readonly RunTask[],
  trajectories: readonly Trajectory[],
): (flips: readonly Flip[]) => GroupedFlip[] {
  const groupOf = new Map(tasks.map(({ taskId, group }) => [taskId, group ?? `task ${taskId}`]));
  const taskOf = new Map(trajectories.map(({ id, taskId }) => [id, taskId]));
  return (flips) =>
    flips.map(({ step, flipped }) => {
      const taskId = taskOf.get(step.trajectoryId) ?? step.trajectoryId;
      return { group: groupOf.get(taskId) ?? `task ${taskId}`, flipped };
    });
}

function environmentFaults(found: Pick<Branch, 'ending' | 'details'>[]): FaultLine[] {
  const kinds = { 'environment-fault': 'Environment.Fault', diverged: 'Environment.ReplayDivergence' };
  return Object.entries(kinds).flatMap(([ending, kind]) => {
    const own = found.filter((one) => one.ending === ending);
    if (own.length === 0) return [];
    const words = own.map(({ details }) => details?.fault);
    const message = words.find((text) => typeof text === 'string') ?? 'nothing was said';
    return [{ role: 'environment', kind, count: own.length, calls: own.length, message }];
  });
}

/** The list of single pairs is long: `crux audit` shows it. */
function withoutPairs({ judged: _, ...audit }: AuditView): Omit<AuditView, 'judged'> {
  return audit;
}

function isFailure(row: Trajectory): boolean {
  return isPolicyFailure({
    ending: row.ending,
    reward: row.reward,
    success: row.success,
  });
}

/** Whether a run looks for pairs in a trajectory. CSO and the methods that locate errors look in failures, the others in every trajectory. */
export function isSupervisable(config: RunConfig, row: Trajectory): boolean {
  return (factsOf(config.method).minesRecorded !== 'failures' && !selectsFirstErrors(config)) || isFailure(row);
}

function branchFigures(branches: Branch[]): RunSummary['branches'] {
  const purposes = [...new Set(branches.map((row) => row.purpose))].sort();
  return Object.fromEntries(
    purposes.map((purpose) => {
      const own = branches.filter((row) => row.purpose === purpose);
      const kinds = countBy(own, outcomeKind);
      return [
        purpose,
        {
          total: own.length,
          succeeded: kinds.success ?? 0,
          faulted: kinds.unknown ?? 0,
          coincidental: kinds.coincidental ?? 0,
          flagged: kinds.flagged ?? 0,
        },
      ];
    }),
  );
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
