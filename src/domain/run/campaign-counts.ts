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

/** Counts two lots of finished tasks together. The total is that of the first. */
export function addCounts(one: CampaignCounts, other: CampaignCounts): CampaignCounts {
  const endings = { ...one.endings };
  for (const [ending, count] of Object.entries(other.endings)) endings[ending] = (endings[ending] ?? 0) + count;
  const examples = (one.examples ?? 0) + (other.examples ?? 0);
  return {
    total: one.total,
    done: one.done + other.done,
    endings,
    criticalSteps: one.criticalSteps + other.criticalSteps,
    branches: one.branches + other.branches,
    pairs: one.pairs + other.pairs,
    ...((one.examples ?? other.examples) !== undefined && { examples }),
  };
}
