/** Branches: a state, a candidate, and the policy's continuation to an ending. */
import type { Ending } from '../domain/ending.ts';
import { endingOfFault } from '../domain/fault-ending.ts';
import type { AssistantMessage } from '../domain/message.ts';
import { verificationOf } from '../domain/run-config.ts';
import { streamOf } from '../domain/stream.ts';
import type { BranchInput, BranchResult, OpenedBranch } from '../domain/wire.ts';
import { CruxError, errorText } from '../errors.ts';
import { startRollout } from '../models/call-ceilings.ts';
import { admitState } from '../models/gateway.ts';
import { contentHash } from '../store/hash.ts';
import type { Run } from '../store/runs.ts';
import type { BranchTable } from '../store/schema.ts';
import type { State } from '../store/tree.ts';
import { activity, workerStopping } from './boundary.ts';
import type { ActivityContext } from './context.ts';
import { insist } from './insist.ts';
import { branchOutcome } from './proof.ts';
import { policyTurn, type StepTaken, takeStep } from './steps.ts';

type Outcome = { ending: Ending; reward: number | null; success: boolean | null; details: string | null };

export type RecordBranchInput = BranchInput & {
  leafId: string;
  /** Observations of the prefix that were compared before branching. */
  compared: number;
  ending: Ending;
  reward: number | null;
  success: boolean | null;
  /** Message of the fault that ended it; null otherwise. */
  fault: string | null;
};

