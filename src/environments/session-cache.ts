/**
 * Live sessions as a cache of the environment's function (docs/architecture.md).
 *
 * A session is kept under the key of the state that it is in. Whoever wants to act in a state takes a session that is there, or rebuilds
 * one: opens the task and replays the actions, comparing every observation with the recorded one. A recorded transition is returned
 * without any session, so that a step is idempotent.
 */
import type { Action } from '../domain/action.ts';
import type { Task } from '../domain/task.ts';
import { CruxError, errorText } from '../errors.ts';
import type { State, Transition, Tree } from '../store/tree.ts';
import { nextStateKey } from '../store/tree.ts';
import type { Environment, Session, StepResult } from './contract.ts';
import type { EnvironmentRegistry } from './registry.ts';

type Live = { session: Session; environment: string; stateKey: string };

export class SessionCache {
  readonly #tree: Tree;
  readonly #environments: EnvironmentRegistry;
  /** Idle sessions, least recently used first. */
  readonly #idle: Live[] = [];
  readonly #checkedPrefixes = new Set<string>();
  readonly #underWay = new Map<string, Promise<Transition>>();
  /** Sessions that had to be rebuilt by replay, since this process started. */
  rebuilt = 0;

  constructor(tree: Tree, environments: EnvironmentRegistry) {
    this.#tree = tree;
    this.#environments = environments;
  }

  /**
   * Takes an action in a state.
   * @throws CruxError `Environment.Fault` when the environment breaks, `Environment.ReplayDivergence` when it no longer does what it did
   */
  async step(state: State, action: Action, signal: AbortSignal): Promise<Transition> {
    const key = nextStateKey(state.stateKey, action);
    const recorded = await this.#tree.transition(key);
    if (recorded) return recorded;
    const shared = this.#underWay.get(key);
    if (shared) return shared;
    const mine = this.#takeStep(state, action, key, signal).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, mine);
    return mine;
  }

  /**
   * Proves that a state can be restored: replays its actions and compares all observations, once per state and process.
   * @returns how many observations were compared
   * @throws CruxError `Environment.ReplayDivergence`
   */
  async checkPrefix(state: State, signal: AbortSignal): Promise<number> {
    if (!this.#checkedPrefixes.has(state.stateKey)) {
      const environment = this.#environments.get(state.environment);
      const live = await this.#rebuild(environment, state, signal);
      await this.#keep(live);
      this.#checkedPrefixes.add(state.stateKey);
    }
    return state.actions.length;
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((live) => closeQuietly(live.session)));
  }

  async #takeStep(state: State, action: Action, key: string, signal: AbortSignal): Promise<Transition> {
    const environment = this.#environments.get(state.environment);
    const live = this.#take(state) ?? (await this.#rebuild(environment, state, signal));
    let result: StepResult;
    try {
      result = await live.session.step(action, signal);
    } catch (error) {
      await closeQuietly(live.session);
      throw environmentFault(environment, state, error);
    }
    const transition = await this.#tree.addTransition(transitionFrom(environment, state.stateKey, key, result));
    if (transition.observation !== result.observation) {
      await closeQuietly(live.session);
      throw divergence(environment, state, state.actions.length + 1, transition.observation, result.observation);
    }
    if (result.done) await closeQuietly(live.session);
    else await this.#keep({ ...live, stateKey: key });
    return transition;
  }

  #take(state: State): Live | undefined {
    const index = this.#idle.findIndex((live) => live.stateKey === state.stateKey);
    return index < 0 ? undefined : this.#idle.splice(index, 1)[0];
  }

  async #keep(live: Live): Promise<void> {
    this.#idle.push(live);
    const { maxSessions } = this.#environments.get(live.environment).capabilities;
    const own = this.#idle.filter((other) => other.environment === live.environment);
    for (const old of own.slice(0, Math.max(0, own.length - maxSessions))) {
      this.#idle.splice(this.#idle.indexOf(old), 1);
      await closeQuietly(old.session);
    }
  }

  async #rebuild(environment: Environment, state: State, signal: AbortSignal): Promise<Live> {
    if (state.actions.length > 0 && !environment.capabilities.deterministic) {
      throw new CruxError(
        'Environment.Fault',
        `The session of ${environment.name}/${state.taskId} is gone, and this environment cannot be replayed.`,
        { remedy: 'The trajectory ends here; nothing was repeated.' },
      );
    }
    const task: Task = await this.#environments.task(environment.name, state.taskId);
    let session: Session;
    try {
      session = await environment.open(task);
    } catch (error) {
      throw environmentFault(environment, state, error);
    }
    if (state.actions.length > 0) this.rebuilt++;
    for (const [index, action] of state.actions.entries()) {
      let result: StepResult;
      try {
        result = await session.step(action, signal);
      } catch (error) {
        await closeQuietly(session);
        throw environmentFault(environment, state, error);
      }
      const recorded = await this.#tree.transition(state.actionKeys[index]!);
      if (recorded && recorded.observation !== result.observation) {
        await closeQuietly(session);
        throw divergence(environment, state, index + 1, recorded.observation, result.observation);
      }
    }
    return { session, environment: environment.name, stateKey: state.stateKey };
  }
}

function transitionFrom(environment: Environment, parentKey: string, key: string, result: StepResult): Transition {
  const reward = result.done ? (result.reward ?? null) : null;
  const success = result.done ? (result.success ?? (reward === null ? false : reward >= environment.successAt)) : null;
  return {
    key,
    parentKey,
    observation: result.observation,
    done: result.done,
    reward,
    success,
    details: result.details ? JSON.stringify(result.details) : null,
  };
}

function environmentFault(environment: Environment, state: State, error: unknown): CruxError {
  if (error instanceof CruxError) return error;
  return new CruxError(
    'Environment.Fault',
    `The environment ${environment.name} failed in task ${state.taskId} after ${state.step} steps: ${errorText(error)}`,
    { cause: error },
  );
}

function divergence(environment: Environment, state: State, action: number, recorded: string, now: string): CruxError {
  const short = (text: string) => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
  return new CruxError(
    'Environment.ReplayDivergence',
    `Replay of ${environment.name}/${state.taskId} diverged at action ${action}: recorded ${short(recorded)}, now ${short(now)}.`,
    { remedy: 'Run `crux check-env` on the environment: the same actions must always give the same observations.' },
  );
}

/** A session that cannot be closed is of no use to anyone; the environment has been told. */
async function closeQuietly(session: Session): Promise<void> {
  try {
    await session.close?.();
  } catch {
    // See above.
  }
}
