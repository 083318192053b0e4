/**
 * How many calls this process has under way at one endpoint. The limit adapts: it shrinks by half when the provider says that it is too
 * much, at most once a second, and grows by one after as many good answers as it has places (additive increase, multiplicative decrease).
 */
export class Limiter {
  readonly #most: number;
  #limit: number;
  #underWay = 0;
  #goodAnswers = 0;
  #shrunkAt = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
    this.#limit = most;
  }

  get limit(): number {
    return this.#limit;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work` when there is a place. A caller whose signal fires while it waits leaves the queue. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#underWay--;
      this.#next();
    }
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

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#underWay < this.#limit) {
      this.#underWay++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        this.#underWay++;
        resolve();
      };
      const leave = () => {
        const index = this.#waiting.indexOf(enter);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #next(): void {
    while (this.#underWay < this.#limit) {
      const enter = this.#waiting.shift();
      if (!enter) return;
      enter();
    }
  }
}
