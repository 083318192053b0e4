import { unlessAborted } from './unless-aborted.ts';

type UnderWay<T> = { result: Promise<T>; callers: number; abandoned: AbortController };

/**
 * Work that several callers may want at once, done once. A caller whose signal fires leaves alone; the work itself is aborted when no caller waits
 * for it any more. A request during the end of aborted work begins after it, so that no key ever has two at once.
 */
export class SharedWork<T> {
  readonly #underWay = new Map<string, UnderWay<T>>();

  /** @throws what the work throws, or the reason of the caller's own signal */
  async join(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const found = this.#underWay.get(key);
      if (!found?.abandoned.signal.aborted) return this.#wait(key, found ?? this.#start(key, work), signal);
      await unlessAborted(ended(found.result), signal);
    }
  }

  /** Resolves when no work is in progress, aborted work included. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all([...this.#underWay.values()].map(({ result }) => ended(result)));
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): UnderWay<T> {
    const abandoned = new AbortController();
    const result = work(abandoned.signal).finally(() => this.#underWay.delete(key));
    // All callers may have left before the failure.
    result.catch(() => {});
    const started = { result, callers: 0, abandoned };
    this.#underWay.set(key, started);
    return started;
  }

  async #wait(key: string, underWay: UnderWay<T>, signal: AbortSignal): Promise<T> {
    underWay.callers++;
    try {
      return await unlessAborted(underWay.result, signal);
    } finally {
      const isOver = this.#underWay.get(key) !== underWay;
      if (--underWay.callers === 0 && !isOver) underWay.abandoned.abort(signal.reason);
    }
  }
}

async function ended(result: Promise<unknown>): Promise<void> {
  await result.catch(() => {});
}
