import type { Position } from '../../store/tree.ts';
import { type Environment, isCostly, type Session } from '../contract.ts';
import type { Misuse } from '../session-context.ts';
import type { Live } from './live.ts';
import { type Lease, SessionLeases } from './session-leases.ts';
import { WaitingLines } from './waiting-lines.ts';

/**
 * The sessions that this process holds. An environment never has more than its `maxSessions`: the idle session that was unused for longest makes
 * room. If all are in use, the next caller waits. Sessions of a lease (session-leases.ts) are in use until it ends.
 */
export class SessionPool {
  /** Least recently used first. */
  readonly #idle: Live[] = [];
  /** Sessions by environment, idle or in use. */
  readonly #open = new Map<string, number>();
  readonly #lines = new WaitingLines();
  readonly #leases = new SessionLeases((live) => this.keep(live));
  #isClosed = false;

  /** How many sessions of each environment there are, idle or in use. */
  get counts(): ReadonlyMap<string, number> {
    return this.#open;
  }

  /** How many callers wait for a session, by environment. */
  get waiting(): ReadonlyMap<string, number> {
    // A line for sessions and one for leases: where sessions are costly, only a lease opens one, and finds room.
    return new Map([...this.#lines.lengths, ...this.#leases.waiting]);
  }

  /** Does work that, if sessions are costly, has one session to itself until it ends. @throws as `SessionLeases.hold` */
  hold<T>(environment: Environment, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return isCostly(environment) ? this.#leases.hold(environment, signal, work) : work();
  }

  /** An idle session in this state, if there is one for the caller. It belongs to the caller until it is kept or closed. */
  take({ environment, stateKey }: Pick<Position, 'environment' | 'stateKey'>): Live | undefined {
    const lease = this.#leases.of(environment);
    const leased = lease?.session;
    if (leased?.stateKey === stateKey) {
      lease!.session = null;
      return leased;
    }
    const index = this.#idle.findIndex((live) => live.stateKey === stateKey);
    if (index < 0) return undefined;
    const [found] = this.#idle.splice(index, 1);
    this.#makeIdle(lease);
    return found;
  }

  /** Waits until there is room for one more session, and opens it. */
  async open(
    environment: Environment,
    stateKey: string,
    make: () => Promise<{ session: Session; misuse: Misuse }>,
    signal: AbortSignal,
  ): Promise<Live> {
    this.#makeIdle(this.#leases.of(environment.name));
    await this.#makeRoom(environment, signal);
    try {
      return { ...(await make()), environment, stateKey };
    } catch (error) {
      this.#freePlace(environment.name);
      throw error;
    }
  }

  /** Gives a session back: to the caller's lease if there is one, else for others. */
  async keep(live: Live): Promise<void> {
    if (this.#isClosed) return this.close(live);
    const lease = this.#leases.of(live.environment.name);
    if (!lease) return this.#addIdle(live);
    this.#makeIdle(lease);
    lease.session = live;
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

  /** A lease has one session at most: the one that it had is there for others when it takes another. */
  #makeIdle(lease: Lease | undefined): void {
    if (!lease?.session) return;
    this.#addIdle(lease.session);
    lease.session = null;
  }

  #addIdle(live: Live): void {
    this.#idle.push(live);
    this.#lines.callFirst(live.environment.name);
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
      else await this.#lines.join(name, signal);
    }
  }

  #freePlace(environment: string): void {
    this.#open.set(environment, (this.#open.get(environment) ?? 1) - 1);
    this.#lines.callFirst(environment);
  }
}
