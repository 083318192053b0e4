import type { AuditFlags } from '../../domain/audit-flags.ts';
import type { Details } from '../../domain/ending.ts';
import { flagsOf, takenActions } from '../../environments/audit.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { insist } from '../runtime/insist.ts';

type Won = { reward: number | null; success: boolean | null; details: Details | null };

/**
 * What is wrong with how a success was won.
 * @param outcome as the environment gave it
 * @returns null for what is no success, if the environment has no audit, and in a run that began before there were audits
 * @throws CruxError `Environment.Fault` if the audit breaks: then nothing is known of the success
 */
export async function auditSuccess(
  { environments, store }: ActivityContext,
  run: Run,
  leaf: State,
  { reward, success, details }: Won,
  signal: AbortSignal,
): Promise<AuditFlags> {
  const environment = environments.get(leaf.environment);
  if (!success || !environment.audit || !run.config.auditSuccesses) return null;
  const task = await environments.task(environment.name, leaf.taskId);
  const trajectory = { actions: await takenActions(store.tree, leaf), reward, details };
  const what = `the audit of a success in ${task.id}`;
  return insist(environment, what, signal, () => flagsOf(environment, task, trajectory, signal));
}
