import type { Environment, Session } from '../contract.ts';
import type { Misuse } from '../session-context.ts';
import type { SessionState } from '../state-mark.ts';

/** A session, under the key of its state. */
export type Live = {
  session: Session;
  environment: Environment;
  stateKey: string;
  misuse: Misuse;
  /** The state in a form that can be compared, once it was asked for. */
  state?: SessionState;
};

/**
 * The sessions that this process holds, each either idle or in use by one caller. An environment never has more than its `maxSessions`: the
 * idle session that was unused for longest makes room. If all are in use, the next caller waits.
 */
export class SessionPool {
  /** Least recently used first. */
  readonly #idle: Live[] = [];
  /** Sessions by environment, idle or in use. */
  readonly #open = new Map<string, number>();
  readonly #waiting: { environment: string; wake: () => void }[] = [];
  #isClosed = false;

  /** How many sessions of each environment there are, idle or in use. */
  get counts(): ReadonlyMap<string, number> {
    return this.#open;
  }

  /** An idle session in this state, if there is one. It belongs to the caller until it is kept or closed. */
  take(stateKey: string): Live | undefined {
    const index = this.#idle.findIndex((live) => live.stateKey === stateKey);
    return index < 0 ? undefined : this.#idle.splice(index, 1)[0];
  }

  /** Waits until there is room for one more session, and opens it. */
  async open(
    environment: Environment,
    stateKey: string,
    make: () => Promise<{ session: Session; misuse: Misuse }>,
    signal: AbortSignal,
  ): Promise<Live> {
    await this.#makeRoom(environment, signal);
    try {
      return { ...(await make()), environment, stateKey };
    } catch (error) {
      this.#freePlace(environment.name);
      throw error;
    }
  }

  /** Gives a session back for others. */
  async keep(live: Live): Promise<void> {
    if (this.#isClosed) return this.close(live);
    this.#idle.push(live);
    this.#wakeOne(live.environment.name);
  }

  /** Ends a session. One that cannot be closed is of no use to anyone; the environment has had its request to close. */
  async close({ session, environment }: Live): Promise<void> {
    try {
      await session.close?.();
    } catch {
      // See above.
    } finally {
      this.#freePlace(environment.name);
    }
  }

  /** Ends all idle sessions; those in use end when they are given back. */
  async closeAll(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#idle.splice(0).map((live) => this.close(live)));
  }

  async #makeRoom({ name, capabilities }: Environment, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const open = this.#open.get(name) ?? 0;
      if (open < capabilities.maxSessions) {
        this.#open.set(name, open + 1);
        return;
      }
      const oldest = this.#idle.findIndex((live) => live.environment.name === name);
      if (oldest >= 0) await this.close(this.#idle.splice(oldest, 1)[0]!);
      else await this.#change(name, signal);
    }
  }

  #change(environment: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = {
        environment,
        wake: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #freePlace(environment: string): void {
    this.#open.set(environment, (this.#open.get(environment) ?? 1) - 1);
    this.#wakeOne(environment);
  }

  #wakeOne(environment: string): void {
    const index = this.#waiting.findIndex((waiter) => waiter.environment === environment);
    if (index >= 0) this.#waiting.splice(index, 1)[0]!.wake();
  }
}
