/**
 * How many calls this process has under way at one provider. The limit adapts: it shrinks by half when the provider says that it is too much,
 * at most once a second, and grows by one after as many good answers as it has places (additive increase, multiplicative decrease).
 */
export class Limiter {
  readonly #most: number;
  #limit: number;
  #underWay = 0;
  #goodAnswers = 0;
  #shrunkAt = 0;

  constructor(most: number) {
    this.#most = most;
    this.#limit = most;
  }

  get limit(): number {
    return this.#limit;
  }

  get freePlaces(): number {
    return Math.max(0, this.#limit - this.#underWay);
  }

  enter(): void {
    this.#underWay++;
  }

  leave(): void {
    this.#underWay--;
  }

  succeeded(): void {
    if (this.#limit < this.#most && ++this.#goodAnswers >= this.#limit) {
      this.#goodAnswers = 0;
      this.#limit++;
    }
  }

  overloaded(now: number): void {
    if (now - this.#shrunkAt < 1000) return;
    this.#shrunkAt = now;
    this.#goodAnswers = 0;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }
}
