/**
 * Live sessions as a cache of the environment's function (docs/architecture.md).
 *
 * A session is kept under the key of its state. A caller that wants to act in a state takes an existing session, or rebuilds one. It rebuilds
 * from the environment's own snapshot if it must: the environment cannot be replayed, or its sessions are costly. Otherwise it opens the task
 * and replays the actions, and compares every observation, and every state hash that the environment gives, with the recorded one. If what was
 * recorded counts (`replay: 'recorded'`), it takes no action again: it tells the session the recorded steps. A recorded transition is returned
 * without any session, so that a step is idempotent.
 */
import type { Action } from '../../domain/action.ts';
import type { Json } from '../../domain/canonical-json.ts';
import { observationText } from '../../domain/observation.ts';
import { transitionStream } from '../../domain/run/transitions.ts';
import type { Task } from '../../domain/task.ts';
import { CruxError, errorText } from '../../errors.ts';
import { type Instruments, noInstruments } from '../../observe/instruments.ts';
import { type Log, silent } from '../../observe/log.ts';
import { inSpan } from '../../observe/spans.ts';
import { SharedWork } from '../../shared-work.ts';
import { contentHash } from '../../store/hash.ts';
import type { Position, RecordedOutcome, Transition, Tree } from '../../store/tree.ts';
import { nextStateKey } from '../../store/tree.ts';
import { type Environment, isCostly, type StepResult } from '../contract.ts';
import { type FirstState, firstStateOf, keyOfFirstState, requireOpening } from '../first-state.ts';
import { observedDifference, requireNewState, requireObservation, requireTools } from '../observed.ts';
import { isOpenedBySession, openingOf } from '../opening.ts';
import { outcomeFrom, requireReward } from '../outcome.ts';
import type { EnvironmentRegistry } from '../registry.ts';
import { isSameState, markOf, type SessionState, stateOf } from '../state-mark.ts';
import { type AskModel, type LiveStep, LiveSteps, type StepAccount } from './live-steps.ts';
import { tellRecorded } from './recall.ts';
import { type Live, SessionPool } from './session-pool.ts';
import { type SharedStep, SharedSteps } from './shared-steps.ts';
import { nobody, type StepCaller } from './step-caller.ts';

const free: StepAccount = async () => async () => {};

const askNobody: AskModel = async (_request, _number, { taskId }) => {
  throw new CruxError('User.Config', `A session of task ${taskId} asks a model, and nothing answers here.`);
};

/** A forgotten prefix is compared once more. */
const rememberedPrefixes = 10_000;

export type SessionCacheOptions = {
  instruments?: Instruments;
  log?: Log;
  /** Asks models for sessions. Default: nobody answers. */
  ask?: AskModel;
  /** Keeps account of what steps cost. Default: nobody does. */
  account?: StepAccount;
};

export class SessionCache {
  readonly #tree: Tree;
  readonly #environments: EnvironmentRegistry;
  readonly #pool = new SessionPool();
  readonly #live: LiveSteps;
  readonly #steps = new SharedWork<Transition>();
  readonly #sharedSteps: SharedSteps;
  /** Observations compared, by key of the state that was restored. */
  readonly #checkedPrefixes = new Map<string, number>();
  readonly #outcomes = new SharedWork<RecordedOutcome | null>();
  /** Whether sessions of an environment tell what was reached at a limit; unknown until one was asked. */
  readonly #tellsOutcome = new Map<string, boolean>();
  /** Whether sessions of an environment can tell their state; unknown for environments without a session so far. */
  readonly #knowsStates = new Map<string, boolean>();
  /** Sessions that had to be rebuilt by replay since this process started. */
  rebuilt = 0;
  readonly #instruments: Instruments;
  readonly #log: Log;

  constructor(
    tree: Tree,
    environments: EnvironmentRegistry,
    { instruments = noInstruments, log = silent, ask = askNobody, account = free }: SessionCacheOptions = {},
  ) {
    this.#tree = tree;
    this.#sharedSteps = new SharedSteps(tree.sharedResults);
    this.#live = new LiveSteps(ask, account, (error) => log('warn', 'a session asked when it may not', { error }));
    this.#environments = environments;
    this.#instruments = instruments;
    this.#log = log;
  }

