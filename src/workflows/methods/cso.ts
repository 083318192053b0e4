import { isFlagged } from '../../domain/audit-flags.ts';
import { isPolicyFailure } from '../../domain/ending.ts';
import type { CsoOptions } from '../../domain/methods/index.ts';
import { verify } from '../../domain/methods/verify.ts';
import { isVerifiedSuccess } from '../../domain/pairs/verification.ts';
import type { JudgeResult } from '../../domain/wire/cso.ts';
import type { TrajectorySummary } from '../../domain/wire/trajectory.ts';
import { branch, branches, rollingOf } from '../primitives/branch.ts';
import { eachStep } from '../primitives/each-step.ts';
import { emitPairs } from '../primitives/emit-pairs.ts';
import { explore } from '../primitives/explore.ts';
import { propose } from '../primitives/propose.ts';
import type { TaskRun } from '../primitives/task-run.ts';
import { agent, bookkeeping } from '../proxies.ts';

/**
 * Critical step optimization on one task: a failed trajectory in, verified preference pairs out. Source: CSO (arXiv 2602.03412);
 * docs/methods.md says which parts are ours.
 *
 * At every step of the failure, an expert proposes alternatives. A process reward model scores them and the policy's own action. If the own
 * action scores low and an alternative high, the alternative is taken in the restored state. The policy, not the expert, continues from
 * there. An alternative after which the policy succeeds is preferred to what the policy had done.
 */
export async function cso(task: TaskRun<CsoOptions>): Promise<void> {
  const trajectory = await explore(task);
  if (trajectory.success && !isFlagged(trajectory)) await calibrateOnSuccess(task, trajectory);
  if (!isPolicyFailure(trajectory) || !(await isNearAbility(task))) return;
  await eachStep(task, trajectory, async (step) => {
    await propose(task, step);
    const judged = await judge(task, step);
    await Promise.all([
      judged.verdict === 'critical' && task.options.verify ? verifyStep(task, step, judged) : null,
      calibrate(task, step, judged.nodeId, judged.calibrated ?? []),
    ]);
  });
  await emitPairs(task);
}

/**
 * Whether the policy solves the task as often as `minPassRate` and `maxPassRate` ask [D]. If it does so more often, its failure is bad luck rather than a lesson; if
 * less often, what helps it is mostly the expert's answer as a whole.
 */
async function isNearAbility({ input, options }: TaskRun<CsoOptions>): Promise<boolean> {
  const { minPassRate = null, maxPassRate } = options;
  if (minPassRate === null && maxPassRate === null) return true;
  const { runId, position } = input;
  const rate = await agent('pass rate of the task').passRate({ runId, position });
  return rate === null || (rate >= (minPassRate ?? 0) && rate <= (maxPassRate ?? 1));
}

/** Scores the actions of a step: is it a candidate critical step, and which alternatives are to be verified? */
async function judge(task: TaskRun<CsoOptions>, step: number): Promise<JudgeResult> {
  const judged = await task.places.run(() =>
    agent(`step ${step}: score the actions`).judgeCandidates(task.address(step)),
  );
  if (judged.verdict === 'critical') task.criticalSteps++;
  task.show('mining');
  return judged;
}

async function verifyStep(task: TaskRun<CsoOptions>, step: number, judged: JudgeResult): Promise<void> {
  const { verification, stopAtFirst } = task.options;
  const verifying =
    verification.rollouts > 1
      ? verify(rollingOf(task), verification, {
          step,
          nodeId: judged.nodeId,
          alternatives: judged.alternatives,
          rivalId: judged.policyCandidateId,
          stopAtFirst,
        })
      : stopAtFirst
        ? verifyUntilFirst(task, step, judged)
        : verifyAll(task, step, judged);
  await Promise.all([verifying, measureLuck(task, step, judged)]);
}

/** n = 1 [P]: one branch through every alternative. */
async function verifyAll(
  task: TaskRun<CsoOptions>,
  step: number,
  { nodeId, alternatives }: JudgeResult,
): Promise<void> {
  await Promise.all(
    alternatives.map((candidateId) => branch(task, step, { nodeId, candidateId, purpose: 'verify', rollout: 0 })),
  );
}

/** n = 1, best alternative first, until one is verified [D]. */
async function verifyUntilFirst(
  task: TaskRun<CsoOptions>,
  step: number,
  { nodeId, alternatives }: JudgeResult,
): Promise<void> {
  for (const candidateId of alternatives) {
    const result = await branch(task, step, { nodeId, candidateId, purpose: 'verify', rollout: 0 });
    if (isVerifiedSuccess(result)) return;
  }
}

/** The placebo [D]: the policy's own action, branched as often as the alternatives are, shows what luck alone would give. */
async function measureLuck(task: TaskRun<CsoOptions>, step: number, judged: JudgeResult): Promise<void> {
  if (!judged.placebo) return;
  const { nodeId, policyCandidateId: candidateId, alternatives } = judged;
  await branches(task, step, { nodeId, candidateId, purpose: 'placebo' }, [...alternatives.keys()]);
}

/** Actions below the thresholds are rolled out too [D]: their outcomes show what the PRM's scores are worth. */
async function calibrate(task: TaskRun<CsoOptions>, step: number, nodeId: string, candidates: string[]): Promise<void> {
  await Promise.all(
    candidates.map((candidateId) => branch(task, step, { nodeId, candidateId, purpose: 'calibrate', rollout: 0 })),
  );
}

/** A PRM that is asked about failures alone never shows how it scores what is good [D]. */
async function calibrateOnSuccess(task: TaskRun<CsoOptions>, trajectory: TrajectorySummary): Promise<void> {
  if (!task.options.calibrationRate || !task.options.gate) return;
  const { runId } = task.input;
  const { trajectoryId } = trajectory;
  const steps = await bookkeeping('draw steps to calibrate the PRM').calibrationSteps({ runId, trajectoryId });
  if (steps.length === 0) return;
  await eachStep(task, trajectory, async (step) => {
    if (!steps.includes(step)) return;
    const { nodeId, candidateId, score } = await task.places.run(() =>
      agent(`step ${step}: score the action`).scoreOwnAction(task.address(step)),
    );
    if (score !== null) await calibrate(task, step, nodeId, [candidateId]);
  });
}
