/** Which trajectories are kept to imitate (SFT, RFT). */

import { type AuditFlags, isFlagged } from '../domain/audit-flags.ts';
import type { KeptExample, TrajectoryOrigin } from '../domain/example.ts';
import type { RftOptions } from '../domain/methods/index.ts';
import { outcomeKind } from '../domain/outcome-kind.ts';
import type { TaskAddress } from '../domain/wire/trajectory.ts';
import { canonicalAction } from '../environments/canonical-action.ts';
import { contentHash } from '../store/hash.ts';
import type { Run } from '../store/runs.ts';
import type { State } from '../store/tree.ts';
import { confirmSuccess } from './acting/confirm.ts';
import type { ActivityContext } from './runtime/context.ts';

/** A trajectory that may become an example. */
type Sampled = {
  leafId: string;
  origin: TrajectoryOrigin;
  model: string;
  reward: number | null;
  success: boolean | null;
  /** Null when it was not asked. */
  confirmed: boolean | null;
  auditFlags: AuditFlags;
};

export function exampleActivities(context: ActivityContext) {
  const { store, environments } = context;

  /** Keeps the examples of a task by the run's rule. Reads only what is stored, so its result does not depend on when it runs. @returns how many */
  async function keepExamples(
    { runId, position, trajectoryId }: TaskAddress & { trajectoryId: string },
    signal: AbortSignal,
  ): Promise<number> {
    const run = await store.runs.get(runId);
    const { taskId, sample } = await store.runs.task(runId, position);
    const experts = (await store.findings.demonstrations(runId, taskId)).filter((row) => row.sample === sample);
    const shown = await Promise.all(experts.map((row) => sampled(run, row, signal)));
    const { options } = run.config;
    const kept =
      'leastSuccesses' in options
        ? [...(await own(run, options, trajectoryId, signal)), ...shown.filter(isExample)]
        : shown;
    // All means failures too, but nothing that was won by a trick.
    const wanted =
      'keep' in options && options.keep === 'all' ? kept.filter((one) => !isFlagged(one)) : kept.filter(isExample);
    const { group } = await environments.task(run.environment, taskId);
    const rows = wanted.map(
      ({ leafId, origin, model, reward, success, confirmed }): KeptExample => ({
        runId,
        id: contentHash(['example', leafId]),
        trajectoryId,
        taskId,
        group,
        leafId,
        origin,
        model,
        reward,
        success,
        confirmed,
      }),
    );
    const distinct = [...new Map(rows.map((row) => [row.id, row])).values()];
    await store.findings.replaceExamples(runId, trajectoryId, distinct);
    return distinct.length;
  }

  /**
   * The policy's own successes in the order in which they were sampled, each sequence of actions once. Source: RFT as in ETO (arXiv 2403.02502),
   * its baseline.
   */
  async function own(
    run: Run,
    { leastSuccesses, examplesPerTask }: RftOptions,
    trajectoryId: string,
    signal: AbortSignal,
  ): Promise<Sampled[]> {
    const first = await store.findings.trajectory(run.id, trajectoryId);
    const branches = (await store.findings.branches(run.id, trajectoryId)).filter(
      ({ purpose }) => purpose === 'sample',
    );
    const others = branches.map(
      (row): Sampled => ({
        leafId: row.leafId,
        origin: 'policy',
        model: run.config.models.policy.model,
        reward: row.reward,
        success: row.success,
        confirmed: row.confirmed,
        auditFlags: row.auditFlags,
      }),
    );
    const successes = [...(first ? [await sampled(run, first, signal)] : []), ...others].filter(isExample);
    if (successes.length < leastSuccesses) return [];
    const distinct = new Map<string, Sampled>();
    for (const success of successes) {
      const key = await sequence(await store.tree.state(success.leafId));
      if (!distinct.has(key)) distinct.set(key, success);
    }
    return [...distinct.values()].slice(0, examplesPerTask ?? undefined);
  }

  async function sampled(run: Run, row: Omit<Sampled, 'confirmed'>, signal: AbortSignal): Promise<Sampled> {
    const { leafId, origin, model, reward, success, auditFlags } = row;
    const confirmation = success
      ? await confirmSuccess(context, run, await store.tree.state(row.leafId), signal)
      : null;
    return { leafId, origin, model, reward, success, confirmed: confirmation?.confirmed ?? null, auditFlags };
  }

  /** Equal for trajectories with the same actions, whatever they thought. */
  async function sequence(leaf: State): Promise<string> {
    const environment = environments.get(leaf.environment);
    return JSON.stringify(leaf.actions.map((action) => canonicalAction(environment, action)));
  }

  return { keepExamples };
}

/** A success that does not hold on variants of the task's data is an accident, and one that the audit flagged was won by a trick. */
function isExample(sampled: Sampled): boolean {
  return outcomeKind(sampled) === 'success';
}
