import { setImmediate as nextTurn } from 'node:timers/promises';

/** Far less than the time after which a worker that says nothing is taken for dead. */
const atATimeMs = 100;

/**
 * Runs long work on the processor that can be left between its parts. Timers and sockets of the process get their turn in between, the heartbeat of an
 * activity above all: a worker whose event loop stands still is taken for dead, and its work begun again.
 * @throws the reason of the signal, which ends the work between two parts
 */
export async function withPauses<Result>(work: Generator<void, Result>, signal?: AbortSignal): Promise<Result> {
  let since = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const part = work.next();
    if (part.done) return part.value;
    if (performance.now() - since < atATimeMs) continue;
    await nextTurn();
    since = performance.now();
  }
}
