/**
 * Trajectories that another agent made. Each is replayed in the environment, compared with the recording, and kept in the tree like any other. One
 * that does not replay is kept as `diverged`, and no method learns from it.
 */

import { randomUUID } from 'node:crypto';
import { outcomeAtLimit } from '../activities/acting/at-limit.ts';
import { firstState } from '../activities/acting/first-state.ts';
import { malformedBetween } from '../activities/acting/malformed.ts';
import { type StepTaken, takeStep } from '../activities/acting/turn.ts';
import type { AgentFormatName } from '../domain/action.ts';
import type { Details, Outcome } from '../domain/ending.ts';
import { requireText } from '../domain/images.ts';
import { type AssistantMessage, messageText } from '../domain/message.ts';
import { observationText } from '../domain/observation.ts';
import type { Environment } from '../environments/contract.ts';
import { EnvironmentRegistry } from '../environments/registry.ts';
import { SessionCache } from '../environments/sessions/session-cache.ts';
import { nobody } from '../environments/sessions/step-caller.ts';
import { CruxError } from '../errors.ts';
import { ClaimKeeper } from '../models/limits/claim-keeper.ts';
import { promptVersions } from '../models/prompts.ts';
import { inSeal } from '../sealing.ts';
import { importScope } from '../store/findings.ts';
import { contentHash } from '../store/hash.ts';
import type { Store } from '../store/store.ts';

const stepTimeLimitMs = 60_000;

export type RecordedTrajectory = {
  /** Where it was recorded: figures are given for each. */
  source: string;
  taskId: string;
  model: string;
  /** How its messages are written. */
  format: AgentFormatName;
  steps: RecordedStep[];
  /** Null if none was recorded that could be compared. */
  reward: number | null;
  /** Why the reward may be another here, if that is known. Default `other-reward`. */
  rewardCause?: string;
};

export type RecordedStep = {
  assistant: AssistantMessage;
  /** The texts that the agent read after the message, one a line; null if none was recorded. */
  observation: string | null;
};

/** How an observation differs from the recorded one; `tolerated` if both say the same. */
export type Difference = { cause: string; tolerated: boolean };

