/** How far the scores of a run's PRM can be trusted: a query over scores and branches. */

import { isFlagged } from '../domain/audit-flags.ts';
import { type Branch, branchOutcome } from '../domain/branch.ts';
import type { Candidate } from '../domain/candidate.ts';
import type { ProcessExample } from '../domain/example.ts';
import { meanReward } from '../domain/methods/rro-rule.ts';
import { isScreening } from '../domain/monte-carlo.ts';
import { isVerifiedSuccess, tally } from '../domain/pairs/verification.ts';
import { prmKindText } from '../domain/run/prm-kind.ts';
import type { RunConfig } from '../domain/run/run-config.ts';
import { groupBootstrap } from '../domain/statistics/bootstrap.ts';
import {
  brierScore,
  clearestThresholds,
  type ReliabilityBin,
  reliabilityCurve,
  type ScoredOutcome,
  separationAt,
  successRate,
  type Thresholds,
  weightedAreaUnderCurve,
} from '../domain/statistics/calibration.ts';
import { type Interval, wilsonInterval } from '../domain/statistics/interval.ts';
import { leastGroups } from '../domain/statistics/ratio-by-group.ts';
import type { EnvironmentRegistry } from '../environments/registry.ts';
import { CruxError } from '../errors.ts';
import { wordsOnly } from '../models/answers/reasoning.ts';
import { promptsOf } from '../models/prompts.ts';
import { seededFraction } from '../models/seed.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { fairRollouts, isVerifiedAnyway, rolloutChance } from './fair-rollouts.ts';

export type Estimate = {
  estimate: number | null;
  /** 95 %, by group; null if there is none. */
  interval: Interval | null;
  /** Rolled-out actions behind the estimate. */
  actions: number;
};

/** Two thresholds, and how well they separate actions of groups that had no part in choosing them. */
export type JudgedThresholds = Thresholds & {
  /** Success rates below `low` and above `high`. */
  below: Estimate;
  above: Estimate;
  shareBelow: number;
  shareAbove: number;
};

export type CalibrationView = {
  runId: string;
  prm: string;
  /** Scored actions that were rolled out; among them, those of the seeded sample. */
  actions: number;
  sampled: number;
  groups: number;
  /** Share of all scored actions that would succeed. */
  baseRate: Estimate;
  areaUnderCurve: Estimate;
  brierScore: Estimate;
  reliability: ReliabilityBin[];
  /** At the run's own thresholds, on all groups; null for a run without them. */
  current: JudgedThresholds | null;
  /** Chosen on one half of the groups, judged on the other; null if there are too few data. */
  suggested: JudgedThresholds | null;
  /** Groups that had a part in choosing thresholds. */
  thresholdGroups: string[];
};

type Scored = ScoredOutcome & { group: string; sampled: boolean };

const bins = 10;

/**
 * Of 500 resamples. Resamples that lack a statistic come from the least informative data: without them the statistic would look more certain than it
 * is.
 */
const mostUndefined = 25;

/** An action that was rolled out, with the known facts about it. */
type RolledOut = {
  candidate: Candidate;
  rollouts: Branch[];
  score: number | null;
  taskId: string;
  group: string;
};

/** @throws CruxError `User.NotFound`; `User.Config` for a run that was made without a PRM */
export async function calibrationView(
  store: Store,
  environments: EnvironmentRegistry,
  runId: string,
): Promise<CalibrationView> {
  const run = await store.runs.get(runId);
  const { models, monteCarlo } = run.config;
  if (!models.prm && !monteCarlo)
    throw new CruxError('User.Config', `Run ${runId} has no models.prm: there are no scores to calibrate.`);
  const scored = scoredOutcomes(run.config, await rolledOut(store, environments, run));
  const byGroup = [...Map.groupBy(scored, ({ group }) => group)].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const half = byGroup.toSorted(([one], [other]) => order(run, one) - order(run, other));
  const choosing = half.slice(0, Math.floor(half.length / 2));
  const judging = half.slice(choosing.length);
  const thresholds = clearestThresholds(choosing.flatMap(([, own]) => own));
  const all = byGroup.map(([, own]) => own);
  const estimate = (statistic: Statistic) => estimated(all, statistic, run.seed);
  return {
    runId,
    prm: [models.prm?.model, prmKindText(run.config)].filter((part) => part != null).join(', '),
    actions: scored.length,
    sampled: scored.filter((one) => one.sampled).length,
    groups: byGroup.length,
    baseRate: estimatedShare(all, () => true, run.seed),
    areaUnderCurve: estimate(weightedAreaUnderCurve),
    brierScore: estimate(brierScore),
    reliability: reliabilityCurve(scored, bins),
    current:
      'gate' in run.config.options && run.config.options.gate
        ? judged(all, currentOf(run.config.options), run.seed)
        : null,
    suggested:
      thresholds &&
      judged(
        judging.map(([, own]) => own),
        thresholds,
        run.seed,
      ),
    thresholdGroups: choosing.map(([group]) => group),
  };
}

/**
 * Actions with their outcomes, to train a process reward model on. Rollouts that were made or left out for an outcome do not count, nor does one
 * that a fault ended.
 */
