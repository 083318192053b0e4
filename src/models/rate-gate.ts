import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { blockOf, type NextLeases, type RateLimits, stretchUs, untilLeasableUs } from '../domain/rate.ts';
import type { Providers, SeenLeases } from '../store/providers.ts';
import { type Called, WaitingRoom } from './waiting-room.ts';

/** What calls did not use of their worst case is used by others for this long, and then lost, so that no burst is saved up. */
const creditLastsMs = 5_000;
/** Longest sleep between two looks at the store while others have the rate. */
const longestSleepMs = 1_000;
/** Weight of the latest block in the mean time between two calls. */
const newest = 0.3;

/**
 * Lets calls through at the rate of their provider, which all processes share: each leases a small block from the store (domain/rate.ts) when
 * somebody waits, and lets its callers through one by one. The runs take turns. Without a limit nothing waits and the store is not asked.
 */
export class RateGate {
  readonly #providers: Providers;
  readonly #provider: string;
  readonly #limits: RateLimits;
  /** With the tokens that each call may use at worst. */
  readonly #waiting = new WaitingRoom<number>();
  #isServing = false;
  /** Tokens that were leased and not used; below zero when more were used than leased. */
  #credit = 0;
  #creditedAt = 0;
  /** Mean time between two calls while there are always some that wait. */
  #msPerCall: number;

  constructor(providers: Providers, provider: string, limits: RateLimits) {
    this.#providers = providers;
    this.#provider = provider;
    this.#limits = limits;
    this.#msPerCall = limits.requestsPerMinute === null ? 0 : stretchUs(1, limits.requestsPerMinute) / 1000;
  }

  get isOpen(): boolean {
    return this.#limits.requestsPerMinute === null && this.#limits.tokensPerMinute === null;
  }

  /** How long a call that comes now will wait, as far as this process can tell. */
  get expectedWaitMs(): number {
    return this.#waiting.size * this.#msPerCall;
  }

  /**
   * Waits until a call may be sent.
   * @param tokens what it may use at worst
   * @param until end of the caller's patience, by `performance.now()`
   * @returns false when it may not be sent until then
   * @throws the reason of the signal; a fault of the store
   */
  async pass(runId: string, tokens: number, until: number, signal: AbortSignal): Promise<boolean> {
    if (this.isOpen) return true;
    const waiting = this.#waiting.wait(runId, tokens, until, signal);
    void this.#serve();
    return waiting;
  }

  /** A call that was let through is not sent: the next one goes in its place. Where nobody waits the place is lost. */
  passOn(tokens: number): void {
    if (this.isOpen) return;
    this.credit(tokens);
    for (let caller = this.#waiting.next(); caller; caller = this.#waiting.next()) {
      if (!caller.enter()) continue;
      this.credit(-caller.item);
      return;
    }
  }

  /** Tokens of a call's worst case that it did not use. */
  credit(tokens: number): void {
    if (this.#limits.tokensPerMinute === null) return;
    this.#credit = this.#freshCredit() + tokens;
    this.#creditedAt = performance.now();
  }

  async #serve(): Promise<void> {
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      while (this.#waiting.size > 0) await this.#serveBlock();
    } catch (error) {
      this.#waiting.fail(error);
    } finally {
      this.#isServing = false;
    }
  }

  async #serveBlock(): Promise<void> {
    const startedAt = performance.now();
    const seen = await this.#providers.nextLeases(this.#provider);
    const farUs = untilLeasableUs(seen.next, seen.nowUs, this.#limits);
    if (farUs > 0) {
      await sleep(Math.min(longestSleepMs, farUs / 1000));
      return;
    }
    const callers = this.#callBlock();
    if (callers.length === 0) return;
    await this.#letThrough(callers, seen);
    if (this.#waiting.size > 0) {
      const each = (performance.now() - startedAt) / callers.length;
      this.#msPerCall = (1 - newest) * this.#msPerCall + newest * each;
    }
  }

  #callBlock(): Called<number>[] {
    const { requestsPerMinute, tokensPerMinute } = this.#limits;
    const mostCalls = requestsPerMinute === null ? Number.POSITIVE_INFINITY : blockOf(requestsPerMinute);
    const enoughTokens = tokensPerMinute === null ? Number.POSITIVE_INFINITY : blockOf(tokensPerMinute);
    const callers: Called<number>[] = [];
    for (let tokens = 0; callers.length < mostCalls && tokens < enoughTokens; ) {
      const caller = this.#waiting.next();
      if (!caller) break;
      callers.push(caller);
      tokens += caller.item;
    }
    return callers;
  }

  async #letThrough(callers: Called<number>[], seen: SeenLeases): Promise<void> {
    const { requestsPerMinute, tokensPerMinute } = this.#limits;
    const credit = this.#freshCredit();
    const tokens = callers.reduce((sum, { item }) => sum + item, 0);
    const needed = { requests: callers.length, tokens: Math.max(0, tokens - credit) };
    let startsInUs: NextLeases;
    try {
      startsInUs = await this.#providers.lease(this.#provider, needed, this.#limits, seen);
    } catch (error) {
      for (const caller of callers) caller.fail(error);
      throw error;
    }
    this.#credit = Math.max(0, credit - tokens);
    const leasedAt = performance.now();
    let before = -credit;
    for (const [index, caller] of callers.entries()) {
      const dueUs = Math.max(
        requestsPerMinute === null ? 0 : startsInUs.requests + stretchUs(index, requestsPerMinute),
        tokensPerMinute === null || before < 0 ? 0 : startsInUs.tokens + stretchUs(before, tokensPerMinute),
      );
      before += caller.item;
      const earlyMs = leasedAt + dueUs / 1000 - performance.now();
      if (earlyMs > 1) await sleep(earlyMs);
      if (!caller.enter()) this.passOn(caller.item);
    }
  }

  #freshCredit(): number {
    const isOld = performance.now() - this.#creditedAt > creditLastsMs;
    return isOld ? Math.min(0, this.#credit) : this.#credit;
  }
}
