/**
 * Leases of costly sessions. Work that plays out in an environment, such as a trajectory, holds the right to one session from its first state to its
 * end. So its session is not closed for another one while it waits for its model. There are as many leases as the environment may have sessions:
 * further work waits until one ends, first come, first served.
 *
 * A lease belongs to the asynchronous calls of the work. Whatever they ask of sessions is done under it, so the work never waits for itself.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Environment } from '../contract.ts';
import type { Live } from './live.ts';
import { WaitingLines } from './waiting-lines.ts';

export type Lease = {
  readonly environment: string;
  /** Its session while no step is taken in it; null if it has none then. */
  session: Live | null;
  /** Works in progress under it: the one that it was given to, and steps that outlive that one because others wait for them. Ended at 0. */
  works: number;
};

export class SessionLeases {
  readonly #current = new AsyncLocalStorage<Lease>();
  readonly #out = new Map<string, number>();
  readonly #lines = new WaitingLines();
  readonly #giveBack: (session: Live) => Promise<void>;

  /** @param giveBack takes the session of a lease that ended */
  constructor(giveBack: (session: Live) => Promise<void>) {
    this.#giveBack = giveBack;
  }

  /** The lease under which the caller works in an environment. */
  of(environment: string): Lease | undefined {
    const lease = this.#current.getStore();
    return lease?.environment === environment && lease.works > 0 ? lease : undefined;
  }

  /** How much work waits for a lease, by environment. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#lines.lengths;
  }

  /**
   * Does work under the caller's lease. If the caller has none, the work gets its own and waits for it.
   * @param signal ends the waiting, and nothing else
   * @throws what the work throws, or the signal's reason
   */
  async hold<T>(environment: Environment, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { name } = environment;
    const own = this.of(name);
    if (own) return this.#under(own, work);
    await this.#admit(environment, signal);
    const lease: Lease = { environment: name, session: null, works: 0 };
    return this.#current.run(lease, () => this.#under(lease, work));
  }

  async #under<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
    lease.works++;
    try {
      return await work();
    } finally {
      if (--lease.works === 0) await this.#end(lease);
    }
  }

  async #admit({ name, capabilities }: Environment, signal: AbortSignal): Promise<void> {
    const out = this.#out.get(name) ?? 0;
    if (out >= capabilities.maxSessions) return this.#lines.join(name, signal);
    this.#out.set(name, out + 1);
  }

  async #end({ environment, session }: Lease): Promise<void> {
    if (session) await this.#giveBack(session);
    // The first in line takes over the place, so nobody gets in before.
    if (!this.#lines.callFirst(environment)) this.#out.set(environment, this.#out.get(environment)! - 1);
  }
}
