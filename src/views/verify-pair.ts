/**
 * Checks the certificate of a pair again, offline: by content hashes, and in the environment, by the rule by which its state was restored. No model
 * is asked. If it was restored by replay, every branch is replayed and compared. If it was restored from a snapshot or from its recording, nothing
 * is replayed: the snapshot is opened and compared, or a session is told the recording; and the records after it must be what the conversations
 * say, and give the outcome of the certificate.
 */

import type { Action } from '../domain/action.ts';
import { branchOutcome } from '../domain/branch.ts';
import type { Json } from '../domain/canonical-json.ts';
import { isAtLimit } from '../domain/ending.ts';
import { messageText } from '../domain/message.ts';
import { isBetterBy, valueAtBest } from '../domain/methods/rro-rule.ts';
import { isApart, meanScore } from '../domain/methods/step-dpo-rule.ts';
import { observationTexts } from '../domain/observation.ts';
import { readObservation } from '../domain/observation-limit.ts';
import type { Certificate, CertifiedBranch, RecordedPair } from '../domain/pairs/pair.ts';
import { lastingVerdict, tally, verdictOn } from '../domain/pairs/verification.ts';
import { verificationOf } from '../domain/run/run-config.ts';
import type { BranchResult } from '../domain/wire/branch.ts';
import { openAnswered } from '../environments/answered-session.ts';
import type { Environment } from '../environments/contract.ts';
import { requireOpening } from '../environments/first-state.ts';
import { observedDifference } from '../environments/observed.ts';
import { nothingReached, outcomeFrom } from '../environments/outcome.ts';
import type { EnvironmentRegistry } from '../environments/registry.ts';
import { type AnswerQuestion, noAnswers } from '../environments/session-context.ts';
import { tellRecorded } from '../environments/sessions/recall.ts';
import { isSameState, stateOf } from '../environments/state-mark.ts';
import { errorText } from '../errors.ts';
import { readFirstError } from '../models/answers/first-error.ts';
import { promptsOf } from '../models/prompts.ts';
import { answeredAtOpening } from '../models/session-questions.ts';
import { drawnSteps } from '../store/drawn-steps.ts';
import { contentHash } from '../store/hash.ts';
import { outcomeAtLimitOf } from '../store/outcome-at-limit.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { isIntact, type RecordedOutcome, type State, type Transition } from '../store/tree.ts';
import { anchoredReturn, anchoredValues } from './verify-anchor.ts';
import { auditAgain, branchLabel } from './verify-audit.ts';

export type PairCheck = {
  pairId: string;
  ok: boolean;
  /** Observations that were made again and compared. */
  comparedObservations: number;
  /** How the state was restored, according to the certificate. */
  restoredBy: Certificate['restore']['method'];
  /** Snapshots that were opened and compared. */
  openedSnapshots: number;
  /** Recorded steps that a session was told to restore the state. */
  recalledSteps: number;
  /** Successes that the environment's audit looked at again. */
  auditedSuccesses: number;
  /** What does not hold; empty if the certificate stands. */
  problems: string[];
};

export async function verifyPair(
  store: Store,
  environments: EnvironmentRegistry,
  row: RecordedPair,
): Promise<PairCheck> {
  const certificate = row.certificate;
  const problems: string[] = [];
  const { method } = certificate.restore;
  let [comparedObservations, openedSnapshots, recalledSteps, auditedSuccesses] = [0, 0, 0, 0];
  try {
    const environment = environments.get(certificate.environment.name);
    if (environment.version !== certificate.environment.version) {
      problems.push(
        `The environment has version ${environment.version}; the pair was made with ${certificate.environment.version}.`,
      );
    }
    problems.push(...(await wrongHashes(store, row, certificate)));
    const run = await store.runs.get(row.runId);
    if (method === 'snapshot') {
      const restored = await restoreSnapshot(store, environment, environments, certificate);
      openedSnapshots += restored.opened;
      problems.push(...restored.problems);
    }
    if (method === 'recording') recalledSteps += await restoreRecording(store, environment, environments, certificate);
    for (const branch of certificate.branches) {
      const label = branchLabel(branch);
      const leaf = await store.tree.state(branch.leafNodeId);
      if (!(await startsWhereItMust(store, environment, certificate, branch, leaf))) {
        problems.push(`${label} does not start in the pair's state.`);
        continue;
      }
      const checked =
        method === 'replay'
          ? await replayBranch(store, environment, environments, certificate, branch, leaf, label)
          : { compared: 0, problems: await recordedProblems(store, run, branch, leaf, label) };
      comparedObservations += checked.compared;
      problems.push(...checked.problems);
    }
    problems.push(...(await wrongVerdict(store, environment, row, certificate)));
    const again = await auditAgain(store, environment, environments, certificate);
    auditedSuccesses = again.audited;
    problems.push(...again.problems);
  } catch (error) {
    problems.push(errorText(error));
  }
  const ok = problems.length === 0;
  const counts = { comparedObservations, openedSnapshots, recalledSteps, auditedSuccesses };
  return { pairId: row.id, ok, restoredBy: method, ...counts, problems };
}

