/** The report's data: a query over the store. */

import type { Action } from '../domain/action.ts';
import { isFlagged } from '../domain/audit-flags.ts';
import { type Branch, branchOutcome, numberedOutcome } from '../domain/branch.ts';
import type { Candidate, Score } from '../domain/candidate.ts';
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import { type AssistantMessage, messageText } from '../domain/message.ts';
import { factsOf } from '../domain/methods/index.ts';
import { meanReward } from '../domain/methods/rro-rule.ts';
import { outcomeKind } from '../domain/outcome-kind.ts';
import { decisionOn } from '../domain/pairs/decision.ts';
import type { Pair, RecordedPair } from '../domain/pairs/pair.ts';
import { tally, verdictOn } from '../domain/pairs/verification.ts';
import { type BranchPurpose, purposeText } from '../domain/purpose.ts';
import { type RunConfig, selectsFirstErrors, verificationOf } from '../domain/run/run-config.ts';
import type { Step } from '../domain/step.ts';
import { splitThought } from '../domain/thought.ts';
import type { Trajectory } from '../domain/trajectory.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { isSameTools, type State } from '../store/tree.ts';
import { environmentCostNotes } from './environment-cost-text.ts';
import { faultText, withoutOutcomeText } from './fault-text.ts';
import { loadPairs } from './pairs.ts';
import { type RunSummary, runSummary } from './run-summary.ts';
import type {
  ActionView,
  AlternativeView,
  BranchedShare,
  BranchView,
  RunView,
  StepView,
  TaskView,
  TrajectoryView,
  Verdict,
} from './run-view-types.ts';
import { type RecordedPairs, recordedPairs, unpairedAt } from './unpaired.ts';

/** All findings of a run in the form that the trees need: candidates by state, branches by candidate. */
type Found = {
  run: Run;
  store: Store;
  steps: Map<string, Step>;
  candidates: Map<string, Candidate[]>;
  scores: Map<string, number | null>;
  branches: Map<string, Branch[]>;
  pairs: RecordedPairs;
  /** Thoughts apart from a message, by state and message. */
  reasoning: Map<string, string>;
};

export async function runView(store: Store, runId: string, notice: string | null = null): Promise<RunView> {
  const run = await store.runs.get(runId);
  const summary = await runSummary(store, runId);
  const [trajectories, demonstrations, steps, candidates, scores, branches, pairs] = await Promise.all([
    store.findings.trajectories(runId),
    store.findings.demonstrations(runId),
    store.findings.steps(runId),
    store.findings.candidates(runId),
    store.findings.scores(runId, 'score'),
    store.findings.branches(runId),
    loadPairs(store, runId),
  ]);
  const found = foundOf(store, run, {
    ...{ steps, candidates, scores, branches },
    pairs: await store.findings.pairs(runId),
    reasonings: await store.journal.reasonings(runId),
  });
  const pairsByTask = Map.groupBy(pairs, (pair) => pair.taskId);
  const tasks: TaskView[] = [];
  for (const [taskId, own] of Map.groupBy([...trajectories, ...demonstrations], (row) => row.taskId)) {
    tasks.push(await viewOfTask(found, own, pairsByTask.get(taskId) ?? []));
  }
  const verify = summary.branches.verify;
  const placebo = summary.branches.placebo;
  return {
    run: {
      id: run.id,
      method: run.method,
      preset: run.config.preset,
      environment: { name: run.environment, version: run.config.environmentVersion },
      seed: run.seed,
      models: summary.models,
      prmKind: summary.prmKind,
      startedAt: new Date(run.createdAt).toISOString(),
      finishedAt: run.finishedAt === null ? null : new Date(run.finishedAt).toISOString(),
      state: run.state,
      block: run.block?.message ?? null,
      notice,
      thresholds: thresholdsOf(run.config),
    },
    summary: {
      tasks: summary.tasks.total,
      trajectories: trajectories.length,
      endings: [...Map.groupBy(trajectories, (row) => row.ending)].map(([ending, rows]) => ({
        ending,
        count: rows.length,
        successes: rows.filter((row) => outcomeKind(row) === 'success').length,
        flagged: rows.filter(isFlagged).length,
      })),
      failures: Object.values(summary.failures).reduce((sum, count) => sum + count, 0),
      failedSteps: trajectories.filter((row) => row.success === false).reduce((sum, row) => sum + row.steps, 0),
      candidateSteps: factsOf(run.method).findsCriticalSteps ? (summary.steps.byVerdict.critical ?? 0) : null,
      branches: branches.length,
      auditedSuccesses: summary.auditedSuccesses,
      verifiedPairs: pairs.length,
      unpaired: summary.unpaired,
      pairQuality: qualityShares(summary.audit),
      revalued: summary.revalued,
      estimatedFalsePairs: summary.estimatedFalsePairs,
      flips: verify ? branchedShare(verify) : null,
      placeboFlips: placebo ? branchedShare(placebo) : null,
      comparison: {
        candidatesPerStep: summary.comparison.candidatesPerStep,
        rolloutsPerVerifiedPair: summary.comparison.rolloutsPerPair,
        tokensPerVerifiedPair: summary.comparison.tokensPerPair,
        costPerVerifiedPairMicroUsd: summary.comparison.costMicroUsdPerPair,
        supervisedShare: summary.comparison.shareOfStepsSupervised,
        supervisedSteps: { count: summary.pairs.steps, of: summary.steps.supervisable },
      },
    },
    evaluation: summary.evaluation,
    ledger: summary.ledger.map((line) => ({
      role: `${line.role}, ${purposeText(line)}`,
      calls: line.calls,
      cachedCalls: line.reused,
      promptTokens: line.promptTokens,
      completionTokens: line.completionTokens,
      costMicroUsd: line.costMicroUsd,
      throttledMs: line.throttledMs,
      queuedMs: line.queuedMs,
    })),
    environmentCosts: summary.environmentCosts.map(({ purpose, steps, costMicroUsd }) => ({
      ...{ purpose, steps, costMicroUsd },
    })),
    environmentCostNotes: environmentCostNotes(summary.environmentCosts),
    environmentSteps: summary.environmentSteps,
    faults: [faultText(summary), withoutOutcomeText(summary) ?? ''].filter((text) => text !== ''),
    cutObservations: summary.cutObservations,
    malformed: summary.malformed,
    tasks,
  };
}

