/** The rate that the simulated server allows, as providers enforce theirs: what comes too early is answered with 429. */

export type RequestRate = {
  requestsPerMinute: number;
  /** Requests that are let through at once after a time without any. Default: those of one second, at least 1. */
  burst?: number;
};

/**
 * A token bucket. Unlike an injected fault, a refusal depends on time alone.
 * @returns a function that lets a request through (0), or says after how many milliseconds the next one would be
 */
export function createRequestRate({ requestsPerMinute, burst }: RequestRate): (nowMs: number) => number {
  const perMs = requestsPerMinute / 60_000;
  const most = burst ?? Math.max(1, requestsPerMinute / 60);
  let level = most;
  let filledAt: number | null = null;
  return (nowMs) => {
    level = Math.min(most, level + (filledAt === null ? 0 : (nowMs - filledAt) * perMs));
    filledAt = nowMs;
    if (level < 1) return Math.ceil((1 - level) / perMs);
    level--;
    return 0;
  };
}
