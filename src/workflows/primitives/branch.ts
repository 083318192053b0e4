import { executeChild, workflowInfo } from '@temporalio/workflow';
import { type Branched, numbers, type Rolling } from '../../domain/methods/rolling.ts';
import { isStepByStep } from '../../domain/run/run-config.ts';
import { branchWorkflowId } from '../../domain/run/workflow-ids.ts';
import type { BranchInput, BranchResult, BranchWorkflow } from '../../domain/wire/branch.ts';
import { agent } from '../proxies.ts';
import { cruxRun, cruxStatus, cruxStep } from '../search-attributes.ts';
import type { TaskRun } from './task-run.ts';

/** Takes a candidate in its state and lets the policy continue to its own ending. */
export async function branch(
  task: TaskRun,
  step: number,
  candidate: Branched & Pick<BranchInput, 'rollout'>,
): Promise<BranchResult> {
  const { runId, trajectoryId } = task.address(step);
  const { historyLimit } = task.input;
  const input: BranchInput = { runId, trajectoryId, ...candidate };
  const label = `step ${step}: ${input.purpose} ${input.candidateId.slice(0, 8)} #${input.rollout}`;
  const branching = task.places.run(() =>
    isStepByStep(task.opened.granularity)
      ? executeChild<BranchWorkflow>('branch', {
          workflowId: branchWorkflowId(workflowInfo().workflowId, { step, ...input }),
          args: [{ ...input, ...(historyLimit && { historyLimit }) }],
          staticSummary: label,
          typedSearchAttributes: [
            { key: cruxRun, value: runId },
            { key: cruxStatus, value: input.purpose },
            { key: cruxStep, value: step },
          ],
        })
      : agent(label).rollOut(input),
  );
  const result = await task.untilOver(branching);
  task.branches++;
  task.show('verifying');
  return result;
}

/** Rollouts of one candidate, by number, all at once. */
export function branches(
  task: TaskRun,
  step: number,
  candidate: Branched,
  rollouts: readonly number[],
): Promise<BranchResult[]> {
  return Promise.all(rollouts.map((rollout) => branch(task, step, { ...candidate, rollout })));
}

/** Trajectories of the policy from the task's first state. */
export function fromTheStart(
  task: TaskRun,
  purpose: Branched['purpose'],
  rollouts: readonly number[],
): Promise<BranchResult[]> {
  return branches(task, 1, { nodeId: task.opened.rootId, candidateId: '', purpose }, rollouts);
}

/** Rollouts of a task's actions, by activities. */
export function rollingOf(task: TaskRun): Rolling {
  return {
    branches: (step, candidate, rollouts) => branches(task, step, candidate, rollouts),
    rollOutAll: (step, candidate, count) =>
      isStepByStep(task.opened.granularity)
        ? branches(task, step, candidate, numbers(count))
        : rollOutAll(task, step, candidate, count),
  };
}

/** In one activity: the rollouts are short, so one activity for each would cost as much as they do. */
async function rollOutAll(task: TaskRun, step: number, candidate: Branched, to: number): Promise<BranchResult[]> {
  const { runId, trajectoryId } = task.address(step);
  const label = `step ${step}: ${candidate.purpose} ${candidate.candidateId.slice(0, 8)} #0–${to - 1}`;
  const results = await task.untilOver(
    task.places.run(() => agent(label).rollOutAll({ runId, trajectoryId, ...candidate, from: 0, to })),
  );
  task.branches += to;
  task.show('verifying');
  return results;
}
