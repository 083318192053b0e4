import type { RunConfig } from '../domain/run-config.ts';
import type { Confirmation } from '../environments/contract.ts';
import type { Run } from '../store/runs.ts';
import type { State } from '../store/tree.ts';
import type { ActivityContext } from './context.ts';
import { insist } from './insist.ts';

/**
 * Whether the success of a path holds on variants of the task's data.
 * @returns null when the environment has no variants, or they are switched off
 * @throws CruxError `Environment.Fault`
 */
export async function confirmSuccess(
  { environments }: Pick<ActivityContext, 'environments'>,
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

function confirmsOnVariants({ options }: RunConfig): boolean {
  if ('verification' in options) return options.verification.confirmOnVariants;
  return 'confirmOnVariants' in options && options.confirmOnVariants;
}