/** Ids are content hashes: the stored content must give them. */
async function wrongHashes(store: Store, row: RecordedPair, certificate: Certificate): Promise<string[]> {
  const problems: string[] = [];
  for (const side of ['chosen', 'rejected'] as const) {
    const { candidateId, message } = certificate[side];
    const id = (part: 'own' | 'proposed') =>
      contentHash(['candidate', part, certificate.nodeId, message as unknown as Json]);
    if (candidateId !== id('own') && candidateId !== id('proposed')) {
      problems.push(`The ${side} action is not the one that its id stands for.`);
    }
  }
  const { nodeId, chosen, rejected, leaves } = certificate;
  const sides = leaves ? [leaves.chosen, leaves.rejected] : [chosen.candidateId, rejected.candidateId];
  if (contentHash(['pair', nodeId, ...sides]) !== row.id) {
    problems.push('State and actions are not the ones that the pair id stands for.');
  }
  const ends = leaves ? [leaves.chosen, leaves.rejected] : [nodeId];
  const states = (await Promise.all(ends.map((id) => store.tree.path(id)))).flat();
  for (const state of new Set(states)) {
    const parent = state.parentId === null ? null : await store.tree.state(state.parentId);
    if (!isIntact(state, parent)) problems.push(`The stored state ${state.id} is not what its id stands for.`);
  }
  return problems;
}

/** A branch that shows that an outcome lasts starts anew. A trajectory of anchor passes the pair's state. Every other branch starts in it. */
async function startsWhereItMust(
  store: Store,
  environment: Environment,
  certificate: Certificate,
  branch: CertifiedBranch,
  leaf: State,
): Promise<boolean> {
  const { method, verification, nodeId } = certificate;
  if (method === 'anchor' && branch.purpose === 'explore')
    return (await anchoredReturn(store, environment, certificate, branch)) !== null;
  const isFresh = verification.rule === 'lasting' && branch.purpose === 'baseline';
  return descendsFrom(store, leaf, isFresh ? leaf.rootId : nodeId);
}

const unanswered = noAnswers('A session asks a model, and no run pays for that when a pair is verified.');

/** What a session asks when it opens is answered as it was in the run. */
async function asThen({ runs, journal, tree }: Store, runId: string, { rootId }: State): Promise<AnswerQuestion> {
  return answeredAtOpening(journal, await runs.get(runId), await tree.state(rootId));
}

/** Purposes of whole trajectories, which were not branched from a state. */
const wholeWays: readonly string[] = ['demonstrate', 'explore'];

function wasRestored(state: State, branches: CertifiedBranch[]): boolean {
  return state.actions.length > 0 && branches.some(({ purpose }) => !wholeWays.includes(purpose));
}

/**
 * Opens the pair's state as its branches did. A task's first state has no snapshot, and whole trajectories were not restored at all.
 * @returns how many snapshots were opened
 */
async function restoreSnapshot(
  store: Store,
  environment: Environment,
  environments: EnvironmentRegistry,
  { runId, nodeId, task, branches }: Certificate,
): Promise<{ opened: number; problems: string[] }> {
  const state = await store.tree.state(nodeId);
  if (!wasRestored(state, branches)) return { opened: 0, problems: [] };
  const snapshot = await store.tree.snapshot(state.stateKey);
  if (snapshot === undefined)
    return { opened: 0, problems: ["The snapshot of the pair's state is no longer in the store."] };
  const opened = await environments.task(environment.name, task.id);
  const session = await openAnswered(environment, opened, await asThen(store, runId, state), snapshot);
  try {
    const recorded = (await store.tree.transition(state.stateKey))?.mark ?? null;
    const now = await stateOf({ observesAll: true }, session);
    const problems = isSameState(recorded, now)
      ? []
      : ['The snapshot now opens in another state than the recorded one.'];
    return { opened: 1, problems };
  } finally {
    await session.close?.();
  }
}

