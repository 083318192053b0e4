/**
 * When the searches of one provider go out. All of a worker that ask it share one pace. At first searches go out as they come. One that is refused
 * because there are too many holds all of them for as long as the answer says; from then on they go out one after the other, at a distance that
 * doubles with each such refusal and shrinks with each answer.
 */
import { pause } from '../../../models/limits/pauses.ts';
import { unlessAborted } from '../../../unless-aborted.ts';

/** Milliseconds between two searches. Source: ours; small plans allow one a second. */
const [firstDistanceMs, longestDistanceMs] = [500, 8_000];
/** By which an answer shortens the distance. Below the shortest one there is none. Source: ours. */
const shrinking = 0.95;
const shortestDistanceMs = 50;

export class SearchPace {
  #distanceMs = 0;
  #nextAt = 0;
  #changedAt = Number.NEGATIVE_INFINITY;
  #last: Promise<unknown> = Promise.resolve();

  /** Waits until a search may go out, in the order of the calls. @throws the signal's reason */
  turn(signal: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => this.#wait(signal));
    this.#last = turn.catch(() => {});
    return unlessAborted(turn, signal);
  }

  answered(): void {
    const distanceMs = this.#distanceMs * shrinking;
    this.#distanceMs = distanceMs < shortestDistanceMs ? 0 : distanceMs;
  }

  /** @param sentAt when the search went out, by `performance.now()` @param waitMs as the answer says */
  refused(sentAt: number, waitMs?: number): void {
    const now = performance.now();
    // One that was on its way before says nothing of the new distance.
    if (sentAt >= this.#changedAt) {
      this.#distanceMs = Math.min(longestDistanceMs, Math.max(firstDistanceMs, this.#distanceMs * 2));
      this.#changedAt = now;
    }
    this.#nextAt = Math.max(this.#nextAt, now + scattered(waitMs ?? this.#distanceMs));
  }

  async #wait(signal: AbortSignal): Promise<void> {
    // While one waits, another may be refused.
    for (let left = this.#left(); left > 0; left = this.#left()) await pause(left, signal);
    signal.throwIfAborted();
    this.#nextAt = performance.now() + scattered(this.#distanceMs);
  }

  #left(): number {
    return this.#nextAt - performance.now();
  }
}

/** Up to a quarter longer, so that workers do not ask at the same time again. */
export function scattered(durationMs: number): number {
  return durationMs * (1 + Math.random() / 4);
}
