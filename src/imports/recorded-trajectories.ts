/**
 * Trajectories that another agent made. Each is replayed in the environment, compared with the recording, and kept in the tree like any other. One
 * that does not replay is kept as `diverged`, and no method learns from it.
 */

import { firstState } from '../activities/acting/first-state.ts';
import { malformedBetween } from '../activities/acting/malformed.ts';
import { takeStep } from '../activities/acting/turn.ts';
import { recordedFormat } from '../domain/action.ts';
import type { Details, Outcome } from '../domain/ending.ts';
import { requireText } from '../domain/images.ts';
import type { AssistantMessage } from '../domain/message.ts';
import { observationText } from '../domain/observation.ts';
import type { Environment } from '../environments/contract.ts';
import { EnvironmentRegistry } from '../environments/registry.ts';
import { SessionCache } from '../environments/sessions/session-cache.ts';
import { nobody } from '../environments/sessions/step-caller.ts';
import { CruxError } from '../errors.ts';
import { promptVersions } from '../models/prompts.ts';
import { importScope } from '../store/findings.ts';
import { contentHash } from '../store/hash.ts';
import type { Store } from '../store/store.ts';
import type { State } from '../store/tree.ts';

const stepTimeLimitMs = 60_000;

export type RecordedTrajectory = {
  taskId: string;
  model: string;
  steps: { assistant: AssistantMessage; observation: string }[];
  /** Null if the recorded run never submitted. */
  reward: number | null;
};

/** How an observation differs from the recorded one; `tolerated` if both say the same. */
export type Difference = { cause: string; tolerated: boolean };

export type ImportedCounts = {
  recorded: number;
  /** Recorded for tasks that are in no split. */
  outsideSplits: number;
  replayed: number;
  succeeded: number;
  /** Failures that replay: the input of a run with `--trajectories imported`. */
  failed: number;
  /** Trajectories that do not replay, by the cause of the first difference. */
  diverged: { [cause: string]: number };
  /** Observations that differ and yet say the same, by cause. */
  tolerated: { [cause: string]: number };
  observations: number;
};

export type Compare = (ours: string, recorded: string, message: AssistantMessage) => Difference | null;

export async function importTrajectories(
  store: Store,
  environment: Environment,
  recorded: readonly RecordedTrajectory[],
  compare: Compare,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<ImportedCounts> {
  if (environment.asks?.length)
    throw new CruxError(
      'User.Config',
      `Recorded trajectories of ${environment.name} cannot be imported: a replay would ask models, and no run pays for that.`,
    );
  const environments = new EnvironmentRegistry([environment]);
  const sessions = new SessionCache(store.tree, environments);
  const known = new Set((await environments.tasks(environment.name)).map(({ id }) => id));
  const counts: ImportedCounts = {
    recorded: recorded.length,
    outsideSplits: 0,
    replayed: 0,
    succeeded: 0,
    failed: 0,
    diverged: {},
    tolerated: {},
    observations: 0,
  };
  const samples = new Map<string, number>();
  try {
    for (const [index, trajectory] of recorded.entries()) {
      onProgress(index, recorded.length);
      if (!known.has(trajectory.taskId)) {
        counts.outsideSplits++;
        continue;
      }
      const sample = samples.get(trajectory.taskId) ?? 0;
      samples.set(trajectory.taskId, sample + 1);
      const { outcome, cause } = await replay(
        store,
        environments,
        sessions,
        environment,
        trajectory,
        sample,
        compare,
        counts,
      );
      if (cause !== null) counts.diverged[cause] = (counts.diverged[cause] ?? 0) + 1;
      else counts.replayed++;
      if (outcome.success === true) counts.succeeded++;
      if (outcome.success === false) counts.failed++;
    }
    onProgress(recorded.length, recorded.length);
  } finally {
    await sessions.close();
  }
  return counts;
}

async function replay(
  store: Store,
  environments: EnvironmentRegistry,
  sessions: SessionCache,
  environment: Environment,
  trajectory: RecordedTrajectory,
  sample: number,
  compare: Compare,
  counts: ImportedCounts,
): Promise<{ outcome: Outcome; cause: string | null }> {
  const task = await environments.task(environment.name, trajectory.taskId);
  const context = { store, environments, sessions };
  const where = { environment: environment.name, taskId: task.id, format: recordedFormat };
  const root = await firstState(context, where, AbortSignal.timeout(stepTimeLimitMs));
  const scope = importScope(environment.name);
  let state: State = root;
  let outcome: Outcome = { ending: 'step-limit', reward: 0, success: false };
  let cause: string | null = null;
  let details: Details | null = null;
  for (const step of trajectory.steps) {
    const where = `of a recorded step of task ${task.id}`;
    requireText(step.assistant.content ?? '', `The message ${where}`, 'User.Config');
    requireText(step.observation, `The observation ${where}`, 'User.Config');
    const taken = await takeStep(
      context,
      state,
      { message: step.assistant },
      {
        caller: { ...nobody, recordedBy: scope },
        reader: null,
        server: null,
        calls: 'all',
        hints: promptVersions.hint,
      },
      AbortSignal.timeout(stepTimeLimitMs),
    );
    const observed = taken.tool === null ? null : (await store.tree.transition(taken.state.stateKey))!.observation;
    state = taken.state;
    if (taken.done) {
      outcome = { ending: 'submitted', reward: taken.reward, success: taken.success };
      details = taken.details;
      if (trajectory.reward !== null && taken.reward !== null && Math.abs(trajectory.reward - taken.reward) > 1e-9)
        cause = 'other-reward';
      break;
    }
    if (observed === null) continue;
    counts.observations++;
    const difference = compare(observationText(observed), step.observation, step.assistant);
    if (difference?.tolerated) counts.tolerated[difference.cause] = (counts.tolerated[difference.cause] ?? 0) + 1;
    else if (difference) {
      cause = difference.cause;
      break;
    }
  }
  if (cause !== null) outcome = { ending: 'diverged', reward: null, success: null };
  await store.findings.addTrajectory({
    runId: scope,
    id: contentHash(['imported', environment.name, trajectory.model, task.id, sample, state.id]),
    taskId: task.id,
    sample,
    origin: 'imported',
    model: trajectory.model,
    rootId: root.id,
    leafId: state.id,
    steps: state.step,
    environmentSteps: state.actions.length,
    malformed: await malformedBetween(store.tree, root, state.id),
    ending: outcome.ending,
    reward: outcome.reward,
    success: outcome.success,
    confirmed: null,
    auditFlags: null,
    details: cause === null ? details : { difference: cause },
  });
  return { outcome, cause };
}