/**
 * Tells a session the recorded steps to the pair's state, as its branches did. Whole trajectories, and branches from a task's first state, were
 * told nothing.
 * @returns how many steps it was told
 * @throws CruxError if a step is no longer recorded, or the session is in another state afterwards
 */
async function restoreRecording(
  store: Store,
  environment: Environment,
  environments: EnvironmentRegistry,
  { runId, nodeId, task, branches }: Certificate,
): Promise<number> {
  const state = await store.tree.state(nodeId);
  if (!wasRestored(state, branches)) return 0;
  const opened = await environments.task(environment.name, task.id);
  const session = await openAnswered(environment, opened, await asThen(store, runId, state));
  try {
    await requireOpening(environment, opened, session, await store.tree.state(state.rootId));
    await tellRecorded(store.tree, environment, session, state);
    return state.actions.length;
  } finally {
    await session.close?.();
  }
}

/** What cannot be reproduced must be recorded as its conversation shows it, and its outcome must equal the one recorded with the last step. */
async function recordedProblems(
  store: Store,
  { id: runId, config: { observationLimit } }: Run,
  branch: CertifiedBranch,
  leaf: State,
  label: string,
): Promise<string[]> {
  const steps = await Promise.all(leaf.actionKeys.map((key) => store.tree.transition(key)));
  const missing = steps.indexOf(null);
  if (missing >= 0) return [`${label}: action ${missing + 1} is no longer recorded.`];
  const shownIn = (await store.tree.path(leaf.id)).flatMap((state) => state.executed.map(() => state));
  const other = shownIn.findIndex((state, index) => {
    const isReplaced = state.isRewritten && shownIn[index + 1] === state;
    return !isReplaced && !shows(state, steps[index]!, observationLimit);
  });
  if (other >= 0)
    return [`${label}: action ${other + 1} is recorded with another observation than its conversation shows.`];
  const last = steps.at(-1);
  if (branch.ending !== 'submitted')
    return last?.done
      ? [`${label} was recorded as ${branch.ending}, and its last step ended the task.`]
      : limitProblems(label, branch, await outcomeAtLimitOf(store, runId, branch, leaf));
  if (!last?.done) return [`${label}: no recorded step ended the task.`];
  return last.success === branch.success && last.reward === branch.reward
    ? []
    : [`${label}: reward ${last.reward} is recorded with its last step, ${branch.reward} in the certificate.`];
}

/** Whether the messages after a step hold the recorded observation, whole or as much of it as models read. */
function shows({ added }: State, { observation }: Transition, limit: number | null | undefined): boolean {
  const read = added.slice(1).map(messageText).join('\n');
  return observationTexts(observation).every(
    (text) => read.includes(text) || read.includes(readObservation(text, limit).text),
  );
}

async function replayBranch(
  store: Store,
  environment: Environment,
  environments: EnvironmentRegistry,
  certificate: Certificate,
  branch: CertifiedBranch,
  leaf: State,
  label: string,
): Promise<{ compared: number; problems: string[] }> {
  const task = await environments.task(environment.name, certificate.task.id);
  const session = await openAnswered(environment, task, unanswered);
  const signal = AbortSignal.timeout(120_000);
  // One that was found to be coincidental then counted as no success, or as a reward in a value.
  const wasCoincidental = (await store.findings.branch(certificate.runId, branch.branchId))?.confirmed === false;
  const whyUnconfirmed = () =>
    wasCoincidental ? [] : unconfirmed(environment, task, branch, leaf.actions, label, signal);
  let compared = 0;
  try {
    await requireOpening(environment, task, session, await store.tree.state(leaf.rootId));
    for (const [index, action] of leaf.actions.entries()) {
      const now = await session.step(action, signal);
      const recorded = await store.tree.transition(leaf.actionKeys[index]!);
      compared++;
      const difference = recorded && observedDifference(recorded, now);
      if (difference) return { compared, problems: [`${label}: action ${index + 1} now gives ${difference}.`] };
      const state = now.done ? null : await stateOf({ observesAll: true }, session);
      if (recorded && !isSameState(recorded.mark, state))
        return { compared, problems: [`${label}: action ${index + 1} now leads to another state.`] };
      if (now.done) {
        const problems = outcomeProblems(environment, label, branch, now.reward ?? null, now.success);
        return { compared, problems: [...problems, ...(await whyUnconfirmed())] };
      }
    }
    if (branch.ending === 'submitted') return { compared, problems: [`${label} no longer ends.`] };
    const reached = session.outcome ? outcomeFrom(environment, await session.outcome()) : null;
    return { compared, problems: [...limitProblems(label, branch, reached), ...(await whyUnconfirmed())] };
  } finally {
    await session.close?.();
  }
}