export async function loadProcessExamples(
  store: Store,
  environments: EnvironmentRegistry,
  runId: string,
): Promise<ProcessExample[]> {
  const run = await store.runs.get(runId);
  const rubric = run.config.models.prm?.rubric;
  const rows = await rolledOut(store, environments, run);
  const chanceOf = rolloutChance(run.config, await store.findings.steps(runId));
  const examples = await Promise.all(
    rows.map(async ({ candidate, rollouts, score, taskId, group }): Promise<ProcessExample | null> => {
      const fair = fairRollouts(run.config, rollouts);
      const outcome = meanReward(fair);
      if (outcome === null) return null;
      const state = await store.tree.state(candidate.nodeId);
      const { successes, rollouts: known } = tally(fair.map(branchOutcome));
      const chance = chanceOf(candidate.id, fair);
      return {
        id: candidate.id,
        runId,
        taskId,
        group,
        split: run.config.split,
        step: state.step + 1,
        prompt: state.messages.map(wordsOnly),
        tools: state.tools,
        action: wordsOnly(candidate.message),
        outcome,
        successes,
        rollouts: known,
        score,
        weight: chance === null ? null : 1 / chance,
        ...(run.config.sealed !== undefined && { sealed: true }),
        ...(rubric !== undefined && { rubric }),
        wording: promptsOf(run.config).score,
      };
    }),
  );
  return examples
    .filter((example) => example !== null)
    .toSorted((one, other) =>
      one.taskId < other.taskId
        ? -1
        : one.taskId > other.taskId
          ? 1
          : one.step - other.step || (one.id < other.id ? -1 : 1),
    );
}

/** Actions of the run with rollouts after them, whatever their purpose, but to be a score. */
async function rolledOut(store: Store, environments: EnvironmentRegistry, run: Run): Promise<RolledOut[]> {
  const [branches, candidates, decided, measured] = await Promise.all([
    store.findings.branches(run.id),
    store.findings.candidates(run.id),
    store.findings.scores(run.id, 'score'),
    store.findings.scores(run.id, 'calibrate'),
  ]);
  // Rollouts that are the score itself say nothing about what it is worth.
  const independent = branches.filter(({ purpose }) => !isScreening(purpose));
  const byCandidate = Map.groupBy(independent, (row) => row.candidateId);
  // If an action has both scores, the one that decided counts: calibration judges what the gate made of it, whichever score was requested first.
  const known = [...measured, ...decided].filter(({ score }) => score !== null);
  const scoreOf = new Map(known.map((row) => [row.candidateId, row.score]));
  const groups = new Map((await environments.tasks(run.environment)).map((task) => [task.id, task.group]));
  const own = candidates.filter(({ id }) => byCandidate.has(id));
  return Promise.all(
    own.map(async (candidate) => {
      const { taskId } = await store.tree.state(candidate.nodeId);
      return {
        candidate,
        rollouts: byCandidate.get(candidate.id)!,
        score: scoreOf.get(candidate.id) ?? null,
        taskId,
        group: groups.get(taskId) ?? taskId,
      };
    }),
  );
}

/**
 * The first rollout of every scored action that was sure to be rolled out, or is in the seeded sample. Later rollouts depend on the results of the
 * first ones, and would not be a fair sample.
 */
function scoredOutcomes(config: RunConfig, rows: RolledOut[]): Scored[] {
  return rows.flatMap(({ rollouts, score, group }): Scored[] => {
    const sampled = rollouts.find(({ purpose, rollout }) => purpose === 'calibrate' && rollout === 0);
    const verified = isVerifiedAnyway(config)
      ? rollouts.find(({ purpose, rollout }) => purpose === 'verify' && rollout === 0)
      : undefined;
    const row = verified ?? sampled;
    if (score === null || !row || row.success === null || isFlagged(row)) return [];
    const weight = verified ? 1 : 1 / rateOf(config);
    return [{ score, success: isVerifiedSuccess(branchOutcome(row)), weight, group, sampled: row === sampled }];
  });
}

function rateOf({ options }: RunConfig): number {
  return ('calibrationRate' in options && options.calibrationRate) || 1;
}

function currentOf({ gammaLow, gammaHigh }: { gammaLow: number; gammaHigh: number }): Thresholds {
  return { low: gammaLow, high: gammaHigh };
}

function judged(groups: Scored[][], thresholds: Thresholds, seed: number): JudgedThresholds {
  const { shareBelow, shareAbove } = separationAt(groups.flat(), thresholds);
  return {
    ...thresholds,
    below: estimatedShare(groups, ({ score }) => score < thresholds.low, seed),
    above: estimatedShare(groups, ({ score }) => score > thresholds.high, seed),
    ...{ shareBelow, shareAbove },
  };
}

type Statistic = (outcomes: readonly Scored[]) => number | null;

/**
 * The success rate of some of the actions. If all of them have the same outcome, no resample differs, which is no certainty. The interval is then
 * that of as many outcomes as groups that have any (Wilson).
 */
function estimatedShare(groups: Scored[][], isMeant: (outcome: Scored) => boolean, seed: number): Estimate {
  const meant = groups.map((own) => own.filter(isMeant)).filter((own) => own.length > 0);
  // Groups without any such action take part in the resamples: their number is left to chance as well.
  const found = estimated(groups, (outcomes) => successRate(outcomes.filter(isMeant)), seed);
  const isAlike = found.estimate === 0 || found.estimate === 1;
  const interval = isAlike
    ? meant.length < leastGroups
      ? null
      : wilsonInterval(found.estimate! * meant.length, meant.length)
    : found.interval;
  return { estimate: found.estimate, interval, actions: meant.flat().length };
}

function estimated(groups: Scored[][], statistic: Statistic, seed: number): Estimate {
  const actions = groups.flat().length;
  // With fewer groups the interval would be too narrow to be called one.
  if (groups.length < leastGroups) return { estimate: statistic(groups.flat()), interval: null, actions };
  const result = groupBootstrap(groups, statistic, { seed: `calibration/${seed}`, resamples: 500 });
  const isTelling = result.undefinedResamples <= mostUndefined && (result.standardError ?? 0) > 0;
  return { estimate: result.estimate, interval: isTelling ? result.interval : null, actions };
}

function order(run: Run, group: string): number {
  return seededFraction(run.seed, `calibration-half/${group}`);
}
