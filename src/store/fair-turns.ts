import { performance } from 'node:perf_hooks';

/** Far less than the time limit of any heartbeat, and far more than a turn of the event loop costs. */
const longestTurnMs = 50;

/**
 * Makes a function that whoever is about to block the event loop calls first. A driver that answers at once never lets go of it: each `await` of a
 * loop over its statements goes on in the same turn, and no timer, heartbeat or answer of a model comes through until the loop is over.
 * @returns a promise where the turn has lasted long enough, which settles in the next one
 */
export function fairTurns(): () => Promise<void> | undefined {
  let beganAt: number | null = null;
  return () => {
    if (beganAt === null) {
      beganAt = performance.now();
      setImmediate(() => {
        beganAt = null;
      });
      return;
    }
    if (performance.now() - beganAt < longestTurnMs) return;
    return new Promise((resolve) => setImmediate(resolve));
  };
}