/** @param reached what the environment says was reached at a limit; null if it says nothing, which is a failure */
function limitProblems(label: string, branch: CertifiedBranch, reached: RecordedOutcome | null): string[] {
  if (!isAtLimit(branch.ending)) return [];
  const { reward, success } = reached ?? nothingReached;
  return success === branch.success && reward === branch.reward
    ? []
    : [`${label}: reward ${reward} at the limit now, ${branch.reward} when it was recorded.`];
}

function outcomeProblems(
  environment: Environment,
  label: string,
  branch: CertifiedBranch,
  reward: number | null,
  flag?: boolean,
): string[] {
  const success = flag ?? (reward !== null && reward >= environment.successAt);
  if (branch.ending !== 'submitted') return [`${label} was recorded as ${branch.ending}, and now ends by itself.`];
  return success === branch.success && reward === branch.reward
    ? []
    : [`${label}: reward ${reward} now, ${branch.reward} when it was recorded.`];
}

async function unconfirmed(
  environment: Environment,
  task: Parameters<Environment['open']>[0],
  branch: CertifiedBranch,
  actions: Action[],
  label: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (!branch.success || branch.side !== 'chosen' || !environment.confirm) return [];
  const { confirmed, reason } = await environment.confirm(task, actions, signal);
  return confirmed ? [] : [`${label}: the success does not hold on variants of the data (${reason}).`];
}

/** Step-DPO's pairs rest on the PRM's single scores, which are stored; under `sound` also on branches. */
async function wrongScores(
  store: Store,
  row: RecordedPair,
  { chosen, rejected, thresholds }: Certificate,
): Promise<string[]> {
  const problems: string[] = [];
  for (const [side, { candidateId, score }] of Object.entries({ chosen, rejected })) {
    const stored = await store.findings.score(row.runId, candidateId, 'score');
    const mean = stored && meanScore(stored.samples);
    if (mean !== score)
      problems.push(`The stored scores of the ${side} action do not give the one of the certificate.`);
  }
  const isPair =
    chosen.score !== null && rejected.score !== null && isApart(chosen.score, rejected.score, thresholds.gap!);
  return isPair ? problems : [...problems, 'The scores are not far enough apart for a pair.'];
}

/** The step must be the one that the judge's last answer names, which is stored. */
async function wrongLocation(store: Store, row: RecordedPair, { step }: Certificate): Promise<string[]> {
  const trajectory = await store.findings.trajectory(row.runId, row.trajectoryId);
  const answers = trajectory ? await store.journal.inState(row.runId, trajectory.leafId, ['locate']) : [];
  const last = answers.toSorted((one, other) => one.ask - other.ask).at(-1);
  const { judge } = promptsOf((await store.runs.get(row.runId)).config);
  const named = last && readFirstError(last.message.content ?? '', trajectory!.steps, judge);
  return named === step ? [] : ["The stored answer of the judge does not name the pair's step."];
}

/** How a pair was selected before any rollout, by the verdict on its step. Under other verdicts branches alone decide. */
const selections: { [verdict: string]: typeof wrongScores } = { preference: wrongScores, corrected: wrongLocation };

/** Applies the rule once more to the recorded branches. */
async function wrongVerdict(
  store: Store,
  environment: Environment,
  row: RecordedPair,
  certificate: Certificate,
): Promise<string[]> {
  const { config } = await store.runs.get(row.runId);
  const step = await store.findings.step(row.runId, row.trajectoryId, row.step);
  if (!step) return ["The pair's step is no longer in the store."];
  const problems = (await selections[step.verdict]?.(store, row, certificate)) ?? [];
  if (problems.length > 0) return problems;
  if (certificate.verification.rule === 'none') return [];
  if (certificate.method === 'anchor' && certificate.verification.rule === 'values')
    return wrongValues(certificate, await anchoredValues(store, environment, certificate));
  if (certificate.verification.outcomes) {
    const wrong = wrongOutcomes(certificate);
    if (wrong.length > 0 || certificate.verification.rule === 'outcome') return wrong;
    if (certificate.verification.rule === 'lasting') return wrongLasting(store, row, certificate);
  }
  const rows = (await store.findings.branchesAt(row.runId, certificate.nodeId)).filter((branch) =>
    certificate.branches.some(({ branchId }) => branchId === branch.id),
  );
  const of = (side: 'chosen' | 'rejected') =>
    rows
      .filter(({ purpose }) => purpose !== 'contrast')
      .filter((branch) => certificate.branches.find(({ branchId }) => branchId === branch.id)?.side === side)
      .map(branchOutcome);
  const planned = config.method === 'rro' ? config.options.rollouts : 0;
  if (certificate.verification.rule === 'values')
    return wrongValues(certificate, await valuesOf(store, certificate, of, planned));
  const { verdict } = verdictOn(tally(of('chosen')), tally(of('rejected')), verificationOf(config));
  return verdict === 'accepted' ? [] : ['The recorded branches do not verify the alternative.'];
}

