import { WaitingRoom } from './waiting-room.ts';

/**
 * How many calls this process has under way at one provider; the runs that wait for a place take turns. The limit adapts: it shrinks by half
 * when the provider says that it is too much, at most once a second, and grows by one after as many good answers as it has places (additive
 * increase, multiplicative decrease).
 */
export class Limiter {
  readonly #most: number;
  #limit: number;
  #underWay = 0;
  #goodAnswers = 0;
  #shrunkAt = 0;
  readonly #waiting = new WaitingRoom<null>();

  constructor(most: number) {
    this.#most = most;
    this.#limit = most;
  }

  get limit(): number {
    return this.#limit;
  }

  /**
   * Takes a place when there is one; who took one must `leave`.
   * @param until end of the caller's patience, by `performance.now()`
   * @returns false when there was none until then
   * @throws the reason of the signal when that fires first
   */
  async enter(runId: string, until: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (this.#underWay < this.#limit) {
      this.#underWay++;
      return true;
    }
    return this.#waiting.wait(runId, null, until, signal);
  }

  leave(): void {
    this.#underWay--;
    this.#next();
  }

  succeeded(): void {
    if (this.#limit < this.#most && ++this.#goodAnswers >= this.#limit) {
      this.#goodAnswers = 0;
      this.#limit++;
      this.#next();
    }
  }

  overloaded(now: number): void {
    if (now - this.#shrunkAt < 1000) return;
    this.#shrunkAt = now;
    this.#goodAnswers = 0;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }

  #next(): void {
    while (this.#underWay < this.#limit) {
      const caller = this.#waiting.next();
      if (!caller) return;
      if (caller.enter()) this.#underWay++;
    }
  }
}
