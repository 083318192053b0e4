/** An improvement as people and programs read it: success by round, what each round made and cost, why it was decided so. */
import { type FamilyChange, familyChanges } from '../domain/improve/change.ts';
import { comparePolicies, type Decision, type PolicyComparison } from '../domain/improve/decide.ts';
import { mayGoOn } from '../domain/improve/hosted-job.ts';
import { type Improved, selectedOn, trainedOnOf } from '../domain/improve/lineage.ts';
import { improvedOf, methodText, startModel } from '../domain/improve/plan.ts';
import {
  type CanaryFinding,
  campaignId,
  incumbentAt,
  type PhaseRecord,
  type PhaseResults,
  phaseInProgress,
  resultOf,
} from '../domain/improve/rounds.ts';
import type { SettingChange } from '../domain/improve/settings.ts';
import type { EvaluationFigures } from '../domain/run/evaluation.ts';
import { type Losses, lossesOf } from '../domain/run/losses.ts';
import type { Estimate } from '../domain/statistics/ratio-by-group.ts';
import { sumOrNull } from '../domain/statistics/sums.ts';
import type { ImproveState } from '../domain/wire/improve.ts';
import type { Improvement } from '../store/improvements.ts';
import type { Store } from '../store/store.ts';
import { samplesOf } from './evaluation.ts';
import { type At, whereIs } from './improvement-place.ts';
import { type RunSummary, runSummary } from './run-summary.ts';

export type ImprovementView = {
  id: string;
  method: string;
  environment: string;
  preset: string;
  seed: number;
  state: ImproveState;
  fault: { kind: string; message: string } | null;
  /** Rounds that were asked for. */
  rounds: number;
  promote: string;
  tasks: { collect: number; validation: number; test: number };
  createdAt: number;
  finishedAt: number | null;
  /** Null if it has ended. */
  at: At | null;
  /** Round 0 is the start. */
  history: RoundView[];
  /** Null before the test, or if there is none. */
  test: { start: Tested; final: Tested; comparison: PolicyComparison } | null;
  policy: { name: string; root: string; round: number };
  /** Of settings, since it began, the oldest first. */
  changes: SettingChange[];
  /** The weights that it began with; the hash is null for a model of a hub, and if an earlier version began it. */
  base: { from: string; hash: string | null };
  /** What the policy has seen, for `models.policy.trainedOn`; null if nobody knows all. */
  trainedOn: string[] | null;
  /** Of all campaigns, and of the jobs that trained; null if a price is unknown. */
  costMicroUsd: number | null;
  calls: number;
  notes: string[];
};

export type Tested = { runId: string; success: Estimate; outcomes: Outcomes };

/** Over how many tasks a figure of an evaluation is. */
export type Outcomes = {
  /** Tasks with an outcome. */
  tasks: number;
  of: number;
  /** Samples without one, by what ended them. */
  missing: { [ending: string]: number };
};

export type RoundView = {
  round: number;
  collected: {
    runId: string;
    /** That of the improvement, unless a round before it was refused. */
    seed: number;
    found: number;
    losses: Losses;
    kind: 'pairs' | 'examples';
    flags: { [flag: string]: number };
    calls: number;
    /** Of its calls and of its environment's steps; null if a price is unknown. */
    costMicroUsd: number | null;
  } | null;
  exported: PhaseResults['export'] | null;
  trained: PhaseResults['train'] | null;
  served: { name: string; root: string; canary: CanaryFinding } | null;
  evaluated: {
    /** Of an earlier round, if that had the same weights. */
    runId: string;
    success: Estimate;
    outcomes: Outcomes;
    /** Shares of the samples with an outcome, by ending. */
    endings: { [ending: string]: number };
    /** Generated tokens of an answer of the policy, on average; null if unknown. */
    answerTokens: number | null;
  } | null;
  decision: Decision | null;
  /** Of the candidate against the policy of then; empty without a candidate. */
  families: FamilyChange[];
  /** Wall time of the phases so far. */
  ms: number;
  costMicroUsd: number | null;
};

