import type { StepDpoOptions } from '../../domain/run-config.ts';
import type { RankResult } from '../../domain/wire.ts';
import type { TaskRun } from '../primitives.ts';
import { verifyAgainst } from './verify-against.ts';

/**
 * Step-DPO for agents on one task. Source: ours, after Step-DPO (arXiv 2406.18629); what is ours is said in docs/methods.md.
 *
 * At every step of the trajectory, failed or not, an expert proposes alternatives and a process reward model scores them and the policy's own
 * action. The best of them is preferred to the worst, where they are far enough apart. Nothing is verified, but under `sound`.
 */
export async function stepDpo(task: TaskRun<StepDpoOptions>): Promise<void> {
  const trajectory = await task.explore();
  await task.eachStep(trajectory, async (step) => {
    await task.propose(step);
    const { pair } = await task.rank(step);
    if (pair) await Promise.all([prove(task, step, pair), measureWorth(task, step, pair)]);
  });
  await task.emitPairs();
}

type Ranked = NonNullable<RankResult['pair']>;

/** Under `sound`, fresh rollouts must show that the higher score is the better action [D]. */
async function prove(task: TaskRun<StepDpoOptions>, step: number, { nodeId, best, worst }: Ranked): Promise<void> {
  const { verification } = task.options;
  if (!verification || verification.rollouts === 1) return;
  await verifyAgainst(task, verification, { step, nodeId, alternatives: [best], rivalId: worst });
}

/** What comes of the two actions, as often as shows whether their scores are worth anything; it decides nothing. */
const rolloutsOfWorth = 5;

async function measureWorth(task: TaskRun<StepDpoOptions>, step: number, pair: Ranked): Promise<void> {
  if (!pair.revalue) return;
  const { nodeId, best, worst } = pair;
  const rollouts = Array.from({ length: rolloutsOfWorth }, (_, rollout) => rollout);
  await Promise.all(
    [best, worst].flatMap((candidateId) =>
      rollouts.map((rollout) => task.branch(step, { nodeId, candidateId, purpose: 're-estimate', rollout })),
    ),
  );
}