export function rolloutActivities(context: ActivityContext) {
  const { store, environments, sessions } = context;

  /**
   * A whole branch in one activity. Every call is in the journal and every step in the tree, so that a repeated attempt walks over what is
   * there and goes on where the last one was.
   */
  async function rollOut(input: BranchInput, signal: AbortSignal): Promise<BranchResult> {
    const known = await store.findings.branch(input.runId, branchId(input));
    if (known) return branchOutcome(known);
    const run = await store.runs.get(input.runId);
    let state = await store.tree.state(input.nodeId);
    await startRollout(store, { runId: run.id, taskId: state.taskId, stepId: state.id }, branchId(input));
    let compared = 0;
    try {
      compared = await checkPrefix(state, signal);
      let taken = await takeCandidate(input, state, signal);
      state = taken.state;
      // The step budget counts from the branch point: the alternative is its first step.
      for (
        let steps = state.step - (await store.tree.state(input.nodeId)).step;
        !taken.done && steps < run.config.stepLimit;
        steps++
      ) {
        if (context.stopping.aborted) throw workerStopping();
        const where = { purpose: input.purpose, stream: streamOf(input) };
        const turn = await policyTurn(context, run, state, where, signal);
        if (turn.kind === 'ended') return await record(run, input, state, compared, policyEnd(turn.ending), signal);
        taken = await takeStep(context, state, turn.answer.message, signal);
        state = taken.state;
      }
      return await record(run, input, state, compared, outcomeOf(taken), signal);
    } catch (error) {
      const ending = error instanceof CruxError ? endingOfFault(error.kind) : null;
      // A run that is out of budget or cancelled leaves the branch open: with a higher ceiling it goes on.
      if (ending === null || ending === 'budget' || ending === 'cancelled' || signal.aborted) throw error;
      const details = JSON.stringify({ fault: errorText(error) });
      return await record(run, input, state, compared, { ending, reward: null, success: null, details }, signal);
    }
  }

  /** The first step of a branch that a workflow of its own continues call by call. */
  async function openBranch(input: BranchInput, signal: AbortSignal): Promise<OpenedBranch> {
    const run = await store.runs.get(input.runId);
    admitState(run.id, run.state);
    const origin = await store.tree.state(input.nodeId);
    const known = await store.findings.branch(input.runId, branchId(input));
    if (known) {
      const { leaf_id: nodeId, compared } = known;
      return { nodeId, step: origin.step, stepLimit: origin.step, compared, outcome: branchOutcome(known) };
    }
    await startRollout(store, { runId: run.id, taskId: origin.taskId, stepId: origin.id }, branchId(input));
    const compared = await checkPrefix(origin, signal);
    const taken = await takeCandidate(input, origin, signal);
    const stepLimit = origin.step + run.config.stepLimit;
    const ended = taken.done || taken.state.step >= stepLimit;
    const outcome = ended ? await record(run, input, taken.state, compared, outcomeOf(taken), signal) : null;
    return { nodeId: taken.state.id, step: taken.state.step, stepLimit, compared, outcome };
  }

  /** Records what a branch that was continued call by call came to. */
  async function recordBranch(input: RecordBranchInput, signal: AbortSignal): Promise<BranchResult> {
    const run = await store.runs.get(input.runId);
    const leaf = await store.tree.state(input.leafId);
    const transition = await store.tree.transition(leaf.stateKey);
    const details =
      input.fault === null ? (transition?.done ? transition.details : null) : JSON.stringify({ fault: input.fault });
    const { ending, reward, success } = input;
    return record(run, input, leaf, input.compared, { ending, reward, success, details }, signal);
  }

  async function checkPrefix(state: State, signal: AbortSignal): Promise<number> {
    const environment = environments.get(state.environment);
    return insist(environment, `a replay of ${state.taskId}`, signal, () => sessions.checkPrefix(state, signal));
  }

  async function takeCandidate(input: BranchInput, state: State, signal: AbortSignal): Promise<StepTaken> {
    if (input.candidateId === '') return { state, tool: null, done: false, reward: null, success: null, details: null };
    const candidate = await store.findings.candidate(input.runId, input.candidateId);
    return takeStep(context, state, JSON.parse(candidate.message) as AssistantMessage, signal);
  }

  async function record(
    run: Run,
    input: BranchInput,
    leaf: State,
    compared: number,
    outcome: Outcome,
    signal: AbortSignal,
  ): Promise<BranchResult> {
    const confirmation = outcome.success ? await confirm(run, leaf, signal) : null;
    const origin = await store.tree.state(input.nodeId);
    const row: BranchTable = {
      run_id: run.id,
      id: branchId(input),
      trajectory_id: input.trajectoryId,
      node_id: input.nodeId,
      candidate_id: input.candidateId,
      purpose: input.purpose,
      rollout: input.rollout,
      leaf_id: leaf.id,
      steps: leaf.step - origin.step,
      seed: run.seed,
      ending: outcome.ending,
      reward: outcome.reward,
      success: outcome.success === null ? null : Number(outcome.success),
      confirmed: confirmation === null ? null : Number(confirmation.confirmed),
      details:
        confirmation?.confirmed === false ? JSON.stringify({ coincidental: confirmation.reason }) : outcome.details,
      compared,
    };
    await store.findings.addBranch(row);
    return branchOutcome(row);
  }

  /** @returns null when the environment has no variants, or they are switched off */
  async function confirm(run: Run, leaf: State, signal: AbortSignal) {
    const environment = environments.get(leaf.environment);
    const { confirm } = environment;
    if (!confirm || !verificationOf(run.config).confirmOnVariants) return null;
    const task = await environments.task(environment.name, leaf.taskId);
    const what = `the confirmation of a success in ${task.id}`;
    return insist(environment, what, signal, () => confirm.call(environment, task, leaf.actions, signal));
  }

  return { rollOut: activity(rollOut), openBranch: activity(openBranch), recordBranch: activity(recordBranch) };
}

/** Independent of run and time, so that equal runs have equal branches. */
function branchId({ nodeId, candidateId, purpose, rollout }: BranchInput): string {
  return contentHash(['branch', nodeId, candidateId, purpose, rollout]);
}

/** An ending that the policy brought about without submitting: a failure. */
function policyEnd(ending: Ending): Outcome {
  return { ending, reward: 0, success: false, details: null };
}

function outcomeOf(taken: StepTaken): Outcome {
  if (!taken.done) return policyEnd('step-limit');
  return { ending: 'submitted', reward: taken.reward, success: taken.success, details: taken.details };
}