/** @throws CruxError `User.NotFound` */
export async function improvementView(store: Store, id: string): Promise<ImprovementView> {
  const improvement = await store.improvements.get(id);
  const records = await store.improvements.phases(id);
  const { settings } = improvement;
  const rounds = [...new Set(records.map(({ round }) => round))].toSorted((a, b) => a - b);
  const history: RoundView[] = [];
  const runs = await store.runs.under(`${id}/`);
  const summaries = await Promise.all(runs.map((run) => runSummary(store, run.id)));
  const summaryOf = (runId: string) => summaries.find((summary) => summary.runId === runId) ?? null;
  for (const round of rounds) history.push(await roundView(store, improvement, records, round, summaryOf));
  const policy = incumbentAt(records, Number.POSITIVE_INFINITY, startModel(settings));
  return {
    id,
    method: methodText(settings),
    environment: settings.environment,
    preset: settings.preset,
    seed: settings.seed,
    state: improvement.state,
    fault: improvement.fault,
    rounds: settings.rounds,
    promote: settings.promote,
    tasks: {
      collect: settings.tasks.collect.length,
      validation: settings.tasks.validation.length,
      test: settings.tasks.test.length,
    },
    createdAt: improvement.createdAt,
    finishedAt: improvement.finishedAt,
    at: await whereIs(store, improvement, records),
    history,
    test: await testOf(store, records, summaryOf),
    policy: { name: policy.model.name, root: policy.model.root, round: policy.round },
    changes: settings.changes ?? [],
    base: { from: settings.base.from, hash: settings.base.hash ?? null },
    trainedOn: seenBy(improvedOf(id, settings, records), policy.round),
    costMicroUsd: sumOrNull([costOf(summaries), ...history.map(jobCostOf)]),
    calls: summaries.reduce((sum, { ledger }) => sum + callsOf(ledger), 0),
    notes: [...notesOf(id, summaries, history), ...(await jobNotes(store, improvement, records))],
  };
}

/** Null for a campaign that has not begun, or was deleted. */
type SummaryOf = (runId: string) => RunSummary | null;

async function roundView(
  store: Store,
  improvement: Improvement,
  records: readonly PhaseRecord[],
  round: number,
  summaryOf: SummaryOf,
): Promise<RoundView> {
  const { id } = improvement;
  const own = records.filter((record) => record.round === round && !record.phase.startsWith('test-'));
  const collect = summaryOf(campaignId(id, round, 'collect'));
  const ownEvaluation = campaignId(id, round, 'evaluate');
  const evaluate = summaryOf(resultOf(records, round, 'evaluate')?.runId ?? ownEvaluation);
  const served = resultOf(records, round, 'serve');
  return {
    round,
    collected: collect && {
      runId: collect.runId,
      seed: collect.seed,
      kind: collect.examples === null ? 'pairs' : 'examples',
      found: collect.examples?.total ?? collect.pairs.total,
      losses: lossesOf((await store.runs.tasks(collect.runId)).flatMap(({ result }) => result ?? [])),
      flags: collect.pairs.flags,
      calls: callsOf(collect.ledger),
      costMicroUsd: costOf([collect]),
    },
    exported: resultOf(records, round, 'export'),
    trained: resultOf(records, round, 'train'),
    served: served && { name: served.name, root: served.root, canary: served.canary },
    evaluated: evaluate && evaluatedOf(evaluate),
    decision: resultOf(records, round, 'decide'),
    families: await familiesOf(store, improvement, records, round),
    ms: own.reduce((sum, record) => sum + (endOf(record, improvement, records) ?? Date.now()) - record.startedAt, 0),
    costMicroUsd: sumOrNull([
      costOf([collect, summaryOf(ownEvaluation)].filter((summary) => summary !== null)),
      jobCostOf({ trained: resultOf(records, round, 'train') }),
    ]),
  };
}

/** When a phase ended; null if it is in progress. One that was given up ended with its round, or with the improvement. */
function endOf(
  { round, finishedAt }: PhaseRecord,
  improvement: Improvement,
  records: readonly PhaseRecord[],
): number | null {
  const decided = records.find((record) => record.round === round && record.phase === 'decide');
  return finishedAt ?? decided?.startedAt ?? improvement.finishedAt;
}

function evaluatedOf({ runId, ledger, evaluation }: RunSummary): RoundView['evaluated'] {
  const { overall } = evaluation!;
  const answers = ledger.filter(({ role }) => role === 'policy');
  const tokens = sumOrNull(answers.map(({ completionTokens }) => completionTokens));
  const calls = answers.reduce((sum, line) => sum + line.calls, 0);
  return {
    runId,
    success: overall.successRate,
    outcomes: outcomesOf(overall),
    endings: Object.fromEntries(
      Object.entries(overall.endings).map(([ending, { samples }]) => [ending, samples / overall.known]),
    ),
    answerTokens: tokens === null || calls === 0 ? null : tokens / calls,
  };
}

