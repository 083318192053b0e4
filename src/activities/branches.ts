/** Branches: a state, a candidate, and the policy's continuation to an ending. */
import { type Branch, branchOutcome } from '../domain/branch.ts';
import { isAtLimit } from '../domain/ending.ts';
import type { BranchPurpose } from '../domain/purpose.ts';
import { ownsTransitions } from '../domain/run/transitions.ts';
import { scopeOfCall, streamOf } from '../domain/stream.ts';
import type {
  BranchInput,
  BranchResult,
  OpenedBranch,
  RecordBranchInput,
  RolloutsInput,
} from '../domain/wire/branch.ts';
import type { StepCaller } from '../environments/sessions/step-caller.ts';
import { admitRun } from '../models/limits/admit-run.ts';
import { startRollouts } from '../models/limits/call-ceilings.ts';
import { contentHash } from '../store/hash.ts';
import type { Scope } from '../store/reservations.ts';
import type { Run } from '../store/runs.ts';
import type { State } from '../store/tree.ts';
import { outcomeAtLimit } from './acting/at-limit.ts';
import { auditSuccess } from './acting/audit-success.ts';
import { confirmed, confirmSuccess } from './acting/confirm.ts';
import { holdingSession } from './acting/holding-session.ts';
import { malformedBetween } from './acting/malformed.ts';
import { endedByFault, outcomeOf, type Played, playOut } from './acting/play-out.ts';
import { callerOf, type StepTaken, standing, takerOf, takeStep } from './acting/turn.ts';
import type { ActivityContext } from './runtime/context.ts';
import { insist } from './runtime/insist.ts';

/** How many observations of a prefix were compared, and where its candidate led a rollout. The first rollout to ask does what all need. */
type Departure = { prefix(): Promise<number>; start(input: BranchInput): Promise<StepTaken> };

