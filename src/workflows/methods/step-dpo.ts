import type { StepDpoOptions } from '../../domain/run-config.ts';
import type { RankResult } from '../../domain/wire.ts';
import type { TaskRun } from '../primitives.ts';

/**
 * Step-DPO for agents on one task. Source: ours, after Step-DPO (arXiv 2406.18629); what is ours is said in docs/methods.md.
 *
 * At every step of the trajectory, failed or not, an expert proposes alternatives and a process reward model scores them and the policy's own
 * action. The best of them is preferred to the worst, where they are far enough apart. Nothing is verified.
 */
export async function stepDpo(task: TaskRun<StepDpoOptions>): Promise<void> {
  const trajectory = await task.explore();
  await task.eachStep(trajectory, async (step) => {
    await task.propose(step);
    const { revalued } = await task.rank(step);
    if (revalued) await measureWorth(task, step, revalued);
  });
  await task.emitPairs();
}

/** What comes of the two actions, as often as shows whether their scores are worth anything; it decides nothing. */
const rolloutsOfWorth = 5;

async function measureWorth(
  task: TaskRun<StepDpoOptions>,
  step: number,
  { nodeId, candidateIds }: NonNullable<RankResult['revalued']>,
): Promise<void> {
  const rollouts = Array.from({ length: rolloutsOfWorth }, (_, rollout) => rollout);
  await Promise.all(
    candidateIds.flatMap((candidateId) =>
      rollouts.map((rollout) => task.branch(step, { nodeId, candidateId, purpose: 're-estimate', rollout })),
    ),
  );
}
