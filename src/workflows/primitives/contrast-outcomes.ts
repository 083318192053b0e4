import type { EtoOptions, IprOptions } from '../../domain/methods/index.ts';
import { numbers } from '../../domain/methods/rolling.ts';
import type { TrajectorySummary } from '../../domain/wire/trajectory.ts';
import { bookkeeping } from '../proxies.ts';
import { fromTheStart } from './branch.ts';
import type { TaskRun } from './task-run.ts';

/** Fresh trajectories that show how much luck is in an outcome, if `sound` draws none anyway [D]. */
const trajectoriesOfLuck = 5;

/**
 * Compares the policy's whole trajectory with the expert's, by final reward [P]; under `sound`, fresh trajectories must confirm the result
 * [D]. From here on, all findings belong to the expert's trajectory.
 */
export async function contrastOutcomes(
  task: TaskRun<EtoOptions | IprOptions>,
  expert: TrajectorySummary,
): Promise<void> {
  task.mined = expert.trajectoryId;
  const { runId, trajectoryId } = task.address(1);
  const { verdict, revalue } = await bookkeeping('contrast the outcomes').contrastOutcomes({ runId, trajectoryId });
  if (verdict !== 'expert-better' && verdict !== 'policy-better') return;
  await fromTheStart(task, 'baseline', numbers(task.options.freshTrajectories));
  if (revalue) await fromTheStart(task, 're-estimate', numbers(trajectoriesOfLuck));
}
