/**
 * Live sessions as a cache of the environment's function (docs/architecture.md).
 *
 * A session is kept under the key of its state. A caller that wants to act in a state takes an existing session, or has the state restored. A recorded
 * transition is returned without any session, so that a step is idempotent.
 */
import type { Action } from '../../domain/action.ts';
import type { Json } from '../../domain/canonical-json.ts';
import { transitionStream } from '../../domain/run/transitions.ts';
import type { Task } from '../../domain/task.ts';
import { CruxError } from '../../errors.ts';
import { type Instruments, noInstruments } from '../../observe/instruments.ts';
import { type Log, silent } from '../../observe/log.ts';
import { inSpan } from '../../observe/spans.ts';
import { SharedWork } from '../../shared-work.ts';
import { contentHash } from '../../store/hash.ts';
import type { Position, RecordedOutcome, Transition, Tree } from '../../store/tree.ts';
import { nextStateKey, outcomeKey } from '../../store/tree.ts';
import { type Environment, isCostly } from '../contract.ts';
import { type FirstState, firstStateOf, keyOfFirstState } from '../first-state.ts';
import { requireNewState } from '../observed.ts';
import { isOpenedBySession, openingOf } from '../opening.ts';
import { outcomeFrom } from '../outcome.ts';
import type { EnvironmentRegistry } from '../registry.ts';
import { markOf, type SessionState, stateOf } from '../state-mark.ts';
import type { Live } from './live.ts';
import { type AskModel, type LiveStep, LiveSteps, type StepAccount } from './live-steps.ts';
import { divergence, isSame, transitionFrom } from './recorded-step.ts';
import { needsSnapshots, Restoring } from './restoring.ts';
import { faultNamer, type NameFault } from './session-faults.ts';
import { SessionPool } from './session-pool.ts';
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
  readonly #restoring: Restoring;
  readonly #faultOf: NameFault;
  readonly #steps = new SharedWork<Transition>();
  readonly #sharedSteps: SharedSteps;
  /** Observations compared, by key of the state that was restored. */
  readonly #checkedPrefixes = new Map<string, number>();
  readonly #outcomes = new SharedWork<RecordedOutcome | null>();
  /** Whether sessions of an environment tell what was reached at a limit; unknown until one was asked. */
  readonly #tellsOutcome = new Map<string, boolean>();
  /** Whether sessions of an environment can tell their state; unknown for environments without a session so far. */
  readonly #knowsStates = new Map<string, boolean>();
  /** States that had to be restored since this process started. */
  rebuilt = 0;
  readonly #instruments: Instruments;

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
    this.#faultOf = faultNamer(instruments, log);
    this.#restoring = new Restoring({
      ...{ tree, environments, pool: this.#pool, live: this.#live, faultOf: this.#faultOf },
      onRestored: ({ name }, { taskId, step }, fromSnapshot) => {
        this.rebuilt++;
        instruments.sessionsRebuilt.add(1, { environment: name });
        log('debug', 'session rebuilt', { environment: name, task: taskId, step, fromSnapshot });
      },
    });
  }

  /** Live sessions by environment. */
  get open(): ReadonlyMap<string, number> {
    return this.#pool.counts;
  }

  /** Callers that wait for a session, by environment. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#pool.waiting;
  }

  /**
   * Does work that plays out in an environment. If its sessions are costly, the work has one to itself, from its first state to its end, and waits
   * until there is one for it. What it asks of sessions comes one after another.
   * @param signal ends the waiting
   * @throws what the work throws, or the signal's reason
   */
  hold<T>(environment: Environment, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.#pool.hold(environment, signal, work);
  }

  /**
   * Takes an action in a state. After a fault the session is closed: the next attempt gets a new one.
   * @throws CruxError `Environment.Fault` when the environment breaks, `Environment.ReplayDivergence` when it no longer does what it did
   */
  async step(state: Position, action: Action, signal: AbortSignal, caller: StepCaller = nobody): Promise<Transition> {
    const environment = this.#environments.get(state.environment);
    const key = stepKey(state, action, caller);
    // Reading is part of the shared work: otherwise a step that is recorded meanwhile would be taken again.
    const work = async (shared: AbortSignal) =>
      (await this.#tree.transition(key)) ??
      inSpan(`environment step ${state.environment}`, { ...placeOf(state), 'crux.step': state.step + 1 }, () =>
        this.#takeStep(state, action, { key, caller }, shared),
      );
    // What is recorded needs no session, so it waits for none.
    const known = isCostly(environment) ? await this.#tree.transition(key) : null;
    return known ?? this.#share(this.#steps, environment, key, work, signal);
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
    await this.#share(
      this.#steps,
      this.#environments.get(state.environment),
      `mark ${key}`,
      (shared) => this.#fillIn(state, action, { recorded: transition, caller }, shared),
      signal,
    );
    return (await this.#tree.transition(key)) ?? transition;
  }

  /** Whether a step would be returned without being taken. */
  async isRecorded(state: Position, action: Action, caller: StepCaller): Promise<boolean> {
    return (await this.#tree.transition(stepKey(state, action, caller))) !== null;
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
    return this.hold(this.#environments.get(state.environment), signal, async () => {
      const { live, compared } = await this.#restoring.restore(state, signal, caller, true);
      if (this.#checkedPrefixes.size >= rememberedPrefixes) this.#checkedPrefixes.clear();
      this.#checkedPrefixes.set(state.stateKey, compared);
      await this.#pool.keep(live);
      return compared;
    });
  }

  /**
   * What the environment says that a trajectory is worth which a limit ends in a state.
   * @returns null when its sessions do not tell
   * @throws CruxError as `step`
   */
  async outcome(state: Position, signal: AbortSignal, caller: StepCaller = nobody): Promise<RecordedOutcome | null> {
    if (this.#tellsOutcome.get(state.environment) === false) return null;
    const environment = this.#environments.get(state.environment);
    const key = outcomeKey(state.stateKey, transitionStream(caller.run?.config ?? {}, caller));
    const work = async (shared: AbortSignal) =>
      (await this.#tree.outcomeSoFar(key)) ?? this.#askOutcome(state, { key, caller }, shared);
    const known = isCostly(environment) ? await this.#tree.outcomeSoFar(key) : null;
    return known ?? this.#share(this.#outcomes, environment, key, work, signal);
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
    const open = () => this.#live.open(environment, task, place, undefined, signal);
    return this.hold(environment, signal, async () => {
      const live = await this.#pool.open(environment, '', open, signal);
      try {
        const first = firstStateOf(environment, await openingOf(environment, task, live.session));
        await this.#pool.keep({ ...live, stateKey: keyOfFirstState(environment, task.id, first) });
        return first;
      } catch (error) {
        await this.#pool.close(live);
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.#pool.closeAll();
  }

  /**
   * Work that several callers may want at once. A caller waits for a session before it joins: others must never wait for work that waits for the
   * session that they hold. The work holds that session too, because it may outlive the caller that began it.
   */
  #share<T>(
    shared: SharedWork<T>,
    environment: Environment,
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const holding = (ofWork: AbortSignal) => this.hold(environment, ofWork, () => work(ofWork));
    return this.hold(environment, signal, () => shared.join(key, holding, signal));
  }

  async #takeStep(
    state: Position,
    action: Action,
    { key, caller }: { key: string; caller: StepCaller },
    signal: AbortSignal,
  ): Promise<Transition> {
    const live = this.#pool.take(state) ?? (await this.#restoring.restore(state, signal, caller)).live;
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
      throw this.#faultOf(environment, state, error, signal);
    }
  }

  async #askOutcome(
    state: Position,
    { key, caller }: { key: string; caller: StepCaller },
    signal: AbortSignal,
  ): Promise<RecordedOutcome | null> {
    const live = this.#pool.take(state) ?? (await this.#restoring.restore(state, signal, caller)).live;
    const { environment, session } = live;
    this.#tellsOutcome.set(environment.name, session.outcome !== undefined);
    try {
      const told = await this.#live.outcome(live, state, { key, caller }, signal);
      const outcome = told && outcomeFrom(environment, told);
      await this.#pool.keep(live);
      return outcome && this.#tree.addOutcomeSoFar(key, state.stateKey, outcome);
    } catch (error) {
      await this.#pool.close(live);
      throw this.#faultOf(environment, state, error, signal);
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
    const { live } = await this.#restoring.restore(state, signal, caller, true);
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
      throw this.#faultOf(environment, state, error, signal);
    }
  }
}

function stepKey({ stateKey }: Position, action: Action, caller: StepCaller): string {
  return nextStateKey(stateKey, action, transitionStream(caller.run?.config ?? {}, caller));
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
