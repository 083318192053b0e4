/** Proves the pairs of ETO (arXiv 2403.02502) and IPR (arXiv 2406.11176): compares whole continuations, the policy's with the expert's. */

import { isFlagged } from '../../domain/audit-flags.ts';
import { type Branch, branchOutcome } from '../../domain/branch.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { betterByOutcome } from '../../domain/methods/eto-rule.ts';
import type { EtoOptions, IprOptions } from '../../domain/methods/index.ts';
import type { OutcomeOptions, VerificationOptions } from '../../domain/methods/options.ts';
import { iprPair, tieOrGap } from '../../domain/pairs/rules.ts';
import type { Sameness } from '../../domain/pairs/sameness.ts';
import { reasonOfVerdict, type UnpairedReason } from '../../domain/pairs/unpaired.ts';
import { lastingVerdict, tally } from '../../domain/pairs/verification.ts';
import type { Purpose } from '../../domain/purpose.ts';
import type { Step } from '../../domain/step.ts';
import { streamOfSample } from '../../domain/stream.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import type { Run } from '../../store/runs.ts';
import type { Store } from '../../store/store.ts';
import type { State } from '../../store/tree.ts';
import { trajectoryId } from '../acting/trajectory-id.ts';
import {
  type Proof,
  type ProofsOfStep,
  proofOf,
  type StoredAction,
  storedActions,
  trajectoryAsBranch,
} from './evidence.ts';

type Options = EtoOptions | IprOptions;

/** The two continuations from a state: the actions that they begin with, and how they end. */
type Ways = { [side in 'expert' | 'policy']: { candidate: Candidate; end: Branch; stream?: string } };

/** The pair of a contrast: of whole trajectories at the first step, else of the rest from one of the expert's states on. */
export async function contrastProofs(
  store: Store,
  run: Run,
  options: Options,
  step: Step,
  state: State,
  expert: Trajectory,
  by: Sameness,
): Promise<ProofsOfStep> {
  if (step.verdict !== 'expert-better' && step.verdict !== 'policy-better') {
    return unproven(await whyNotBetter(store, run, step, state, expert));
  }
  const ends = await endsOf(store, run, step, state, expert);
  if (!ends) return unproven('undecided');
  const candidates = await store.findings.candidatesOf(run.id, state.id);
  const find = (id: string | null) => candidates.find((candidate) => candidate.id === id)!;
  // The step is the expert's: the other side is what the policy did there.
  const policyId = step.ownId === step.chosenId ? step.rejectedId : step.chosenId;
  const ways: Ways = {
    expert: { candidate: find(step.ownId), ...ends.expert },
    policy: { candidate: find(policyId), ...ends.policy },
  };
  const proof =
    step.step === 1
      ? await outcomeProof(store, run, options, state, ways)
      : await stepProof(store, run, options as IprOptions, state, ways, by);
  return typeof proof === 'string' ? unproven(proof) : { proofs: [proof], unpaired: {} };
}

/** Why neither side is better. Values that are unknown because of flagged successes have a reason of their own. */
async function whyNotBetter(
  store: Store,
  run: Run,
  step: Step,
  state: State,
  expert: Trajectory,
): Promise<UnpairedReason> {
  const ends = step.verdict === 'equal' ? await endsOf(store, run, step, state, expert) : null;
  if (ends) return tieOrGap(ends.expert.end.reward, ends.policy.end.reward);
  const isUnknown = step.verdict === 'unknown';
  if (isUnknown && (await store.findings.branchesAt(run.id, state.id)).some(isFlagged)) return 'flagged';
  return reasonOfVerdict(step.verdict);
}

function unproven(reason: UnpairedReason): ProofsOfStep {
  return { proofs: [], unpaired: { [reason]: 1 } };
}

/** How the expert's and the policy's continuation ended, as branches of the state. */
async function endsOf(store: Store, run: Run, step: Step, state: State, expert: Trajectory) {
  const branch = (whole: Trajectory, purpose: Purpose): { end: Branch; stream: string } => ({
    end: trajectoryAsBranch(whole, state, { purpose, candidateId: '', rollout: 0 }),
    stream: streamOfSample(whole.sample),
  });
  if (step.step === 1) {
    const own = await store.findings.trajectory(run.id, trajectoryId(run, expert.taskId, expert.sample));
    return own && { expert: branch(expert, 'demonstrate'), policy: branch(own, 'explore') };
  }
  const end = (await store.findings.branchesAt(run.id, state.id)).find(({ purpose }) => purpose === 'contrast');
  return end ? { expert: branch(expert, 'demonstrate'), policy: { end } } : null;
}