export function branchActivities(context: ActivityContext) {
  const { store, environments, sessions } = context;

  async function rollOut({ rollout, ...action }: BranchInput, signal: AbortSignal): Promise<BranchResult> {
    const [result] = await rollOutAll({ ...action, from: rollout, to: rollout + 1 }, signal);
    return result!;
  }

  /** Whole branches after one action in one activity. */
  async function rollOutAll({ from, to, ...action }: RolloutsInput, signal: AbortSignal): Promise<BranchResult[]> {
    const inputs = Array.from({ length: to - from }, (_, index): BranchInput => ({ ...action, rollout: from + index }));
    const known = await store.findings.branchesById(action.runId, inputs.map(branchId));
    const missing = inputs.filter((input) => !known.has(branchId(input)));
    if (missing.length > 0) {
      const run = await store.runs.get(action.runId);
      const origin = await store.tree.state(action.nodeId);
      const { started, refusal } = await startRollouts(store, scopeOf(run, inputs[0]!, origin), missing.map(branchId));
      const departure = depart(run, inputs[0]!, origin, signal);
      const rollouts = await Promise.allSettled(
        missing.map(async (input) => {
          if (refusal && !started.has(branchId(input))) throw refusal;
          known.set(branchId(input), await rollOutFrom(departure, run, origin, input, signal));
        }),
      );
      // Fails only when all rollouts are over: a repeated attempt must not run next to rollouts of this one.
      const failed = rollouts.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
    }
    return inputs.map((input) => branchOutcome(known.get(branchId(input))!));
  }

  /**
   * Does once what all rollouts of an action begin with: restores the state, and takes the action there. If the action may come out differently each
   * time, every rollout takes it by itself.
   */
  function depart(run: Run, first: BranchInput, origin: State, signal: AbortSignal): Departure {
    const prefix = once(() => checkPrefix(run, first, origin, signal));
    if (ownsTransitions(run.config)) return { prefix, start: (input) => takeCandidate(run, input, origin, signal) };
    return { prefix, start: once(() => takeCandidate(run, first, origin, signal)) };
  }

  /**
   * A branch from its first step to its ending. Every call is in the journal and every step in the tree, so a repeated attempt reads what is
   * stored and continues where the last one stopped.
   */
  async function rollOutFrom(
    departure: Departure,
    run: Run,
    origin: State,
    input: BranchInput,
    signal: AbortSignal,
  ): Promise<Branch> {
    let compared = 0;
    let leafId = origin.id;
    try {
      const where = { role: 'policy' as const, purpose: input.purpose, stream: streamOf(input) };
      // The step budget counts from the branch point: the alternative is its first step.
      const stepLimit = origin.step + run.config.stepLimit;
      const played = await holdingSession(context, origin.environment, signal, async () => {
        compared = await departure.prefix();
        return playOut(context, run, await departure.start(input), stepLimit, where, signal);
      });
      leafId = played.leafId;
      // Awaited here, because the audit or the confirmation of a success may break too.
      return await record(run, input, compared, played, signal);
    } catch (error) {
      return record(run, input, compared, endedByFault(leafId, error, signal), signal);
    }
  }

  /** The first step of a branch that a workflow of its own continues call by call. */
  async function openBranch(input: BranchInput, signal: AbortSignal): Promise<OpenedBranch> {
    const run = await store.runs.get(input.runId);
    admitRun(run);
    const origin = await store.tree.state(input.nodeId);
    // Any worker may continue.
    const wholeSteps = true;
    const known = await store.findings.branch(input.runId, branchId(input));
    if (known) {
      const { leafId: nodeId, compared } = known;
      return { nodeId, step: origin.step, stepLimit: origin.step, compared, wholeSteps, outcome: branchOutcome(known) };
    }
    const { refusal } = await startRollouts(store, scopeOf(run, input, origin), [branchId(input)]);
    if (refusal) throw refusal;
    const compared = await checkPrefix(run, input, origin, signal);
    const taken = await takeCandidate(run, input, origin, signal);
    const stepLimit = origin.step + run.config.stepLimit;
    const ended = taken.done || taken.state.step >= stepLimit;
    const outcome = ended
      ? branchOutcome(
          await record(
            run,
            input,
            compared,
            await outcomeOf(context, taken, callerOfBranch(run, input), signal),
            signal,
          ),
        )
      : null;
    return { nodeId: taken.state.id, step: taken.state.step, stepLimit, compared, wholeSteps, outcome };
  }

  /** Records how a branch ended that was continued call by call. */
  async function recordBranch(input: RecordBranchInput, signal: AbortSignal): Promise<BranchResult> {
    const run = await store.runs.get(input.runId);
    const leaf = await store.tree.state(input.leafId);
    const transition = await store.tree.transition(leaf.stateKey);
    const details = input.fault === null ? (transition?.done ? transition.details : null) : { fault: input.fault };
    const { leafId, ending, reward, success } = input;
    const outcome = isAtLimit(ending)
      ? await outcomeAtLimit(context, leaf, callerOfBranch(run, input), signal)
      : { reward, success, details };
    return branchOutcome(await record(run, input, input.compared, { leafId, ending, ...outcome }, signal));
  }

  async function checkPrefix(run: Run, input: BranchInput, state: State, signal: AbortSignal): Promise<number> {
    const environment = environments.get(state.environment);
    return insist(environment, `a replay of ${state.taskId}`, signal, () =>
      sessions.checkPrefix(state, signal, callerOfBranch(run, input)),
    );
  }

  async function takeCandidate(run: Run, input: BranchInput, state: State, signal: AbortSignal): Promise<StepTaken> {
    if (input.candidateId === '') return standing(state);
    const candidate = await store.findings.candidate(input.runId, input.candidateId);
    const { message } = candidate;
    const { purpose } = input;
    return takeStep(context, state, { message }, takerOf(run, { purpose, stream: streamOf(input) }), signal);
  }

  async function record(
    run: Run,
    input: BranchInput,
    compared: number,
    outcome: Played,
    signal: AbortSignal,
  ): Promise<Branch> {
    const leaf = await store.tree.state(outcome.leafId);
    const auditFlags = await auditSuccess(context, run, leaf, outcome, signal);
    const confirmation = outcome.success ? await confirmSuccess(context, run, leaf, signal) : null;
    const origin = await store.tree.state(input.nodeId);
    const row: Branch = {
      runId: run.id,
      id: branchId(input),
      trajectoryId: input.trajectoryId,
      nodeId: input.nodeId,
      candidateId: input.candidateId,
      purpose: input.purpose,
      rollout: input.rollout,
      leafId: leaf.id,
      steps: leaf.step - origin.step,
      environmentSteps: leaf.actions.length - origin.actions.length,
      malformed: await malformedBetween(store.tree, origin, leaf.id),
      seed: run.seed,
      ending: outcome.ending,
      reward: outcome.reward,
      success: outcome.success,
      ...confirmed(confirmation, outcome.details),
      auditFlags,
      compared,
    };
    await store.findings.addBranch(row);
    return row;
  }

  return {
    rollOut,
    rollOutAll,
    openBranch,
    recordBranch,
  };
}

/** Id of the only branch of its kind from a state. */
export function firstBranchId(nodeId: string, candidateId: string, purpose: BranchPurpose): string {
  return branchId({ nodeId, candidateId, purpose, rollout: 0 });
}

/** Does something when it is wanted for the first time. Later callers share what comes of it. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= work();
    return made;
  };
}

/** Independent of run and time, so that equal runs have equal branches. */
function branchId({
  nodeId,
  candidateId,
  purpose,
  rollout,
}: Pick<BranchInput, 'nodeId' | 'candidateId' | 'purpose' | 'rollout'>): string {
  return contentHash(['branch', nodeId, candidateId, purpose, rollout]);
}

/** For whom the steps of a branch are taken. */
function callerOfBranch(run: Run, input: BranchInput): StepCaller {
  return callerOf(run, { purpose: input.purpose, stream: streamOf(input) });
}

/** Whose ceilings a branch counts for. */
function scopeOf(run: Run, input: BranchInput, origin: State): Scope {
  const { nodeId, purpose } = input;
  return scopeOfCall(run.id, origin.taskId, { nodeId, purpose, stream: streamOf(input) });
}
