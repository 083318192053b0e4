/** Figures of one run, from what is stored. */
import { isMeasurement } from '../../src/domain/purpose.ts';
import type { Store } from '../../src/store/store.ts';
import { type AuditView, auditView } from '../../src/views/audit.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { runIdOf } from './condition.ts';
import type { Agreement, TrueAccepted, TruePairs, Truth } from './truth.ts';

/** What a run of one condition with one seed came to. */
export type Measured = {
  condition: string;
  seed: number;
  tasks: number;
  steps: number;
  /** Actions drawn or proposed at a step; equal ones count. Null where the method looks at no steps. */
  drawsPerStep: number | null;
  /** Logical demand of the pairs: without what only measures something. */
  calls: number;
  tokens: number;
  rollouts: number;
  pairs: number;
  groups: number;
  /** Of the policy's trajectories: under RRO those that were built of accepted actions. Null without any. */
  meanReward: number | null;
  successRate: number | null;
  audit: Omit<AuditView, 'judged' | 'ledger' | 'runId' | 'settings'> | null;
  /** By the simulated policy's exact values: all pairs, and all accepted actions under RRO. */
  truePairs: TruePairs | null;
  trueAccepted: TrueAccepted | null;
  agreement: Agreement | null;
};

/** @returns null for a run that is not there or not finished */
export async function measure(
  store: Store,
  truth: Truth | null,
  condition: string,
  seed: number,
): Promise<Measured | null> {
  const runId = runIdOf(condition, seed);
  const run = await store.runs.find(runId);
  if (!run || run.finishedAt === null) return null;
  const summary = await runSummary(store, runId);
  const view = await auditView(store, runId);
  const trajectories = await store.findings.trajectories(runId);
  const rewards = trajectories.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  const { branches, pairs, steps, tasks } = summary;
  const ledger = summary.ledger.filter(({ purpose }) => !isMeasurement(purpose));
  const sum = (pick: (line: (typeof ledger)[number]) => number) => ledger.reduce((all, line) => all + pick(line), 0);
  return {
    condition,
    seed,
    tasks: tasks.total,
    steps: steps.mined,
    drawsPerStep: ratio(
      sum(({ purpose, calls }) => (purpose === 'propose' ? calls : 0)),
      steps.mined,
    ),
    calls: sum(({ calls }) => calls),
    tokens: sum(({ promptTokens, completionTokens }) => promptTokens! + completionTokens!),
    rollouts: Object.entries(branches).reduce(
      (all, [purpose, own]) => all + (isMeasurement(purpose) ? 0 : own.total),
      0,
    ),
    pairs: pairs.total,
    groups: pairs.groups,
    meanReward: ratio(
      rewards.reduce((all, reward) => all + reward, 0),
      rewards.length,
    ),
    successRate: ratio(trajectories.filter(({ success }) => success).length, rewards.length),
    audit: view && {
      pairs: view.pairs,
      quality: view.quality,
      meanDifference: view.meanDifference,
      accepted: view.accepted,
      perCorrectPair: view.perCorrectPair,
    },
    truePairs: (await truth?.pairs(store, runId)) ?? null,
    trueAccepted: run.method === 'rro' ? ((await truth?.accepted(store, runId)) ?? null) : null,
    agreement: (await truth?.agreement(store, runId)) ?? null,
  };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