/** The final rewards of two continuations, which the replay has checked, must differ in favour of the chosen one. */
function wrongOutcomes({ branches, verification, thresholds }: Certificate): string[] {
  const ends = branches.filter(
    ({ purpose }) => purpose === 'demonstrate' || purpose === 'explore' || purpose === 'contrast',
  );
  const [chosen, rejected] = (['chosen', 'rejected'] as const).map(
    (side) => ends.find((end) => end.side === side)?.reward,
  );
  const { outcomes, rule } = verification;
  if (chosen !== outcomes?.chosen || rejected !== outcomes?.rejected)
    return ['The recorded trajectories do not have the final rewards of the certificate.'];
  const gap = rule === 'values' || rule === 'posterior' ? (thresholds.gap ?? 0) : 0;
  return chosen! - rejected! > gap ? [] : ['The final rewards do not prefer the chosen side.'];
}

async function wrongLasting(store: Store, row: RecordedPair, certificate: Certificate): Promise<string[]> {
  const { config } = await store.runs.get(row.runId);
  if (config.method !== 'eto' && config.method !== 'ipr') return ['The run is of a method without this rule.'];
  const { rootId } = await store.tree.state(certificate.nodeId);
  const fresh = (await store.findings.branchesAt(row.runId, rootId)).filter(
    ({ purpose, candidateId }) => purpose === 'baseline' && candidateId === '',
  );
  const policyLost = certificate.chosen.source === 'expert';
  const { verdict } = lastingVerdict(tally(fresh.map(branchOutcome)), policyLost, config.options);
  return verdict === 'accepted' ? [] : ['The fresh trajectories do not bear the outcome out.'];
}

type Values = { chosen: number | null; rejected: number | null };

/** The values of the two actions by stored rows: from their rollouts, or from the outcome of an action that ends the task and so has none. */
async function valuesOf(
  store: Store,
  certificate: Certificate,
  rolloutsOf: (side: 'chosen' | 'rejected') => BranchResult[],
  planned: number,
): Promise<Values> {
  const state = await store.tree.state(certificate.nodeId);
  const run = await store.runs.get(certificate.runId);
  const { sample = 0 } = (await store.findings.trajectory(run.id, certificate.trajectoryId)) ?? {};
  const worthOf = async (side: 'chosen' | 'rejected'): Promise<number | null> => {
    const rollouts = rolloutsOf(side);
    if (rollouts.length > 0) return valueAtBest(rollouts, planned);
    const whole = certificate.branches.find((branch) => branch.side === side && endsAtOnce(branch));
    if (whole) return whole.reward;
    const candidate = await store.findings.candidate(certificate.runId, certificate[side].candidateId);
    const steps = await drawnSteps(store.tree, run.config, state, candidate, sample);
    const ended = steps.at(-1)?.transition;
    return ended?.done ? ended.reward : null;
  };
  return { chosen: await worthOf('chosen'), rejected: await worthOf('rejected') };
}

/** Under IPR a continuation that ends after one step is itself the value of its action. */
function endsAtOnce({ purpose, steps }: CertifiedBranch): boolean {
  return (purpose === 'contrast' || purpose === 'demonstrate') && steps === 0;
}

/** Every comparison must hold. One with a missing or unknown value does not. */
function wrongValues({ verification, thresholds }: Certificate, stored: Values): string[] {
  const { values } = verification;
  const isEqual = (stated: number | undefined, value: number | null) =>
    typeof stated === 'number' && value !== null && Math.abs(stated - value) <= 1e-9;
  if (!isEqual(values?.chosen, stored.chosen) || !isEqual(values?.rejected, stored.rejected))
    return ['The recorded rollouts do not give the values of the certificate.'];
  return isBetterBy(stored.chosen!, stored.rejected!, thresholds.gap ?? 0)
    ? []
    : ['The values do not prefer the chosen side by more than the gap.'];
}

async function descendsFrom(store: Store, leaf: State, nodeId: string): Promise<boolean> {
  let state = leaf;
  while (state.id !== nodeId && state.parentId !== null) state = await store.tree.state(state.parentId);
  return state.id === nodeId;
}
