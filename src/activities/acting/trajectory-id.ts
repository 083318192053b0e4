import { contentHash } from '../../store/hash.ts';
import type { Run } from '../../store/runs.ts';

/** The same for equal tasks of equal runs, so that a repeated run finds its own. */
export function trajectoryId(run: Run, taskId: string, sample: number): string {
  return contentHash(['trajectory', run.environment, taskId, sample]);
}
