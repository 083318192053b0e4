import { countedReward } from '../../domain/audit-flags.ts';
import type { Candidate, ScorePurpose } from '../../domain/candidate.ts';
import { type MonteCarlo, screeningPurposes } from '../../domain/monte-carlo.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { OwnRollouts } from '../acting/own-rollouts.ts';
import { StepBoundary } from '../acting/step-boundary.ts';
import { branchActivities } from '../branches.ts';
import type { ActivityContext } from '../runtime/context.ts';

/** Where actions are scored: in a state, for the trajectory that came through it. */
export type ScoredAt = { trajectoryId: string; state: State };

/**
 * Scores actions by the policy's rollouts after them: m for each, independent of those that verify. An action that ends its task leaves nothing to roll
 * out, so each of its rollouts is the environment's outcome. All work of this is over when it returns or throws.
 * @returns by candidate the outcome reward of each rollout, in [0, 1]; null for one without an outcome (a fault), or with a flagged success
 * @throws CruxError as a branch does; a repeated attempt continues the rollouts where they stopped
 */
export async function rewardsOfRollouts(
  context: ActivityContext,
  run: Run,
  { rollouts: count }: MonteCarlo,
  { trajectoryId, state }: ScoredAt,
  candidates: readonly Candidate[],
  purpose: ScorePurpose,
  signal: AbortSignal,
): Promise<(number | null)[][]> {
  const boundary = new StepBoundary(context, context.environments.get(run.environment));
  const branches = branchActivities({ ...context, boundary });
  const rollouts = new OwnRollouts({ runId: run.id, trajectoryId }, branches, run.config.parallel, signal);
  const rollOut = async ({ id: candidateId }: Candidate) => {
    const branched = { nodeId: state.id, candidateId, purpose: screeningPurposes[purpose] };
    return (await rollouts.rolling.rollOutAll(state.step + 1, branched, count)).map(countedReward);
  };
  return rollouts.untilOver(() => Promise.all(candidates.map(rollOut)));
}