/** One task as in the view of its run, without reading the others; null if it has no trajectory. */
export async function taskView(store: Store, runId: string, taskId: string): Promise<TaskView | null> {
  const { findings, tree } = store;
  const own = await findings.allTrajectories(runId, taskId);
  if (own.length === 0) return null;
  const paths = await Promise.all(own.map((row) => tree.path(row.leafId)));
  const states = [...new Set(paths.flat().map(({ id }) => id))];
  const steps = await Promise.all(own.map(({ id }) => findings.steps(runId, id)));
  const candidates = (await Promise.all(states.map((id) => findings.candidatesOf(runId, id)))).flat();
  const branches = (await Promise.all(states.map((id) => findings.branchesAt(runId, id)))).flat();
  const scores = await Promise.all(candidates.map(({ id }) => findings.score(runId, id, 'score')));
  const found = foundOf(store, await store.runs.get(runId), {
    steps: steps.flat(),
    candidates,
    scores: scores.filter((score) => score !== null),
    branches: branches.filter(({ purpose }) => purpose !== 'reference'),
    pairs: await findings.pairs(runId, taskId),
    reasonings: await store.journal.reasonings(runId, taskId),
  });
  return viewOfTask(found, own, await loadPairs(store, runId, taskId));
}

/** A branch that a fault left without an outcome is no failure. */
function branchedShare({ succeeded, total, faulted }: RunSummary['branches'][string]): BranchedShare {
  return { count: succeeded, of: total - faulted, faulted };
}

type Rows = {
  steps: Step[];
  candidates: Candidate[];
  scores: Score[];
  branches: Branch[];
  pairs: RecordedPair[];
  reasonings: Awaited<ReturnType<Store['journal']['reasonings']>>;
};

function foundOf(store: Store, run: Run, { steps, candidates, scores, branches, pairs, reasonings }: Rows): Found {
  return {
    run,
    store,
    steps: new Map(steps.map((step) => [`${step.trajectoryId}/${step.step}`, step])),
    candidates: Map.groupBy(candidates, (row) => row.nodeId),
    scores: worths[factsOf(run.method).worth]({ scores, branches, pairs }),
    branches: Map.groupBy(branches, (row) => row.candidateId),
    pairs: recordedPairs(pairs),
    // Of answers with equal text, the first by key, so that every view shows the same thoughts.
    reasoning: new Map(
      reasonings.toReversed().map(({ nodeId, message, reasoning }) => [placeOfMessage(nodeId, message), reasoning]),
    ),
  };
}

