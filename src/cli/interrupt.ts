/** Ctrl-C: the first one asks politely, the second one quits. */

export type Interrupt = { signal: AbortSignal /** Stops listening. */; release(): void };

/** @param politely told once, when the first signal comes */
export function onInterrupt(politely: () => void): Interrupt {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    politely();
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}
