import { performance } from 'node:perf_hooks';
import { CruxError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { EndpointConfig } from './endpoint.ts';
import { Limiter } from './limiter.ts';
import { providerOf } from './provider.ts';
import { RateGate } from './rate-gate.ts';

/** A call that wants to be let through. */
export type Applicant = {
  runId: string;
  /** What the call may use at worst. */
  tokens: number;
  /** End of its patience, by `performance.now()`. */
  until: number;
  signal: AbortSignal;
  /** Everything that it waited so far; what it waits here is added. */
  throttledMs: number;
};

/** When a call comes back that found no place within its patience: in the middle of what stands before it, so that the provider never idles. */
const soonestReturnMs = 1_000;
const latestReturnMs = 10 * 60_000;

/** Lets calls to one provider through: a place among those under way, then a turn at the rate. */
export class Admission {
  /** Identity of the provider in the store. */
  readonly provider: string;
  readonly limiter: Limiter;
  readonly rate: RateGate;
  readonly #store: Store;

  constructor(store: Store, config: EndpointConfig) {
    this.#store = store;
    this.provider = providerOf(config);
    this.limiter = new Limiter(config.concurrency);
    this.rate = new RateGate(store.providers, this.provider, config);
  }

  /**
   * Does `work` in a place, at its turn.
   * @returns a rate limit that says when to come back, where that takes longer than the applicant's patience
   */
  async run<T>(applicant: Applicant, work: () => Promise<T>): Promise<T | { later: CruxError }> {
    const { runId, tokens, until, signal } = applicant;
    const cameAt = performance.now();
    const waited = () => {
      applicant.throttledMs += performance.now() - cameAt;
    };
    if (this.rate.expectedWaitMs > until - cameAt || !(await this.limiter.enter(runId, until, signal))) {
      waited();
      return this.#comeBack();
    }
    try {
      const isLet = await this.rate.pass(runId, tokens, until, signal);
      waited();
      return isLet ? await work() : this.#comeBack();
    } finally {
      this.limiter.leave();
    }
  }

  /** A call that was let through is not sent. */
  passOn({ tokens }: Applicant): void {
    this.rate.passOn(tokens);
  }

  /** What the provider says of its load: it wants no calls for a while, or all is well. */
  async overloaded(coolDownMs: number | undefined): Promise<void> {
    this.limiter.overloaded(Date.now());
    if (coolDownMs !== undefined) await this.#store.providers.coolDown(this.provider, Date.now() + coolDownMs);
  }

  /** @param usedTokens null when the provider did not tell */
  succeeded({ tokens }: Applicant, usedTokens: number | null): void {
    this.limiter.succeeded();
    if (usedTokens !== null) this.rate.credit(tokens - usedTokens);
  }

  /** @returns 0 when the provider takes calls now */
  async coolDownMs(): Promise<number> {
    return Math.max(0, (await this.#store.providers.coolDownUntil(this.provider)) - Date.now());
  }

  #comeBack(): { later: CruxError } {
    const halfMs = this.rate.expectedWaitMs / 2;
    const retryAfterMs = Math.round(Math.min(latestReturnMs, Math.max(soonestReturnMs, halfMs)));
    const message = 'More calls wait for the provider than it takes within a minute.';
    return { later: new CruxError('Model.RateLimit', message, { retryAfterMs }) };
  }
}