async function viewOfTask(found: Found, trajectories: Trajectory[], pairs: Pair[]): Promise<TaskView> {
  return {
    id: trajectories[0]!.taskId,
    title: await titleOf(found, trajectories[0]!),
    group: pairs[0]?.group ?? '',
    split: found.run.config.split,
    trajectories: await Promise.all(trajectories.map((row) => trajectoryView(found, row))),
    pairs,
  };
}

function qualityShares(audit: RunSummary['audit']): RunView['summary']['pairQuality'] {
  if (!audit?.quality) return null;
  return { ...audit.quality, pairs: audit.pairs.audited };
}

function thresholdsOf({ options }: RunConfig): RunView['run']['thresholds'] {
  return 'gate' in options && options.gate ? { low: options.gammaLow, high: options.gammaHigh } : null;
}

/** As the environment calls the task. Runs from earlier versions do not know that: there it is the last line of the opening. */
async function titleOf({ store, run }: Found, { taskId, rootId }: Trajectory): Promise<string> {
  const [task] = await store.runs.samplesOf(run.id, taskId);
  if (task?.title) return task.title.slice(0, 200);
  const root = await store.tree.state(rootId);
  const opening = root.messages.findLast((message) => message.role === 'user');
  return opening?.content.split('\n').at(-1)?.slice(0, 200) ?? taskId;
}

/** What each action is shown to be worth, by how the method tells it. */
const worths: {
  [worth in ReturnType<typeof factsOf>['worth']]: (
    rows: Pick<Rows, 'scores' | 'branches' | 'pairs'>,
  ) => Found['scores'];
} = {
  score: ({ scores }) => new Map(scores.map((row) => [row.candidateId, row.score])),
  value: ({ branches }) => values(branches),
  return: ({ pairs }) => new Map(pairs.flatMap(certifiedValues)),
};

/** Anchor rolls nothing out: the mean returns by which it chose stand in its certificates. */
function certifiedValues({ chosenId, rejectedId, certificate }: RecordedPair): [string, number][] {
  const { values: own } = certificate.verification;
  return own
    ? [
        [chosenId, own.chosen],
        [rejectedId, own.rejected],
      ]
    : [];
}

/** RRO and IPR ask no process reward model: their actions are shown with the values of their rollouts. */
function values(branches: Branch[]): Map<string, number | null> {
  const valued = Map.groupBy(
    branches.filter(({ purpose }) => purpose === 'value'),
    ({ candidateId }) => candidateId,
  );
  return new Map([...valued].map(([candidateId, rows]) => [candidateId, meanReward(rows)]));
}

async function trajectoryView(found: Found, row: Trajectory): Promise<TrajectoryView> {
  const states = await found.store.tree.path(row.leafId);
  const steps = states.slice(1).map((state, index): StepView => {
    const before = states[index]!;
    const judged = found.steps.get(`${row.id}/${state.step}`);
    const candidates = judged ? (found.candidates.get(before.id) ?? []) : [];
    const own = candidates.find((candidate) => candidate.id === judged?.ownId);
    const view = actionView(state.assistant!, own ? (found.scores.get(own.id) ?? null) : null);
    return {
      ...view,
      executed: executedText(state.assistant!, view.action, state.executed),
      reasoning: found.reasoning.get(placeOfMessage(before.id, state.assistant!)) ?? null,
      step: state.step,
      ...observedView(before, state),
      candidateCritical: judged?.verdict === 'critical',
      firstError: selectsFirstErrors(found.run.config) && isLocated(judged?.verdict),
      alternatives: candidates
        .filter((candidate) => candidate.position >= 0 && candidate.id !== own?.id)
        .map((candidate) => alternativeView(found, candidate, judged!)),
      unpaired: judged ? unpairedAt(judged, found.pairs).counts : {},
      ownBranches: own ? (found.branches.get(own.id) ?? []).map(branchView) : [],
    };
  });
  return {
    id: row.id,
    origin: row.origin,
    ending: row.ending,
    reward: row.reward,
    success: row.success,
    auditFlags: row.auditFlags,
    steps,
  };
}

