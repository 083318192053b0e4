import { setFlagsFromString } from 'node:v8';

/**
 * How far the heap of a worker may grow beyond what it holds before V8 collects the old part, in percent. V8 itself waits for four times as much:
 * what a call needs outlives the collections of the young part while the call waits, so that a worker with 200 trajectories in progress, which
 * holds 100 MB, grew to 800 MB of garbage (docs/performance.md).
 */
const growingPercent = 50;

/** For the whole process, from now on. */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
}
