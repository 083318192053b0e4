/** What proves the pairs of anchor (GiGPO, arXiv 2505.10978): the trajectories that took one action or the other in one state. */
import { numberedOutcome } from '../../domain/branch.ts';
import { type AnchoredAction, returnOf } from '../../domain/methods/anchor-rule.ts';
import type { AnchorOptions } from '../../domain/methods/index.ts';
import { standardError } from '../../domain/methods/rro-rule.ts';
import { anchorPair, atStep } from '../../domain/pairs/rules.ts';
import type { Sameness } from '../../domain/pairs/sameness.ts';
import type { Step } from '../../domain/step.ts';
import { streamOfSample } from '../../domain/stream.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { type AnchoredSamples, anchoredSamples, groupOfPlace } from '../methods/anchor-samples.ts';
import type { ActivityContext } from '../runtime/context.ts';
import {
  type Proof,
  type ProofsOfStep,
  proofsOf,
  type StoredAction,
  storedActions,
  trajectoryAsBranch,
} from './evidence.ts';

/** Proofs of a trajectory's steps, whose samples are read once. */
export async function anchorProofs(context: ActivityContext, run: Run, trajectory: Trajectory, by: Sameness) {
  const options = run.config.options as AnchorOptions;
  const all = await anchoredSamples(
    context,
    run,
    await context.store.findings.trajectoriesOf(run.id, trajectory.taskId),
  );
  const own = all.samples.findIndex((sample) => sample.trajectory.id === trajectory.id);

  return async ({ step, chosenId, rejectedId }: Step, state: State): Promise<ProofsOfStep> => {
    const pair = groupOfPlace(all, { trajectory: own, step: step - 1 })?.pair;
    if (!pair || chosenId === null || rejectedId === null) return { proofs: [], unpaired: {} };
    const [chosen, rejected] = await storedActions(context.store, run, state, [chosenId, rejectedId]);
    const values = { chosen: pair.chosen.value, rejected: pair.rejected.value };
    const sides = [withVisits(all, chosen!, pair.chosen), withVisits(all, rejected!, pair.rejected)] as const;
    const { proofs, unpaired } = proofsOf(atStep(anchorPair(...sides, values, options.verification, by)), by);
    const { place } = pair.chosen;
    const otherHistory = all.samples[place.trajectory]!.steps[place.step]!.nodeId !== state.id;
    const standardErrors = {
      chosen: errorOf(all, pair.chosen, options),
      rejected: errorOf(all, pair.rejected, options),
    };
    return { proofs: proofs.map((proof) => ({ ...withStreams(proof), otherHistory, standardErrors })), unpaired };
  };
}

/** The calls of a trajectory are in the stream of its sample. */
function withStreams(proof: Proof): Proof {
  const branches = proof.branches.map((one) =>
    one.branch.purpose === 'explore' ? { ...one, stream: streamOfSample(one.branch.rollout) } : one,
  );
  return { ...proof, branches };
}

/** An action with the trajectories that took it, as branches of the states in which they took it. */
function withVisits({ samples }: AnchoredSamples, action: StoredAction, { visits }: AnchoredAction): StoredAction {
  const explored = visits.map(({ trajectory: index, step }) => {
    const { trajectory, path } = samples[index]!;
    const as = { purpose: 'explore' as const, candidateId: action.candidateId, rollout: trajectory.sample };
    return trajectoryAsBranch(trajectory, path[step]!, as);
  });
  return {
    ...action,
    outcomes: (purpose) => (purpose === 'explore' ? explored.map(numberedOutcome) : action.outcomes(purpose)),
    branches: [...action.branches, ...explored],
  };
}

function errorOf({ samples }: AnchoredSamples, { visits }: AnchoredAction, { discount }: AnchorOptions): number | null {
  return standardError(
    visits.map(({ trajectory, step }) => ({ reward: returnOf(samples[trajectory]!, step, discount) })),
  );
}
