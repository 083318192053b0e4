/** What proves a pair, before it becomes a certificate. */
import type { Ending } from '../domain/ending.ts';
import type { VerificationRule } from '../domain/pair.ts';
import { meanReward } from '../domain/rising.ts';
import type { Tally } from '../domain/verification.ts';
import type { BranchResult } from '../domain/wire.ts';
import type { BranchTable, CandidateTable } from '../store/schema.ts';
import { nextStateKey, type State, type Tree } from '../store/tree.ts';

export type Proof = {
  chosen: CandidateTable;
  rejected: CandidateTable;
  /** Where the sides end, when they are more than their first actions. */
  leaves?: { chosen: string; rejected: string };
  rule: VerificationRule;
  posterior: number | null;
  /** Mean outcome rewards that the two actions were compared by; null where the rule compares none. */
  values: { chosen: number; rejected: number } | null;
  /** Final rewards of the two ways on, where whole ways are compared. */
  outcomes?: { chosen: number; rejected: number };
  chosenTally: Tally;
  rejectedTally: Tally;
  /** Branches through the chosen and through the rejected action. */
  branches: {
    side: 'chosen' | 'rejected';
    row: BranchTable;
    /** Stream of its calls; undefined for a branch's own. */
    stream?: string;
  }[];
};

export function branchOutcome(row: BranchTable): BranchResult {
  return {
    ending: row.ending as Ending,
    success: row.success === null ? null : row.success === 1,
    reward: row.reward,
    confirmed: row.confirmed === null ? null : row.confirmed === 1,
  };
}

/** Two actions after which the agent sees the same and can do the same are no preference. */
export async function leadsToTheSame(
  tree: Tree,
  state: State,
  one: CandidateTable,
  other: CandidateTable,
): Promise<boolean> {
  if (one.action === null || other.action === null) return false;
  const [first, second] = await Promise.all(
    [one, other].map((candidate) => tree.transition(nextStateKey(state.stateKey, JSON.parse(candidate.action!)))),
  );
  return !!first && !!second && !first.done && !second.done && first.observation === second.observation;
}

/**
 * Value of an action by the rollouts after it; an action that ends the task has the environment's outcome for its value.
 * @returns in [0, 1]; null when unknown
 */
export async function actionValue(
  tree: Tree,
  state: State,
  { action }: CandidateTable,
  rollouts: readonly BranchTable[],
): Promise<number | null> {
  const transition = action === null ? null : await tree.transition(nextStateKey(state.stateKey, JSON.parse(action)));
  return transition?.done ? transition.reward : meanReward(rollouts);
}
