import { executeChild, workflowInfo } from '@temporalio/workflow';
import { isStepByStep } from '../../domain/run/run-config.ts';
import { branchWorkflowId } from '../../domain/run/workflow-ids.ts';
import type { BranchInput, BranchResult, BranchWorkflow } from '../../domain/wire/branch.ts';
import { agent } from '../proxies.ts';
import { cruxRun, cruxStatus, cruxStep } from '../search-attributes.ts';
import type { TaskRun } from './task-run.ts';

/** What is branched, and what for: a candidate in its state, or the state itself if the candidate id is empty. */
export type Branched = Omit<BranchInput, 'runId' | 'trajectoryId' | 'rollout'>;

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

/** The numbers of this many rollouts. */
export function numbers(count: number): number[] {
  return [...Array(count).keys()];
}
