/** Result of an audit: how many of a run's pairs are right, by reference rollouts, and how much a right one cost. */

import type { Branch } from '../domain/branch.ts';
import { meanReward } from '../domain/methods/rro-rule.ts';
import { type JudgedPair, judgePair, meanOutcome, type PairQuality, pairQualities } from '../domain/pairs/quality.ts';
import { isMeasurement, workOf } from '../domain/purpose.ts';
import type { AuditSettings } from '../domain/run/audit.ts';
import { groupBootstrap } from '../domain/statistics/bootstrap.ts';
import type { MeanOutcome } from '../domain/statistics/difference.ts';
import { type Interval, wilsonInterval } from '../domain/statistics/interval.ts';
import { leastGroups } from '../domain/statistics/ratio-by-group.ts';
import { mean, sumOrNull } from '../domain/statistics/sums.ts';
import { type AuditSample, auditSample } from '../store/audit-sample.ts';
import { type LedgerLine, ledgerLines } from '../store/ledger.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';

/** A mean or share with its 95 % interval; the interval is null if there are too few groups for one. */
export type Estimate = { value: number; interval: Interval | null };

export type AuditedPair = JudgedPair & {
  pairId: string;
  taskId: string;
  group: string;
  /** From 1. */
  step: number;
  chosen: MeanOutcome;
  rejected: MeanOutcome;
};

export type AcceptedActions = {
  steps: number;
  /** Mean outcome of their reference rollouts. */
  reference: Estimate;
  /** Mean of the values by which they were accepted, and how much these overrate them: selection favours lucky rollouts. */
  estimate: number;
  overrated: Estimate;
};

export type AuditView = {
  runId: string;
  settings: AuditSettings;
  pairs: {
    /** Pairs of single actions; those of the sample; of these, those whose two sides have reference rollouts. */
    total: number;
    sampled: number;
    audited: number;
    groups: number;
  };
  /** Share of the audited pairs of each quality; null without any. */
  quality: { [quality in PairQuality]: Estimate } | null;
  /** Mean difference of mean outcomes, chosen − rejected; null without audited pairs. */
  meanDifference: Estimate | null;
  /** The accepted actions of the sampled steps, of methods that accept actions (RRO). Null for other methods, and if there are none. */
  accepted: AcceptedActions | null;
  /** What the run used for each of its pairs that is better, measurements aside; null if unknown, or if no audited pair is better. */
  perCorrectPair: { calls: number; rollouts: number; tokens: number | null; costMicroUsd: number | null } | null;
  /** What the audit itself used. */
  ledger: LedgerLine[];
  judged: AuditedPair[];
};

/** @returns null for a run that was never audited */
export async function auditView(store: Store, runId: string): Promise<AuditView | null> {
  const settings = await store.findings.audit(runId);
  if (!settings) return null;
  const run = await store.runs.get(runId);
  const sample = await auditSample(store, run, settings);
  const references = new Map(
    [...Map.groupBy(await store.findings.references(runId, settings.rollouts), actionKey)].map(([key, rows]) => [
      key,
      meanOutcome(rows),
    ]),
  );
  const judged = judgedPairs(sample, references);
  const groups = [...Map.groupBy(judged, ({ group }) => group).values()];
  const share = (quality: PairQuality) => shareOf(groups, (pair) => pair.quality === quality);
  const better = judged.length === 0 ? null : share('better').value;
  const total = (await store.findings.pairs(runId)).filter((pair) => pair.chosenLeaf === null).length;
  return {
    runId,
    settings: { rollouts: settings.rollouts, sample: settings.sample },
    pairs: { total, sampled: sample.pairs.length, audited: judged.length, groups: groups.length },
    quality:
      better === null
        ? null
        : (Object.fromEntries(pairQualities.map((name) => [name, share(name)])) as AuditView['quality']),
    meanDifference: judged.length === 0 ? null : meanOf(groups, ({ difference }) => difference),
    accepted: await acceptedActions(store, run, sample, references),
    perCorrectPair: better === null ? null : await perCorrectPair(store, runId, better * total),
    ledger: await ledgerLines(store.database, runId, 'audit'),
    judged,
  };
}