function alternativeView(found: Found, candidate: Candidate, judged: Step): AlternativeView {
  const all = found.branches.get(candidate.id) ?? [];
  const branches = all.filter((row) => row.purpose === provingPurpose(found.run.config));
  const baseline = (found.branches.get(judged.rejectedId ?? judged.ownId ?? '') ?? []).filter(
    (row) => row.purpose === 'baseline',
  );
  return {
    ...actionView(candidate.message, found.scores.get(candidate.id) ?? null),
    candidateId: candidate.id,
    source: candidate.source,
    verdict: verdictView(found, branches, baseline),
    branches: all.map(branchView),
  };
}

/** The purpose of the branches that speak for an alternative. If no fresh ones are requested, the completions that correct a step count. */
function provingPurpose(config: RunConfig): BranchPurpose {
  return selectsFirstErrors(config) && verificationOf(config).rollouts === 1 ? 'resample' : 'verify';
}

/** Whether the judge named a step. If it named none, the last step says so. */
function isLocated(verdict: string | undefined): boolean {
  return verdict !== undefined && verdict !== 'no-error' && verdict !== 'unjudged';
}

function verdictView(found: Found, branches: Branch[], baseline: Branch[]): Verdict {
  if (branches.length === 0) return 'not-branched';
  const all = tally(branches.map(branchOutcome));
  if (all.rollouts === 0) return 'undecided';
  const verification = verificationOf(found.run.config);
  const { verdict } =
    verification.rollouts === 1
      ? verdictOn(all, tally([]), verification)
      : decisionOn(branches.map(numberedOutcome), baseline.map(numberedOutcome), verification);
  return verdict === 'accepted' ? 'verified' : verdict === 'rejected' ? 'not-verified' : 'undecided';
}

function branchView(row: Branch): BranchView {
  return {
    id: row.id,
    purpose: row.purpose,
    ending: row.ending,
    reward: row.reward,
    success: row.success,
    auditFlags: row.auditFlags,
    steps: row.steps - 1,
  };
}

function placeOfMessage(nodeId: string, message: AssistantMessage): string {
  return `${nodeId}/${canonicalJson(message as unknown as Json)}`;
}

/**
 * The executed actions, in the words of the message if they state them, otherwise as they were read. What a message seems to do may be part of
 * its thoughts, and not every one of several tool calls is executed.
 */
function executedText(
  { tool_calls: calls = [] }: AssistantMessage,
  written: string,
  executed: readonly Action[],
): string | null {
  if (executed.length === 0) return null;
  const read = executed.map(({ tool, arguments: given }) => `${tool} ${JSON.stringify(given)}`).join('\n');
  if (calls.length > 1) return calls.length === executed.length ? written : read;
  const { tool, arguments: given } = executed[0]!;
  const flat = (text: string) => text.replace(/\s+/g, ' ').trim();
  const parts = Object.values(given).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  const isSaid = (parts.length === 0 ? [tool] : parts).every((part) => flat(written).includes(flat(part)));
  return isSaid ? written : read;
}

/**
 * What the agent read after an action, and apart from it what a user said then. Of a new conversation, how long it is and how it ends; and the tools from
 * here on, if these changed.
 */
function observedView(before: State, { added, isRewritten, tools }: State): Pick<StepView, 'observation' | 'userSaid'> {
  const messages = added.slice(1);
  // Results come first: a message of the role `tool` for each call, or a single one of the role `user` that stands for all.
  const results = Math.max(1, messages.filter(({ role }) => role === 'tool').length);
  const said = isRewritten ? [] : messages.slice(results);
  const read = isRewritten
    ? `[a new conversation of ${messages.length} messages, which ends:]\n${messageText(messages.at(-1)!)}`
    : messages.slice(0, results).map(messageText).join('\n');
  const names = tools.map((tool) => tool.function.name).join(', ') || 'none';
  return {
    observation: isSameTools(tools, before.tools) ? read : `${read}\n[the tools from here on: ${names}]`,
    ...(said.length > 0 && { userSaid: said.map(messageText) }),
  };
}

/** A message's thought and action, separated if its format separates them. */
function actionView(message: AssistantMessage, score: number | null): ActionView {
  const { thought, action } = splitThought(message);
  const calls = action.tool_calls ?? [];
  const written = calls.map((call) => `${call.function.name} ${call.function.arguments}`).join('\n');
  return {
    thought: thought.replace(/^Thought:\s*/, ''),
    action: written || (action.content ?? '').replace(/^Action:\s*/, '').trim(),
    score,
  };
}
