import type { Details } from '../../domain/ending.ts';
import { methods } from '../../domain/methods/index.ts';
import { confirmsOnVariants } from '../../domain/run/run-config.ts';
import type { Confirmation } from '../../environments/contract.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { insist } from '../runtime/insist.ts';

/**
 * Whether a success also holds on variants of the task's data. One that does not is a coincidence.
 * @returns null when the environment has no variants, or they are switched off
 */
export async function confirmSuccess(
  { environments }: ActivityContext,
  run: Run,
  leaf: State,
  signal: AbortSignal,
): Promise<Confirmation | null> {
  const environment = environments.get(leaf.environment);
  const { confirm } = environment;
  if (!confirm || !confirmsOnVariants(run.config)) return null;
  const task = await environments.task(environment.name, leaf.taskId);
  const what = `the confirmation of a success in ${task.id}`;
  return insist(environment, what, signal, () => confirm.call(environment, task, leaf.actions, signal));
}

/**
 * The same for the ending of a whole trajectory.
 * @returns null too when the method takes no trajectory for evidence
 */
export async function confirmTrajectory(
  context: ActivityContext,
  run: Run,
  leaf: State,
  { success }: { success: boolean | null },
  signal: AbortSignal,
): Promise<Confirmation | null> {
  if (success !== true || !methods[run.config.method].confirmsTrajectories) return null;
  return confirmSuccess(context, run, leaf, signal);
}

/** What is recorded of a confirmation, and of the outcome's own details. */
export function confirmed(
  confirmation: Confirmation | null,
  details: Details | null,
): { confirmed: boolean | null; details: Details | null } {
  if (confirmation?.confirmed === false) return { confirmed: false, details: { coincidental: confirmation.reason } };
  return { confirmed: confirmation?.confirmed ?? null, details };
}
