/** Callers that wait for room in an environment: first come, first served. */
export class WaitingLines {
  readonly #lines = new Map<string, (() => void)[]>();

  /** How many wait, by environment. */
  get lengths(): ReadonlyMap<string, number> {
    return new Map([...this.#lines].map(([environment, { length }]) => [environment, length]));
  }

  /** Resolves when the caller is called. @throws the signal's reason; the caller has then left */
  join(environment: string, signal: AbortSignal): Promise<void> {
    const line = this.#lines.get(environment) ?? [];
    this.#lines.set(environment, line);
    return new Promise((resolve, reject) => {
      const called = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        line.splice(line.indexOf(called), 1);
        reject(signal.reason as Error);
      };
      signal.throwIfAborted();
      line.push(called);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** @returns whether a caller was waiting */
  callFirst(environment: string): boolean {
    const first = this.#lines.get(environment)?.shift();
    first?.();
    return first !== undefined;
  }
}