/** By final reward [P]; under `sound`, fresh trajectories must show that the policy's outcome lasts. */
async function outcomeProof(
  store: Store,
  run: Run,
  options: OutcomeOptions & { verification: VerificationOptions },
  state: State,
  ways: Ways,
): Promise<Proof | UnpairedReason> {
  const verdict = betterByOutcome({ expert: ways.expert.end.reward, policy: ways.policy.end.reward }, 0);
  if (verdict !== 'expert-better' && verdict !== 'policy-better') return reasonOfVerdict(verdict);
  const policyLost = verdict === 'expert-better';
  const fresh = (await store.findings.branchesAt(run.id, state.rootId)).filter(
    ({ candidateId, purpose }) => candidateId === '' && purpose === 'baseline',
  );
  const counts = tally(fresh.map(branchOutcome));
  const lasting = options.freshTrajectories > 0 ? lastingVerdict(counts, policyLost, options) : null;
  if (lasting && lasting.verdict !== 'accepted') return 'not-accepted';
  const leaves = {
    expert: ways.expert.end.leafId,
    policy: policyLost ? await cutLeaf(store, run, ways) : ways.policy.end.leafId,
  };
  const side = policyLost ? ('rejected' as const) : ('chosen' as const);
  return {
    ...sidesOf(ways, policyLost, leaves),
    rule: lasting ? 'lasting' : 'outcome',
    posterior: lasting ? lasting.posterior : null,
    branches: [...endsAsBranches(ways, policyLost), ...fresh.map((branch) => ({ side, branch }))],
  };
}

/** Outcome and step value must agree [P]; under `sound`, fresh rollouts of the two actions must agree too. */
async function stepProof(
  store: Store,
  run: Run,
  options: IprOptions,
  state: State,
  ways: Ways,
  by: Sameness,
): Promise<Proof | UnpairedReason> {
  const [expert, policy] = await storedActions(store, run, state, [ways.expert.candidate.id, ways.policy.candidate.id]);
  // A continuation that is over after one step has no rollouts.
  const valued = (action: StoredAction, { end }: { end: Branch }) =>
    end.steps === 1 ? { ...action, endedWith: end.reward } : action;
  const outcomes = { expert: ways.expert.end.reward, policy: ways.policy.end.reward };
  const { pair, reason } = iprPair(valued(expert!, ways.expert), valued(policy!, ways.policy), outcomes, options, by);
  if (!pair) return reason;
  const policyLost = pair.chosen.candidateId === ways.expert.candidate.id;
  const proof = proofOf(pair, by);
  const leaves =
    options.contrast === 'rest' ? { expert: ways.expert.end.leafId, policy: ways.policy.end.leafId } : null;
  return {
    ...sidesOf(ways, policyLost, leaves),
    ...proof,
    branches: [...endsAsBranches(ways, policyLost), ...proof.branches],
  };
}

/** Cuts the side of a policy that lost to the expert's length and some steps [P, ETO]: it may have run in circles up to the limit. */
async function cutLeaf(store: Store, run: Run, { expert, policy }: Ways): Promise<string> {
  const { options } = run.config;
  const beyond = 'stepsBeyondExpert' in options ? options.stepsBeyondExpert : null;
  if (beyond === null || policy.end.steps <= expert.end.steps + beyond) return policy.end.leafId;
  const path = await store.tree.path(policy.end.leafId);
  return path.at(-1 - (policy.end.steps - expert.end.steps - beyond))!.id;
}

function sidesOf(ways: Ways, policyLost: boolean, leaves: { expert: string; policy: string } | null) {
  const [better, worse] = policyLost ? (['expert', 'policy'] as const) : (['policy', 'expert'] as const);
  const counts = (side: 'expert' | 'policy') => tally([branchOutcome(ways[side].end)]);
  return {
    chosen: ways[better].candidate,
    rejected: ways[worse].candidate,
    ...(leaves && { leaves: { chosen: leaves[better], rejected: leaves[worse] } }),
    outcomes: { chosen: ways[better].end.reward!, rejected: ways[worse].end.reward! },
    values: null,
    chosenTally: counts(better),
    rejectedTally: counts(worse),
  };
}

function endsAsBranches({ expert, policy }: Ways, policyLost: boolean): Proof['branches'] {
  return [
    { side: policyLost ? 'chosen' : 'rejected', branch: expert.end, stream: expert.stream },
    { side: policyLost ? 'rejected' : 'chosen', branch: policy.end, stream: policy.stream },
  ];
}