export type ImportedCounts = {
  recorded: number;
  /** Recorded for tasks that are in no split. */
  outsideSplits: number;
  /** Without a single step: such a one says nothing, and is no failure. */
  empty: number;
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

/** @param of the task, and the message that was answered */
export type Compare = (
  ours: string,
  recorded: string,
  of: { taskId: string; message: AssistantMessage },
) => Difference | null | Promise<Difference | null>;

/** @returns the counts of each source, in the order in which they appear */
export async function importTrajectories(
  store: Store,
  environment: Environment,
  recorded: readonly RecordedTrajectory[],
  compare: Compare,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Map<string, ImportedCounts>> {
  refuseUnreplayable(environment);
  const environments = new EnvironmentRegistry([environment]);
  const sessions = new SessionCache(store.tree, environments);
  const context = { store, environments, sessions };
  const known = new Set((await environments.tasks(environment.name)).map(({ id }) => id));
  const bySource = new Map<string, ImportedCounts>();
  const samples = new Map<string, number>();
  // As long as it is held, nobody takes states for garbage that no trajectory refers to yet.
  const claims = new ClaimKeeper(store.claims);
  const claim = [importScope(environment.name), randomUUID()] as const;
  await claims.take(...claim);
  try {
    for (const [index, trajectory] of recorded.entries()) {
      onProgress(index, recorded.length);
      const counts = bySource.get(trajectory.source) ?? noCounts();
      bySource.set(trajectory.source, counts);
      counts.recorded++;
      if (!known.has(trajectory.taskId)) counts.outsideSplits++;
      else if (trajectory.steps.length === 0) counts.empty++;
      else {
        const sample = samples.get(trajectory.taskId) ?? 0;
        samples.set(trajectory.taskId, sample + 1);
        await inSeal(environment.sealed ?? null, () =>
          replay(context, environment, trajectory, sample, compare, counts),
        );
      }
    }
    onProgress(recorded.length, recorded.length);
  } finally {
    await claims.release(...claim);
    await sessions.close();
  }
  return bySource;
}

/** @throws CruxError `User.Config` for an environment whose steps cost something, or read what no run keeps */
function refuseUnreplayable({ name, asks, maxStepCost, shared }: Environment): void {
  const refused = (why: string, member: string) =>
    new CruxError('User.Config', `Recorded trajectories of ${name} cannot be imported: a replay would ${why}.`, {
      remedy: `Have a run make trajectories of its own, or import into an environment without \`${member}\`.`,
    });
  if (asks?.length) throw refused('ask models, and no run pays for that', 'asks');
  if (maxStepCost) throw refused('take steps that cost money, and no run pays for that', 'maxStepCost');
  if (shared) throw refused('read the world outside again, which is another one by now', 'shared');
}

function noCounts(): ImportedCounts {
  return {
    recorded: 0,
    outsideSplits: 0,
    empty: 0,
    replayed: 0,
    succeeded: 0,
    failed: 0,
    diverged: {},
    tolerated: {},
    observations: 0,
  };
}

/** The sums of all sources. */
export function allCounts(bySource: ReadonlyMap<string, ImportedCounts>): ImportedCounts {
  const sum = noCounts();
  for (const counts of bySource.values()) {
    for (const [name, value] of Object.entries(counts)) {
      const field = name as keyof ImportedCounts;
      if (typeof value === 'number') (sum[field] as number) += value;
      else for (const [cause, count] of Object.entries(value)) add(sum[field] as Named, cause, count);
    }
  }
  return sum;
}

type Named = { [cause: string]: number };

function add(counts: Named, cause: string, count = 1): void {
  counts[cause] = (counts[cause] ?? 0) + count;
}

type ImportContext = { store: Store; environments: EnvironmentRegistry; sessions: SessionCache };

async function replay(
  context: ImportContext,
  environment: Environment,
  trajectory: RecordedTrajectory,
  sample: number,
  compare: Compare,
  counts: ImportedCounts,
): Promise<void> {
  const { store, environments } = context;
  const { id: taskId } = await environments.task(environment.name, trajectory.taskId);
  const where = { environment: environment.name, taskId, format: trajectory.format };
  const root = await firstState(context, where, AbortSignal.timeout(stepTimeLimitMs));
  const caller = { ...nobody, recordedBy: importScope(environment.name) };
  let state = root;
  let ended: StepTaken | null = null;
  let cause: string | null = null;
  for (const step of trajectory.steps) {
    if (ended) cause = 'ended-earlier';
    if (cause !== null) break;
    const what = `of a recorded step of task ${taskId}`;
    requireText(step.assistant.content ?? '', `The message ${what}`, 'User.Config');
    if (step.observation !== null) requireText(step.observation, `The observation ${what}`, 'User.Config');
    const taken = await takeStep(
      context,
      state,
      { message: step.assistant },
      { caller, reader: null, server: null, calls: 'all', hints: promptVersions.hint },
      AbortSignal.timeout(stepTimeLimitMs),
    );
    state = taken.state;
    if (taken.done) ended = taken;
    else if (taken.tool !== null && step.observation !== null) {
      counts.observations++;
      const difference = await compare(await observed(store, taken), step.observation, {
        taskId,
        message: step.assistant,
      });
      if (difference?.tolerated) add(counts.tolerated, difference.cause);
      else cause = difference?.cause ?? null;
    }
  }
  // Nothing was done: most often its messages are in another form than the environment reads.
  if (state.actions.length === 0) cause ??= 'no-action';
  let outcome: Outcome = { ending: 'diverged', reward: null, success: null };
  let details: Details | null = null;
  if (cause === null) {
    const reached = ended ?? (await outcomeAtLimit(context, state, caller, AbortSignal.timeout(stepTimeLimitMs)));
    const { reward, success } = reached;
    if (isOther(trajectory.reward, reward)) cause = trajectory.rewardCause ?? 'other-reward';
    else outcome = { ending: ended ? 'submitted' : 'step-limit', reward, success };
    details = reached.details;
  }
  await store.findings.addTrajectory({
    runId: importScope(environment.name),
    id: contentHash(['imported', environment.name, trajectory.model, taskId, sample, state.id]),
    taskId,
    sample,
    origin: 'imported',
    model: trajectory.model,
    rootId: root.id,
    leafId: state.id,
    steps: state.step,
    environmentSteps: state.actions.length,
    malformed: await malformedBetween(store.tree, root, state.id),
    ...outcome,
    confirmed: null,
    auditFlags: null,
    details: cause === null ? details : { difference: cause },
  });
  if (cause !== null) add(counts.diverged, cause);
  else counts.replayed++;
  if (outcome.success === true) counts.succeeded++;
  if (outcome.success === false) counts.failed++;
}

const isOther = (recorded: number | null, ours: number | null) =>
  recorded !== null && ours !== null && Math.abs(recorded - ours) > 1e-9;

/** What the environment answered: its own words where one call was made, else what the agent reads of all. */
async function observed(store: Store, { state }: StepTaken): Promise<string> {
  const isOneCall = state.executed.length === 1 && (state.assistant?.tool_calls ?? []).length <= 1;
  if (isOneCall) return observationText((await store.tree.transition(state.stateKey))!.observation);
  return state.added.slice(1).map(messageText).join('\n');
}