  /** Live sessions by environment. */
  get open(): ReadonlyMap<string, number> {
    return this.#pool.counts;
  }

  /**
   * Takes an action in a state. After a fault the session is closed: the next attempt gets a new one.
   * @throws CruxError `Environment.Fault` when the environment breaks, `Environment.ReplayDivergence` when it no longer does what it did
   */
  step(state: Position, action: Action, signal: AbortSignal, caller: StepCaller = nobody): Promise<Transition> {
    const key = nextStateKey(state.stateKey, action, transitionStream(caller.run?.config ?? {}, caller));
    // Reading is part of the shared work: otherwise a step that is recorded meanwhile would be taken again.
    const work = async (shared: AbortSignal) =>
      (await this.#tree.transition(key)) ??
      inSpan(`environment step ${state.environment}`, { ...placeOf(state), 'crux.step': state.step + 1 }, () =>
        this.#takeStep(state, action, { key, caller }, shared),
      );
    return this.#steps.join(key, work, signal);
  }

  /**
   * The same, with the resulting state if the environment can tell it. If the step was recorded without its state, the actions that lead
   * there are replayed once to fill it in.
   * @throws CruxError as `step`
   */
  async stepToState(
    state: Position,
    action: Action,
    signal: AbortSignal,
    caller: StepCaller = nobody,
  ): Promise<Transition> {
    const transition = await this.step(state, action, signal, caller);
    if (transition.done || transition.mark || this.#knowsStates.get(state.environment) === false) return transition;
    const { key } = transition;
    await this.#steps.join(
      `mark ${key}`,
      (shared) => this.#fillIn(state, action, { recorded: transition, caller }, shared),
      signal,
    );
    return (await this.#tree.transition(key)) ?? transition;
  }

  /**
   * Proves that a state can be restored: replays its actions and compares all observations, once per state and process. If replay is
   * impossible, restores the state from its snapshot, or from the recording.
   * @returns how many observations were compared; 0 for a snapshot or a recording
   * @throws CruxError `Environment.ReplayDivergence`
   */
  async checkPrefix(state: Position, signal: AbortSignal, caller: StepCaller = nobody): Promise<number> {
    const known = this.#checkedPrefixes.get(state.stateKey);
    if (known !== undefined) return known;
    const { live, compared } = await this.#rebuild(state, signal, caller, true);
    if (this.#checkedPrefixes.size >= rememberedPrefixes) this.#checkedPrefixes.clear();
    this.#checkedPrefixes.set(state.stateKey, compared);
    await this.#pool.keep(live);
    return compared;
  }

  /**
   * What the environment says that a trajectory is worth which a limit ends in a state.
   * @returns null when its sessions do not tell
   * @throws CruxError as `step`
   */
  async outcome(state: Position, signal: AbortSignal, caller: StepCaller = nobody): Promise<RecordedOutcome | null> {
    if (this.#tellsOutcome.get(state.environment) === false) return null;
    const work = async (shared: AbortSignal) =>
      (await this.#tree.outcomeSoFar(state.stateKey)) ?? this.#askOutcome(state, shared, caller);
    return this.#outcomes.join(state.stateKey, work, signal);
  }

  /**
   * What an agent reads in a task's first state. A session that is opened for it is kept for the first step.
   * @throws CruxError as `step`
   */
  async openFirst(
    environment: Environment,
    task: Task,
    signal: AbortSignal,
    caller: StepCaller = nobody,
  ): Promise<FirstState> {
    if (!isOpenedBySession(environment)) return firstStateOf(environment, await openingOf(environment, task, null));
    const place = { taskId: task.id, key: keyOfFirstState(environment, task.id, { given: null }), nodeId: '', caller };
    const live = await this.#pool.open(
      environment,
      '',
      () => this.#live.open(environment, task, place, undefined, signal),
      signal,
    );
    try {
      const first = firstStateOf(environment, await openingOf(environment, task, live.session));
      await this.#pool.keep({ ...live, stateKey: keyOfFirstState(environment, task.id, first) });
      return first;
    } catch (error) {
      await this.#pool.close(live);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#pool.closeAll();
  }

  async #takeStep(
    state: Position,
    action: Action,
    { key, caller }: { key: string; caller: StepCaller },
    signal: AbortSignal,
  ): Promise<Transition> {
    const live = this.#pool.take(state.stateKey) ?? (await this.#rebuild(state, signal, caller)).live;
    const { environment, session } = live;
    const step: LiveStep = { state, action, number: state.step + 1, key, caller };
    try {
      const before = await this.#stateOf(live);
      const startedAt = performance.now();
      const { result, how } = await this.#sharedSteps.take(
        live,
        action,
        caller,
        () => this.#live.step(live, step, signal),
        signal,
      );
      const seconds = (performance.now() - startedAt) / 1000;
      if (how !== 'told') this.#instruments.stepSeconds.record(seconds, { environment: environment.name });
      const isInState = how !== 'overtaken' && !result.done;
      const wantsSnapshot = isInState && needsSnapshots(environment) && session.snapshot !== undefined;
      const snapshot = wantsSnapshot ? await session.snapshot!() : undefined;
      const after = isInState ? await stateOf(environment, session, snapshot) : null;
      const made = { ...transitionFrom(environment, state, key, result), mark: markOf(before, after) };
      requireNewState(made, state.given.length > 0 ? state.given : (environment.tools ?? []));
      const transition = await this.#tree.addTransition(made, recorder(caller, how));
      // Another worker was first. Where results may differ, the recording counts, and this session is in another state.
      const isOvertaken =
        how === 'overtaken' || (transition !== made && environment.capabilities.replay === 'recorded');
      if (!isOvertaken && !isSame(transition, result, after))
        throw divergence(environment, state, state.actions.length + 1, transition, result);
      if (transition.done || isOvertaken) {
        await this.#pool.close(live);
        return transition;
      }
      if (snapshot !== undefined) await this.#tree.addSnapshot(key, snapshot);
      await this.#pool.keep({ ...live, stateKey: key, state: after });
      return transition;
    } catch (error) {
      // A step for which there is no room now leaves its session as it was.
      const isPutOff = !step.hasBegun && error instanceof CruxError && /^(Run|Task|Step)\./.test(error.kind);
      await (isPutOff ? this.#pool.keep(live) : this.#pool.close(live));
      throw this.#fault(environment, state, error, signal);
    }
  }

  async #askOutcome(state: Position, signal: AbortSignal, caller: StepCaller): Promise<RecordedOutcome | null> {
    const live = this.#pool.take(state.stateKey) ?? (await this.#rebuild(state, signal, caller)).live;
    const { environment, session } = live;
    this.#tellsOutcome.set(environment.name, session.outcome !== undefined);
    try {
      const told = await this.#live.outcome(live, state, caller, signal);
      const outcome = told && outcomeFrom(environment, told);
      await this.#pool.keep(live);
      return outcome && this.#tree.addOutcomeSoFar(state.stateKey, outcome);
    } catch (error) {
      await this.#pool.close(live);
      throw this.#fault(environment, state, error, signal);
    }
  }

  /** Uses the state that the session is known to be in; asks the session if it is unknown. */
  async #stateOf({ environment, session, state }: Live): Promise<SessionState> {
    const known = state === undefined ? await stateOf(environment, session) : state;
    this.#knowsStates.set(environment.name, known !== null);
    return known;
  }

  /** Takes a recorded step once more in a restored session, or reads its snapshot if nothing is replayed. */
  async #fillIn(
    state: Position,
    action: Action,
    { recorded, caller }: { recorded: Transition; caller: StepCaller },
    signal: AbortSignal,
  ): Promise<Transition> {
    const environment = this.#environments.get(state.environment);
    if (environment.capabilities.replay !== 'compare') {
      const [before, after] = [await this.#tree.snapshot(state.stateKey), await this.#tree.snapshot(recorded.key)];
      const states = [before, after].map((snapshot) => snapshotState(environment, snapshot));
      const mark = markOf(states[0]!, states[1]!);
      if (mark) await this.#tree.addMark(recorded.key, mark);
      return recorded;
    }
    const { live } = await this.#rebuild(state, signal, caller, true);
    try {
      const before = await this.#stateOf(live);
      if (before === null) {
        await this.#pool.keep(live);
        return recorded;
      }
      const { session } = live;
      const { key } = recorded;
      const result = await this.#live.step(live, { state, action, number: state.step + 1, key, caller }, signal);
      const after = result.done ? null : await stateOf(environment, session);
      if (!isSame(recorded, result, after))
        throw divergence(environment, state, state.actions.length + 1, recorded, result);
      const mark = markOf(before, after);
      if (mark) await this.#tree.addMark(recorded.key, mark);
      await this.#pool.keep({ ...live, stateKey: recorded.key, state: after });
      return recorded;
    } catch (error) {
      await this.#pool.close(live);
      throw this.#fault(environment, state, error, signal);
    }
  }

  /** @param compare whether replay is wanted for its comparisons, although a snapshot would do */
  async #rebuild(
    state: Position,
    signal: AbortSignal,
    caller: StepCaller,
    compare = false,
  ): Promise<{ live: Live; compared: number }> {
    const environment = this.#environments.get(state.environment);
    const { replay } = environment.capabilities;
    const wantsSnapshot = needsSnapshots(environment) && state.actions.length > 0 && !(compare && replay === 'compare');
    const snapshot = wantsSnapshot ? await this.#tree.snapshot(state.stateKey) : undefined;
    if (state.actions.length > 0 && replay === 'never' && snapshot === undefined) {
      throw new CruxError(
        'Environment.Fault',
        `The session of ${environment.name}/${state.taskId} is gone; this environment cannot be replayed and has no snapshot of it.`,
        { remedy: 'The trajectory ends here; nothing was repeated.' },
      );
    }
    const task = await this.#environments.task(environment.name, state.taskId);
    const { taskId, rootId: nodeId } = state;
    // Without its opening, which is not known when a session opens for the first time.
    const key = keyOfFirstState(environment, taskId, { given: null });
    const open = () =>
      this.#live.open(environment, task, { taskId, key, nodeId, caller }, snapshot, signal).catch((error: unknown) => {
        throw this.#fault(environment, state, error, signal);
      });
    const live = await this.#pool.open(environment, state.stateKey, open, signal);
    if (state.actions.length > 0) this.#noteRebuild(environment, state, snapshot !== undefined);
    if (snapshot !== undefined) return { live, compared: 0 };
    try {
      await requireOpening(environment, task, live.session, await this.#tree.state(state.rootId));
      if (replay === 'recorded')
        return {
          live: { ...live, state: await tellRecorded(this.#tree, environment, live.session, state) },
          compared: 0,
        };
      return await this.#replay(live, state, caller, signal);
    } catch (error) {
      await this.#pool.close(live);
      throw this.#fault(environment, state, error, signal);
    }
  }

  #noteRebuild({ name }: Environment, state: Position, fromSnapshot: boolean): void {
    this.rebuilt++;
    this.#instruments.sessionsRebuilt.add(1, { environment: name });
    const fields = { environment: name, task: state.taskId, step: state.step, fromSnapshot };
    this.#log('debug', 'session rebuilt', fields);
  }

  #fault(environment: Environment, state: Position, error: unknown, signal: AbortSignal): unknown {
    const fault = environmentFault(environment, state, error, signal);
    const fields = { environment: environment.name, task: state.taskId, step: state.step };
    const kind = fault instanceof CruxError ? fault.kind : null;
    if (kind === 'Environment.Fault') {
      this.#instruments.environmentFaults.add(1, { environment: environment.name });
      this.#log('warn', 'environment broke', { ...fields, error: fault });
    }
    if (kind === 'Environment.ReplayDivergence') {
      this.#instruments.divergences.add(1, { environment: environment.name });
      // The error holds what was observed, and the store keeps the error. Logs hold no observations.
      this.#log('warn', 'replay diverged', fields);
    }
    return fault;
  }

