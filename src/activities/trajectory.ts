/** Activities that make environment steps and record the results of a trajectory. */

import { isFlagged } from '../domain/audit-flags.ts';
import { isAtLimit } from '../domain/ending.ts';
import { methods } from '../domain/methods/index.ts';
import { isStepByStep } from '../domain/run/run-config.ts';
import { endedIn, exploredIn } from '../domain/stream.ts';
import type { Trajectory } from '../domain/trajectory.ts';
import type { OpenedTask, OpenTaskInput, RecordTrajectoryInput, TrajectorySummary } from '../domain/wire/trajectory.ts';
import type { StepInput, StepResult } from '../domain/wire/turn.ts';
import { isCostly } from '../environments/contract.ts';
import { admitRun } from '../models/limits/admit-run.ts';
import { importScope } from '../store/findings.ts';
import type { Run, RunTask } from '../store/runs.ts';
import { outcomeAtLimit } from './acting/at-limit.ts';
import { auditSuccess } from './acting/audit-success.ts';
import { confirmed, confirmTrajectory } from './acting/confirm.ts';
import { exploreTask } from './acting/explore.ts';
import { firstStateOf } from './acting/first-state.ts';
import { holdingSession } from './acting/holding-session.ts';
import { malformedBetween } from './acting/malformed.ts';
import { type Explorer, type OwnTrajectory, ownActivity } from './acting/own-trajectory.ts';
import { trajectoryId } from './acting/trajectory-id.ts';
import { callerOf, takerOf, takeStep } from './acting/turn.ts';
import { constructTask } from './methods/rro-construct.ts';
import type { ActivityContext } from './runtime/context.ts';

export function trajectoryActivities(context: ActivityContext) {
  const { store, environments } = context;

  /** Opens a task of a run: stores its first state, and makes its trajectory from there, or finds the one that was recorded for it. */
  async function openTask(
    { runId, position, explore = false, isCancelled = false }: OpenTaskInput,
    signal: AbortSignal,
    explorer: Explorer = ownActivity,
  ): Promise<OpenedTask> {
    const run = await store.runs.get(runId);
    const runTask = await store.runs.task(runId, position);
    // A run that is not cancelled itself would let the trajectory go on.
    const mayMake = explore && (!isCancelled || run.state === 'cancelled');
    const isMade = mayMake && runTask.importedId === null && !isStepByStep(run.config.granularity);
    const open = () => openedTask(run, runTask, isMade ? explorer : null, signal);
    // What is explored keeps the session in which its task was opened. What is constructed holds one for each step of a draw, and for each rollout.
    const isExplored = isMade && methods[run.config.method].trajectory === 'explored';
    return isExplored ? holdingSession(context, run.environment, signal, open) : open();
  }

  /** @param explorer for whom the trajectory is made; null if it is not */
  async function openedTask(
    run: Run,
    runTask: RunTask,
    explorer: Explorer | null,
    signal: AbortSignal,
  ): Promise<OpenedTask> {
    const task = await environments.task(run.environment, runTask.taskId);
    const { purpose } = exploredIn(run.config.method, runTask.sample);
    const root = await firstStateOf(context, run, task.id, purpose, signal);
    return {
      taskId: task.id,
      title: task.title,
      environment: run.environment,
      sample: runTask.sample,
      seed: run.seed,
      rootId: root.id,
      trajectoryId: runTask.importedId ?? trajectoryId(run, task.id, runTask.sample),
      stepLimit: run.config.stepLimit,
      granularity: run.config.granularity,
      wholeSteps: !isCostly(environments.get(run.environment)),
      parallel: run.config.parallel,
      options: run.config.options,
      imported: runTask.importedId === null ? null : await adoptImported(run, runTask.importedId, signal),
      ...(explorer && (await madeFrom({ run, task: runTask, root, record: recordTrajectory, signal, explorer }))),
    };
  }

  async function madeFrom(own: OwnTrajectory): Promise<Pick<OpenedTask, 'explored' | 'constructed'>> {
    const isConstructed = methods[own.run.config.method].trajectory === 'constructed';
    return isConstructed
      ? { constructed: await constructTask(context, own) }
      : { explored: await exploreTask(context, own) };
  }

  /** A recorded trajectory becomes one of the run, so that everything about the run is found under its id. */
  async function adoptImported(run: Run, id: string, signal: AbortSignal): Promise<TrajectorySummary> {
    const known = await store.findings.trajectory(run.id, id);
    if (known) return trajectorySummary(known);
    const row = await store.findings.trajectory(importScope(run.environment), id);
    if (!row) throw new Error(`The imported trajectory ${id} is no longer in the store.`);
    const leaf = await store.tree.state(row.leafId);
    const confirmation = await confirmTrajectory(context, run, leaf, row, signal);
    const auditFlags = await auditSuccess(context, run, leaf, row, signal);
    const adopted = { ...row, runId: run.id, ...confirmed(confirmation, row.details), auditFlags };
    await store.findings.addTrajectory(adopted);
    return trajectorySummary(adopted);
  }

  /** Takes the action of a journaled answer. Idempotent: it returns the transition that is recorded. */
  async function environmentStep({ runId, nodeId, answerKey }: StepInput, signal: AbortSignal): Promise<StepResult> {
    const run = await store.runs.get(runId);
    admitRun(run);
    const answer = await store.journal.read([runId, ...run.reuse], answerKey);
    if (!answer) throw new Error(`The journal of run ${runId} has no answer ${answerKey}.`);
    const state = await store.tree.state(nodeId);
    const taken = await takeStep(context, state, answer, takerOf(run, answer), signal);
    const { done, reward, success } = taken;
    const holder = isCostly(environments.get(state.environment)) && !done ? context.holderQueue : null;
    return { nodeId: taken.state.id, step: taken.state.step, done, reward, success, holder };
  }

  async function recordTrajectory(input: RecordTrajectoryInput, signal: AbortSignal): Promise<TrajectorySummary> {
    const run = await store.runs.get(input.runId);
    const { taskId, sample } = await store.runs.task(input.runId, input.position);
    const leaf = await store.tree.state(input.leafId);
    const ended = isAtLimit(input.ending)
      ? await outcomeAtLimit(context, leaf, callerOf(run, endedIn(run.config.method, sample)), signal)
      : { ...input, details: (await store.tree.transition(leaf.stateKey))?.details ?? null };
    const auditFlags = await auditSuccess(context, run, leaf, ended, signal);
    const confirmation = await confirmTrajectory(context, run, leaf, ended, signal);
    const details = input.fault === null ? ended.details : { fault: input.fault };
    const row: Trajectory = {
      runId: run.id,
      id: trajectoryId(run, taskId, sample),
      taskId,
      sample,
      origin: 'policy',
      model: run.config.models.policy.model,
      rootId: leaf.rootId,
      leafId: leaf.id,
      steps: leaf.step,
      environmentSteps: leaf.actions.length,
      malformed: await malformedBetween(store.tree, { step: 0 }, leaf.id),
      ending: input.ending,
      reward: ended.reward,
      success: ended.success,
      ...confirmed(confirmation, details),
      auditFlags,
    };
    await store.findings.addTrajectory(row);
    return trajectorySummary(row);
  }

  return {
    openTask,
    environmentStep,
    recordTrajectory,
  };
}

export function trajectorySummary(row: Trajectory): TrajectorySummary {
  return {
    trajectoryId: row.id,
    ending: row.ending,
    success: row.success,
    reward: row.reward,
    steps: row.steps,
    ...(isFlagged(row) && { auditFlags: row.auditFlags! }),
  };
}
