import { performance } from 'node:perf_hooks';

/** Far less than the time limit of any heartbeat, and far more than a turn of the event loop costs. */
const longestTurnMs = 50;

/**
 * Keeps synchronous work from holding the event loop. A driver that answers at once never lets go of it: each `await` of a loop over its statements
 * goes on in the same turn, and no timer, heartbeat or answer of a model comes through until the loop is over.
 */
export class FairTurns {
  #beganAt: number | null = null;

  /** Whether this turn of the event loop has lasted long enough. Begins to measure where nothing was done in it yet. */
  isOver(): boolean {
    if (this.#beganAt !== null) return performance.now() - this.#beganAt >= longestTurnMs;
    this.#beganAt = performance.now();
    setImmediate(() => {
      this.#beganAt = null;
    });
    return false;
  }

  /** Does the work now, or in a later turn. Of all that wait, each looks again when its turn comes. */
  async take<T>(work: () => T | Promise<T>): Promise<T> {
    while (this.isOver()) await new Promise((resolve) => setImmediate(resolve));
    return work();
  }
}