  /**
   * Fills in the state of steps that were recorded without it. @returns the session in the state, and how many observations were compared
   * with the recorded ones.
   */
  async #replay(
    live: Live,
    state: Position,
    caller: StepCaller,
    signal: AbortSignal,
  ): Promise<{ live: Live; compared: number }> {
    const { environment, session } = live;
    const keys = state.actionKeys;
    let compared = 0;
    let now: SessionState | undefined;
    for (const [index, action] of state.actions.entries()) {
      const key = keys[index]!;
      const recorded = await this.#tree.transition(key);
      const isMarked = recorded?.mark !== null;
      const before = isMarked ? null : now === undefined ? await stateOf(environment, session) : now;
      const result = await this.#live.step(live, { state, action, number: index + 1, key, caller }, signal);
      // A snapshot would be taken only to be recorded: it is not compared.
      const asks = !result.done && (session.stateHash !== undefined || !isMarked);
      now = asks ? await stateOf(environment, session) : undefined;
      if (!recorded) continue;
      compared++;
      if (!isSame(recorded, result, now ?? null)) throw divergence(environment, state, index + 1, recorded, result);
      const mark = isMarked ? null : markOf(before, now ?? null);
      if (mark) await this.#tree.addMark(recorded.key, mark);
    }
    return { live: now === undefined ? live : { ...live, state: now }, compared };
  }
}