function judgedPairs({ pairs }: AuditSample, references: Map<string, MeanOutcome | null>): AuditedPair[] {
  return pairs.flatMap((pair) => {
    const chosen = references.get(`${pair.nodeId}/${pair.chosenId}`);
    const rejected = references.get(`${pair.nodeId}/${pair.rejectedId}`);
    if (!chosen || !rejected) return [];
    const { id: pairId, taskId, group, step } = pair;
    return [{ pairId, taskId, group, step, chosen, rejected, ...judgePair(chosen, rejected) }];
  });
}

async function acceptedActions(
  { findings, tree }: Store,
  run: Run,
  { steps }: AuditSample,
  references: Map<string, MeanOutcome | null>,
): Promise<AcceptedActions | null> {
  const valued = Map.groupBy(
    (await findings.branches(run.id)).filter(({ purpose }) => purpose === 'value'),
    actionKey,
  );
  const actions: { taskId: string; reference: number; estimate: number }[] = [];
  for (const step of steps) {
    const key = `${step.nodeId}/${step.ownId}`;
    const reference = references.get(key)?.mean;
    if (reference === undefined) continue;
    // The value of an action that ends the task is its outcome: no rollout estimates it.
    const estimate = meanReward(valued.get(key) ?? []) ?? reference;
    actions.push({ taskId: (await tree.state(step.nodeId)).taskId, reference, estimate });
  }
  if (actions.length === 0) return null;
  const tasks = [...Map.groupBy(actions, ({ taskId }) => taskId).values()];
  return {
    steps: actions.length,
    reference: meanOf(tasks, ({ reference }) => reference),
    estimate: mean(actions.map(({ estimate }) => estimate))!,
    overrated: meanOf(tasks, ({ reference, estimate }) => estimate - reference),
  };
}

async function perCorrectPair(store: Store, runId: string, correct: number): Promise<AuditView['perCorrectPair']> {
  if (correct === 0) return null;
  const ledger = (await ledgerLines(store.database, runId)).filter((line) => !isMeasurement(workOf(line)));
  const environment = (await store.environmentCosts.lines(runId)).filter(({ purpose }) => !isMeasurement(purpose));
  const spent = sumOrNull([...ledger, ...environment].map(({ costMicroUsd }) => costMicroUsd));
  const branches = (await store.findings.branches(runId)).filter(({ purpose }) => !isMeasurement(purpose));
  const each = (pick: (line: LedgerLine) => number | null) => {
    const sum = ledger.reduce<number | null>((total, line) => {
      const value = pick(line);
      return total === null || value === null ? null : total + value;
    }, 0);
    return sum === null ? null : sum / correct;
  };
  return {
    calls: each((line) => line.calls)!,
    rollouts: branches.length / correct,
    tokens: each(({ promptTokens, completionTokens }) =>
      promptTokens === null || completionTokens === null ? null : promptTokens + completionTokens,
    ),
    costMicroUsd: spent === null ? null : spent / correct,
  };
}

function actionKey({ nodeId, candidateId }: Branch): string {
  return `${nodeId}/${candidateId}`;
}

/** Resamples groups if there are enough of them. Otherwise treats each pair as independent (Wilson), which makes the interval too narrow. */
function shareOf<T>(groups: T[][], holds: (item: T) => boolean): Estimate {
  const { value, interval } = meanOf(groups, (item) => Number(holds(item)));
  const items = groups.flat();
  return { value, interval: interval ?? wilsonInterval(items.filter(holds).length, items.length) };
}

function meanOf<T>(groups: T[][], value: (item: T) => number): Estimate {
  const statistic = (items: readonly T[]) => mean(items.map(value));
  const { estimate, interval, standardError } = groupBootstrap(groups, statistic, { seed: 'audit' });
  const isTelling = groups.length >= leastGroups && standardError !== null && standardError > 0;
  return { value: estimate!, interval: isTelling ? interval : null };
}
