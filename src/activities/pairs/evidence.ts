/** What proves a pair, before it becomes a certificate. */

import { type Branch, numberedOutcome } from '../../domain/branch.ts';
import type { Candidate } from '../../domain/candidate.ts';
import type { VerificationRule } from '../../domain/pairs/pair.ts';
import type { BranchedAction, ProvenAtStep, ProvenPair } from '../../domain/pairs/rules.ts';
import { isOnlyObservedEqual, type Sameness } from '../../domain/pairs/sameness.ts';
import type { UnpairedCounts } from '../../domain/pairs/unpaired.ts';
import type { Tally } from '../../domain/pairs/verification.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import { drawnSteps } from '../../store/drawn-steps.ts';
import type { Run } from '../../store/runs.ts';
import type { Store } from '../../store/store.ts';
import type { State, Transition } from '../../store/tree.ts';
import { reachedBy } from '../acting/sameness.ts';

export type Proof = {
  chosen: Candidate;
  rejected: Candidate;
  /** The last states of the sides, if they are more than their first actions. */
  leaves?: { chosen: string; rejected: string };
  rule: VerificationRule;
  posterior: number | null;
  /** Mean outcome rewards by which the two actions were compared; null if the rule compares none. */
  values: { chosen: number; rejected: number } | null;
  /** Final rewards of the two continuations, if whole continuations are compared. */
  outcomes?: { chosen: number; rejected: number };
  /** Standard errors of the values, if they are not those of the actions' rollouts. */
  standardErrors?: { chosen: number | null; rejected: number | null };
  chosenTally: Tally;
  rejectedTally: Tally;
  /** Whether the agent reads the same after both actions, in states that cannot be compared. */
  sameObservation?: boolean;
  /** Whether the chosen action was drawn in a conversation other than the pair's. */
  otherHistory?: boolean;
  /** Branches through the chosen and through the rejected action. */
  branches: {
    side: 'chosen' | 'rejected';
    branch: Branch;
    /** Stream of its calls; undefined for a branch's own. */
    stream?: string;
  }[];
};

/** All pairs that a step proves, and why it does not prove the others. */
export type ProofsOfStep = { proofs: Proof[]; unpaired: UnpairedCounts };

/** A whole trajectory as a branch of one of its states. */
export function trajectoryAsBranch(
  trajectory: Trajectory,
  from: State,
  branch: Pick<Branch, 'purpose' | 'candidateId' | 'rollout'>,
): Branch {
  const { runId, id, leafId, ending, reward, success, confirmed, auditFlags, details } = trajectory;
  const outcome = { leafId, ending, reward, success, confirmed, auditFlags, details };
  const steps = trajectory.steps - from.step;
  const unknown = { environmentSteps: null, seed: null, compared: 0 };
  return { ...branch, runId, id, trajectoryId: id, nodeId: from.id, steps, ...outcome, ...unknown };
}

/** A candidate with what is stored about it. */
export type StoredAction = BranchedAction & { candidate: Candidate; branches: Branch[] };

/**
 * Candidates of a state with the branches through them, in the order of their ids. By state, not by trajectory: two trajectories that came
 * through one state share its branches.
 * @param sample of the trajectory for which actions were drawn and taken at once (RRO); other actions have their outcomes in branches
 * @throws Error when the state has no such candidate: ids come from the store itself, so this is a defect or a damaged store
 */
export async function storedActions(
  { tree, findings }: Store,
  run: Run,
  state: State,
  candidateIds: readonly string[],
  sample = 0,
): Promise<StoredAction[]> {
  const candidates = await findings.candidatesOf(run.id, state.id);
  const branches = await findings.branchesAt(run.id, state.id);
  return Promise.all(
    candidateIds.map(async (id) => {
      const candidate = candidates.find((other) => other.id === id);
      if (!candidate) throw new Error(`State ${state.id} has no candidate ${id}.`);
      const own = branches.filter((branch) => branch.candidateId === id);
      const taken = await drawnSteps(tree, run.config, state, candidate, sample);
      const transitions = taken.map(({ transition }) => transition);
      const last = transitions.at(-1) ?? null;
      return {
        candidateId: id,
        source: candidate.source,
        canonical: candidate.canonical,
        reached: last && reachedBy(transitions as Transition[]),
        endedWith: last?.done ? last.reward : null,
        outcomes: (purpose) => own.filter((branch) => branch.purpose === purpose).map(numberedOutcome),
        candidate,
        branches: own,
      };
    }),
  );
}

/** Proven pairs with the branches that prove them. */
export function proofsOf({ pairs, unpaired }: ProvenAtStep<StoredAction>, by: Sameness): ProofsOfStep {
  return { proofs: pairs.map((pair) => proofOf(pair, by)), unpaired };
}

/** A proven pair with the branches that prove it. */
export function proofOf({ chosen, rejected, evidence, ...proven }: ProvenPair<StoredAction>, by: Sameness): Proof {
  const branchesOf = (side: 'chosen' | 'rejected', { branches }: StoredAction) => {
    const { purpose, before = Number.POSITIVE_INFINITY } = evidence[side];
    return branches
      .filter((branch) => branch.purpose === purpose && branch.rollout < before)
      .map((branch) => ({ side, branch }));
  };
  return {
    ...proven,
    chosen: chosen.candidate,
    rejected: rejected.candidate,
    sameObservation: isOnlyObservedEqual(chosen, rejected, by),
    branches: [...branchesOf('chosen', chosen), ...branchesOf('rejected', rejected)],
  };
}
