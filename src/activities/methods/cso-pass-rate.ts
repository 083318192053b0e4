import { outcomeKind } from '../../domain/outcome-kind.ts';
import type { TaskAddress } from '../../domain/wire/trajectory.ts';
import { exploredSamples } from '../acting/explored-samples.ts';
import type { ActivityContext } from '../runtime/context.ts';

export function passRateActivities(context: ActivityContext) {
  /**
   * Share of a task's samples that succeeded, once all of them are explored. A success that the environment's audit flagged is none.
   * @returns in [0, 1]; null when the policy itself ended none of the samples
   */
  async function passRate(task: TaskAddress): Promise<number | null> {
    const known = (await exploredSamples(context, task)).filter(({ success }) => success !== null);
    return known.length === 0 ? null : known.filter((row) => outcomeKind(row) === 'success').length / known.length;
  }

  return { passRate };
}