function outcomesOf({ tasks, tasksWithout, missing }: EvaluationFigures): Outcomes {
  return { tasks, of: tasks + tasksWithout, missing };
}

async function familiesOf(
  store: Store,
  improvement: Improvement,
  records: readonly PhaseRecord[],
  round: number,
): Promise<FamilyChange[]> {
  if (round === 0) return [];
  const before = incumbentAt(records, round, startModel(improvement.settings)).round;
  const evaluated = [before, round].map((of) => resultOf(records, of, 'evaluate'));
  const [was, is] = await Promise.all(evaluated.map((phase) => phase && store.runs.find(phase.runId)));
  // Old campaigns may have been deleted.
  return was && is ? familyChanges(await samplesOf(store, was), await samplesOf(store, is)) : [];
}

async function testOf(
  store: Store,
  records: readonly PhaseRecord[],
  summaryOf: SummaryOf,
): Promise<ImprovementView['test']> {
  const [start, final] = (['test-start', 'test-final'] as const).map((phase) => {
    const over = resultOf(records, 0, phase);
    return over && summaryOf(over.runId);
  });
  if (!start || !final) return null;
  const tested = ({ runId, evaluation }: RunSummary): Tested => ({
    runId,
    success: evaluation!.overall.successRate,
    outcomes: outcomesOf(evaluation!.overall),
  });
  const samples = async ({ runId }: { runId: string }) => samplesOf(store, await store.runs.get(runId));
  return {
    start: tested(start),
    final: tested(final),
    comparison: comparePolicies(await samples(start), await samples(final)),
  };
}

function seenBy(improved: Improved, round: number): string[] | null {
  const trained = trainedOnOf(improved, round);
  return trained === null ? null : [...selectedOn(improved, round), ...trained];
}

/** Of calls and of environments' steps. */
function costOf(summaries: readonly RunSummary[]): number | null {
  const lines = summaries.flatMap(({ ledger, environmentCosts }) => [...ledger, ...environmentCosts]);
  return sumOrNull(lines.map(({ costMicroUsd }) => costMicroUsd));
}

/** Of a service that trained. A training on machines of one's own is not billed by the job. */
function jobCostOf({ trained }: Pick<RoundView, 'trained'>): number | null {
  return trained?.job ? trained.job.costMicroUsd : 0;
}

function callsOf(ledger: RunSummary['ledger']): number {
  return ledger.reduce((sum, { calls, reused }) => sum + calls - reused, 0);
}

function notesOf(id: string, summaries: readonly RunSummary[], history: readonly RoundView[]): string[] {
  const simulated = (role: string) => summaries.some(({ models }) => models[role]?.startsWith('sim-') === true);
  const others = ['expert', 'prm'].filter(simulated);
  const again = history.flatMap(({ round, evaluated }) =>
    evaluated === null || evaluated.runId === campaignId(id, round, 'evaluate') ? [] : [{ round, ...evaluated }],
  );
  const unchecked = history.filter(({ served }) => served?.canary.verdict === 'named').map(({ round }) => round);
  return [
    ...(simulated('policy') ? ['Simulated: engine behaviour, not model quality.'] : []),
    ...(others.length > 0 ? [`Simulated: ${others.join(' and ')}.`] : []),
    ...again.map(
      ({ round, runId }) =>
        `Round ${round} trained weights that were evaluated before (${runId}): they were not evaluated again.`,
    ),
    ...(unchecked.length === 0
      ? []
      : [
          `The server gives no log-probabilities: that it answers with the trained weights is known by name and folder alone (round ${unchecked.join(', ')}).`,
        ]),
  ];
}

/** A job that may go on, though its improvement was cancelled. */
async function jobNotes(store: Store, { id, state }: Improvement, records: readonly PhaseRecord[]): Promise<string[]> {
  const open = phaseInProgress(records);
  if (state !== 'cancelled' || open?.phase !== 'train') return [];
  const job = await store.improvements.job(id, open.round);
  if (job === null || !mayGoOn(job)) return [];
  return [
    job.id === null
      ? `The service may have a job with the suffix ${job.mark} that was not cancelled with the improvement: look for it there.`
      : `The job ${job.id} was not cancelled with the improvement: cancel it at its service.`,
  ];
}
