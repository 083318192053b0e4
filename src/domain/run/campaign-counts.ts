import type { CampaignCounts } from '../wire/campaign.ts';
import type { TrajectoryResult } from '../wire/trajectory.ts';

export function emptyCounts(total: number): CampaignCounts {
  return { total, done: 0, endings: {}, criticalSteps: 0, branches: 0, pairs: 0 };
}

/** Counts one more finished task. A success is counted as `success`, or as `flagged`, whatever its ending. */
export function addResult(counts: CampaignCounts, result: TrajectoryResult): CampaignCounts {
  const ending = result.flagged ? 'flagged' : result.success ? 'success' : result.ending;
  return {
    ...counts,
    done: counts.done + 1,
    endings: { ...counts.endings, [ending]: (counts.endings[ending] ?? 0) + 1 },
    criticalSteps: counts.criticalSteps + result.criticalSteps,
    branches: counts.branches + result.branches,
    pairs: counts.pairs + result.pairs,
    ...(result.examples !== undefined && { examples: (counts.examples ?? 0) + result.examples }),
  };
}