function snapshotState({ observesAll }: Environment, snapshot: Json | undefined): SessionState {
  return snapshot === undefined || observesAll ? null : { hash: contentHash(snapshot), by: 'snapshot' };
}

/** A step that a session was only told is none that the environment took. */
function recorder({ recordedBy }: StepCaller, how: SharedStep['how']): string | null {
  return recordedBy !== null && how === 'told' ? `told ${recordedBy}` : recordedBy;
}

function placeOf({ environment, taskId }: Position) {
  return { 'crux.environment': environment, 'crux.task': taskId };
}

/** Replay proves more and stores nothing, so it is preferred if it is possible and cheap. */
function needsSnapshots(environment: Environment): boolean {
  return environment.capabilities.replay !== 'compare' || isCostly(environment);
}

function isSame(recorded: Transition, result: StepResult, now: SessionState): boolean {
  const { done, mark } = recorded;
  return done === result.done && observedDifference(recorded, result) === null && isSameState(mark, now);
}

/** @throws Error for an invalid outcome: a broken grader is not the policy's failure */
function transitionFrom(environment: Environment, state: Position, key: string, result: StepResult): Transition {
  const { observation, tools, done, details } = result;
  requireObservation(observation);
  if (tools !== undefined) requireTools(tools);
  const reward = done ? (result.reward ?? null) : null;
  if (reward !== null) requireReward(reward);
  const success = result.success ?? (reward === null ? null : reward >= environment.successAt);
  if (done && success === null) throw new Error('it ended the task without a reward and without a success flag');
  return {
    key,
    parentKey: state.stateKey,
    observation,
    tools: tools ?? null,
    done,
    reward,
    success: done ? success : null,
    details: details || null,
    mark: null,
  };
}

function environmentFault(environment: Environment, state: Position, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof CruxError) return error;
  return new CruxError(
    'Environment.Fault',
    `The environment ${environment.name} failed in task ${state.taskId} after ${state.step} steps: ${errorText(error)}`,
    { cause: error },
  );
}

function divergence(
  environment: Environment,
  state: Position,
  action: number,
  recorded: Transition,
  now: StepResult,
): CruxError {
  const short = ({ observation, done }: Pick<StepResult, 'observation' | 'done'>) => {
    const text = observationText(observation);
    return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text) + (done ? ' and the end' : '');
  };
  const difference = observedDifference(recorded, now);
  const isSeen = difference === 'another observation' || recorded.done !== now.done;
  const unseen = difference === null ? 'the state hash is another one' : 'the tools are others';
  return new CruxError(
    'Environment.ReplayDivergence',
    `Replay of ${environment.name}/${state.taskId} diverged at action ${action}: ${isSeen ? `recorded ${short(recorded)}, now ${short(now)}` : `${short(now)} as recorded, but ${unseen}`}.`,
    { remedy: 'Run `crux check-env` on the environment: the same actions must always give the same observations.' },
  );
}
