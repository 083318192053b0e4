/** Expert trajectories: by the expert model, recorded, or scripted by the environment. */

import type { TrajectoryOrigin } from '../../domain/example.ts';
import { brokenEndings } from '../../domain/fault-ending.ts';
import type { ExpertSource } from '../../domain/methods/options.ts';
import { expertSourceOf, modelOf } from '../../domain/run/run-config.ts';
import { streamOfSample } from '../../domain/stream.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import type { TaskAddress, TrajectorySummary } from '../../domain/wire/trajectory.ts';
import type { ScriptedStep } from '../../environments/contract.ts';
import { CruxError } from '../../errors.ts';
import { admitRun } from '../../models/limits/admit-run.ts';
import { importScope } from '../../store/findings.ts';
import { contentHash } from '../../store/hash.ts';
import type { Run, RunTask } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { auditSuccess } from '../acting/audit-success.ts';
import { confirmed, confirmTrajectory } from '../acting/confirm.ts';
import { firstStateOf } from '../acting/first-state.ts';
import { holdingSession } from '../acting/holding-session.ts';
import { malformedBetween } from '../acting/malformed.ts';
import { endedByFault, outcomeOf, type Played, playOut } from '../acting/play-out.ts';
import { runFormat } from '../acting/run-format.ts';
import { StepBoundary } from '../acting/step-boundary.ts';
import { standing, takerOf, takeStep } from '../acting/turn.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { insist } from '../runtime/insist.ts';
import { trajectorySummary } from '../trajectory.ts';

export function demonstrationActivities(context: ActivityContext) {
  const { store, environments, sessions } = context;

  /** The expert's trajectory of a task. @returns null when there is none */
  async function demonstrate({ runId, position }: TaskAddress, signal: AbortSignal): Promise<TrajectorySummary | null> {
    const run = await store.runs.get(runId);
    const task = await store.runs.task(runId, position);
    const source = expertSourceOf(run.config);
    if (source === 'none') return null;
    const id = contentHash(['demonstration', source, run.environment, task.taskId, task.sample]);
    const known = await store.findings.trajectory(runId, id);
    if (known && !brokenEndings.includes(known.ending)) return trajectorySummary(known);
    admitRun(run);
    const made = await demonstrations[source](run, task, signal);
    if (!made) return null;
    const { origin, model } = made;
    const leaf = await store.tree.state(made.played.leafId);
    const { played, ...checked } = await checkedSuccess(run, leaf, made.played, signal);
    const row: Trajectory = {
      runId,
      id,
      taskId: task.taskId,
      sample: task.sample,
      origin,
      model,
      rootId: leaf.rootId,
      leafId: leaf.id,
      steps: leaf.step,
      environmentSteps: leaf.actions.length,
      malformed: await malformedBetween(store.tree, { step: 0 }, leaf.id),
      ending: played.ending,
      reward: played.reward,
      success: played.success,
      ...checked,
    };
    await store.findings.addTrajectory(row);
    return trajectorySummary(row);
  }

  /** An audit or a confirmation that breaks is a fault, which leaves the trajectory without an outcome. */
  async function checkedSuccess(
    run: Run,
    leaf: State,
    played: Played,
    signal: AbortSignal,
  ): Promise<{ played: Played } & Pick<Trajectory, 'auditFlags' | 'confirmed' | 'details'>> {
    try {
      const auditFlags = await auditSuccess(context, run, leaf, played, signal);
      const confirmation = await confirmTrajectory(context, run, leaf, played, signal);
      return { played, auditFlags, ...confirmed(confirmation, played.details) };
    } catch (error) {
      const broken = endedByFault(leaf.id, error, signal);
      return { played: broken, auditFlags: null, ...confirmed(null, broken.details) };
    }
  }

  type Made = { played: Played; origin: TrajectoryOrigin; model: string };

  const demonstrations: {
    [source in ExpertSource]: (run: Run, task: RunTask, signal: AbortSignal) => Promise<Made | null>;
  } = { model: byModel, imported: recorded, scripted: byScript };

  /** The expert acts in the policy's own conversation, so that what it does can be imitated to the letter. */
  async function byModel(run: Run, { taskId, sample }: RunTask, signal: AbortSignal): Promise<Made> {
    const where = { role: 'expert' as const, ...demonstration(sample) };
    const played = await holdingSession(context, run.environment, signal, async () => {
      const root = await firstStateOf(context, run, taskId, 'demonstrate', signal);
      return playOut(context, run, standing(root), run.config.stepLimit, where, signal);
    });
    return { played, origin: 'expert', model: modelOf(run.config, 'expert').model };
  }

  /** The best recorded trajectory that begins as the run's own do (same briefing and format): by reward, then the shortest. */
  async function recorded(run: Run, { taskId }: RunTask, signal: AbortSignal): Promise<Made | null> {
    const root = await firstStateOf(context, run, taskId, 'demonstrate', signal);
    const rows = await store.findings.trajectoriesOf(importScope(run.environment), taskId);
    const [best] = rows
      .filter(({ reward, rootId }) => reward !== null && rootId === root.id)
      .toSorted((one, other) => other.reward! - one.reward! || one.steps - other.steps || (one.id < other.id ? -1 : 1));
    if (!best) return null;
    const { leafId, reward, details } = best;
    const success = best.success;
    const ending = best.ending as Played['ending'];
    return { played: { leafId, ending, reward, success, details }, origin: 'recorded', model: best.model };
  }

  async function byScript(run: Run, { taskId, sample }: RunTask, signal: AbortSignal): Promise<Made | null> {
    const environment = environments.get(run.environment);
    if (!environment.script) {
      throw new CruxError('User.Config', `The environment ${environment.name} scripts no expert trajectories.`, {
        remedy: 'Set the option experts to "model" or "imported", or give the environment a `script`.',
      });
    }
    const task = await environments.task(run.environment, taskId);
    const script = await insist(environment, `the script of ${taskId}`, signal, () => environment.script!(task));
    if (script === null) return null;
    const played = await holdingSession(context, run.environment, signal, async () => {
      const root = await firstStateOf(context, run, taskId, 'demonstrate', signal);
      return playScript(run, root, script, demonstration(sample), signal);
    });
    return { played, origin: 'scripted', model: `${environment.name} script` };
  }

  async function playScript(
    run: Run,
    root: State,
    script: ScriptedStep[],
    where: ReturnType<typeof demonstration>,
    signal: AbortSignal,
  ): Promise<Played> {
    const taker = takerOf(run, where);
    const boundary = new StepBoundary(context, environments.get(run.environment));
    let taken = standing(root);
    try {
      for (const { thought, action } of script) {
        if (taken.done || taken.state.step >= run.config.stepLimit) break;
        boundary.pass();
        const { state } = taken;
        const message = runFormat(context, run, state).render(thought, [action], state.step + 1);
        const isNew = !(await sessions.isRecorded(state, action, taker.caller));
        taken = await takeStep(context, state, { message }, taker, signal);
        if (isNew) boundary.advanced();
      }
      return await outcomeOf(context, taken, taker.caller, signal);
    } catch (error) {
      return endedByFault(taken.state.id, error, signal);
    }
  }

  return { demonstrate };
}

/** Purpose and stream of an expert's trajectory. */
function demonstration(sample: number) {
  return { purpose: 'demonstrate' as const, stream: streamOfSample(sample) };
}
