/**
 * Restores a state whose session is gone. If it must, from the environment's own snapshot: the environment cannot be replayed, or its sessions are
 * costly. Otherwise it opens the task and replays the actions, and compares every observation, and every state hash that the environment gives, with
 * the recorded one. If what was recorded counts (`replay: 'recorded'`), it takes no action again: it tells the session the recorded steps.
 */
import { CruxError } from '../../errors.ts';
import type { Position, Tree } from '../../store/tree.ts';
import { type Environment, isCostly } from '../contract.ts';
import { keyOfFirstState, requireOpening } from '../first-state.ts';
import type { EnvironmentRegistry } from '../registry.ts';
import { markOf, type SessionState, stateOf } from '../state-mark.ts';
import type { Live } from './live.ts';
import type { LiveSteps } from './live-steps.ts';
import { tellRecorded } from './recall.ts';
import { divergence, isSame } from './recorded-step.ts';
import type { NameFault } from './session-faults.ts';
import type { SessionPool } from './session-pool.ts';
import type { StepCaller } from './step-caller.ts';

/** A session in the wanted state, and how many observations were compared with the recorded ones: none but by a replay. */
export type Restored = { live: Live; compared: number };

export type RestoringParts = {
  tree: Tree;
  environments: EnvironmentRegistry;
  pool: SessionPool;
  live: LiveSteps;
  faultOf: NameFault;
  /** Told of every state after a step that was restored. */
  onRestored(environment: Environment, state: Position, fromSnapshot: boolean): void;
};

export class Restoring {
  readonly #tree: Tree;
  readonly #environments: EnvironmentRegistry;
  readonly #pool: SessionPool;
  readonly #live: LiveSteps;
  readonly #faultOf: NameFault;
  readonly #onRestored: RestoringParts['onRestored'];

  constructor({ tree, environments, pool, live, faultOf, onRestored }: RestoringParts) {
    this.#tree = tree;
    this.#environments = environments;
    this.#pool = pool;
    this.#live = live;
    this.#faultOf = faultOf;
    this.#onRestored = onRestored;
  }

  /**
   * @param compare whether replay is wanted for its comparisons, although a snapshot would do
   * @throws CruxError `Environment.Fault` if it cannot be restored, `Environment.ReplayDivergence` if it is no longer what it was
   */
  async restore(state: Position, signal: AbortSignal, caller: StepCaller, compare = false): Promise<Restored> {
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
        throw this.#faultOf(environment, state, error, signal);
      });
    const live = await this.#pool.open(environment, state.stateKey, open, signal);
    if (state.actions.length > 0) this.#onRestored(environment, state, snapshot !== undefined);
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
      throw this.#faultOf(environment, state, error, signal);
    }
  }

  /** Fills in the state of steps that were recorded without it. */
  async #replay(live: Live, state: Position, caller: StepCaller, signal: AbortSignal): Promise<Restored> {
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

/** Replay proves more and stores nothing, so it is preferred if it is possible and cheap. */
export function needsSnapshots(environment: Environment): boolean {
  return environment.capabilities.replay !== 'compare' || isCostly(environment);
}
