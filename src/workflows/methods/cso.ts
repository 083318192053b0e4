import { isPolicyFailure } from '../../domain/ending.ts';
import { isVerifiedSuccess, tally, verdictOn } from '../../domain/verification.ts';
import type { BranchResult, JudgeResult } from '../../domain/wire.ts';
import type { TaskRun } from '../primitives.ts';

/**
 * Critical step optimization on one task: a failed trajectory in, verified preference pairs out. Source: CSO (arXiv 2602.03412); which parts
 * are ours is said in docs/methods.md.
 *
 * At every step of the failure, an expert proposes alternatives and a process reward model scores them and the policy's own action. Where
 * that scores low and an alternative high, the alternative is taken in the restored state, and the policy, not the expert, goes on from
 * there. An alternative after which the policy succeeds is preferred to what the policy had done.
 */
export async function cso(task: TaskRun): Promise<void> {
  const trajectory = await task.explore();
  if (!isPolicyFailure(trajectory) || (await task.isMostlySolved())) return;
  await task.eachStep(trajectory, async (step) => {
    await task.propose(step);
    const judged = await task.judge(step);
    if (judged.verdict === 'critical' && task.options.verify) await verify(task, step, judged);
  });
  await task.emitPairs();
}

async function verify(task: TaskRun, step: number, judged: JudgeResult): Promise<void> {
  const { verification, stopAtFirst } = task.options;
  const verifying =
    verification.rollouts > 1
      ? verifyAgainstPolicy(task, step, judged)
      : stopAtFirst
        ? verifyUntilFirst(task, step, judged)
        : verifyAll(task, step, judged);
  await Promise.all([verifying, measureLuck(task, step, judged)]);
}

/** n = 1 [P]: one branch through every alternative. */
async function verifyAll(task: TaskRun, step: number, { nodeId, alternatives }: JudgeResult): Promise<void> {
  await Promise.all(
    alternatives.map((candidateId) => task.branch(step, { nodeId, candidateId, purpose: 'verify', rollout: 0 })),
  );
}

/** n = 1, best alternative first, until one is verified [D]. */
async function verifyUntilFirst(task: TaskRun, step: number, { nodeId, alternatives }: JudgeResult): Promise<void> {
  for (const candidateId of alternatives) {
    const result = await task.branch(step, { nodeId, candidateId, purpose: 'verify', rollout: 0 });
    if (isVerifiedSuccess(result)) return;
  }
}

/**
 * n > 1 [D]: alternatives and the policy's own action are rolled out from the same state, two rollouts of each at a time, until the rule has
 * decided every alternative. Always in whole rounds, so that what is drawn does not depend on who answers first.
 */
async function verifyAgainstPolicy(task: TaskRun, step: number, judged: JudgeResult): Promise<void> {
  const { verification, stopAtFirst } = task.options;
  const { nodeId, policyCandidateId } = judged;
  const policy: BranchResult[] = [];
  let open = judged.alternatives.map((candidateId) => ({ candidateId, results: [] as BranchResult[] }));
  for (
    let rollout = 0;
    open.length > 0 && rollout < Math.max(verification.rollouts, verification.baselineRollouts);
    rollout += 2
  ) {
    const round = [rollout, rollout + 1];
    const [baseline, ...verified] = await Promise.all([
      branches(
        task,
        step,
        nodeId,
        policyCandidateId,
        'baseline',
        round.filter((number) => number < verification.baselineRollouts),
      ),
      ...open.map(({ candidateId }) =>
        branches(
          task,
          step,
          nodeId,
          candidateId,
          'verify',
          round.filter((number) => number < verification.rollouts),
        ),
      ),
    ]);
    policy.push(...baseline!);
    for (const [index, results] of verified.entries()) open[index]!.results.push(...results);
    const decided = open.map(({ results }) => verdictOn(tally(results), tally(policy), verification).verdict);
    if (stopAtFirst && decided.includes('accepted')) return;
    open = open.filter((_, index) => decided[index] === 'continue');
  }
}

/** The placebo [D]: the policy's own action, branched as often as the alternatives are: what luck alone would give. */
async function measureLuck(task: TaskRun, step: number, judged: JudgeResult): Promise<void> {
  if (!judged.placebo) return;
  const { nodeId, policyCandidateId } = judged;
  await branches(task, step, nodeId, policyCandidateId, 'placebo', [...judged.alternatives.keys()]);
}

function branches(
  task: TaskRun,
  step: number,
  nodeId: string,
  candidateId: string,
  purpose: 'verify' | 'baseline' | 'placebo',
  rollouts: number[],
): Promise<BranchResult[]> {
  return Promise.all(rollouts.map((rollout) => task.branch(step, { nodeId, candidateId, purpose, rollout })));
}
