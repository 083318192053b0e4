import type { BranchInput, BranchResult } from '../wire/branch.ts';

/** What is branched, and what for: a candidate in its state, or the state itself if the candidate id is empty. */
export type Branched = Omit<BranchInput, 'runId' | 'trajectoryId' | 'rollout'>;

/** A state that a step starts from. */
export type StepState = {
  nodeId: string;
  /** Number of the step, from 1. */
  step: number;
};

/** Makes the rollouts that a step needs. A workflow does it by activities, an activity by itself. */
export type Rolling = {
  /** Rollouts of one candidate, by number, all at once. */
  branches(step: number, candidate: Branched, rollouts: readonly number[]): Promise<BranchResult[]>;
  /** The first rollouts of one candidate as one piece of work: they are short, and their values are wanted together. */
  rollOutAll(step: number, candidate: Branched, count: number): Promise<BranchResult[]>;
};

/** The numbers of this many rollouts. */
export function numbers(count: number): number[] {
  return [...Array(count).keys()];
}
