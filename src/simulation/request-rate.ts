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
  const intervalMs = 60_000 / requestsPerMinute;
  const slackMs = ((burst ?? Math.max(1, requestsPerMinute / 60)) - 1) * intervalMs;
  // When the bucket is full again.
  let fullAtMs = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    const tooEarlyMs = fullAtMs - slackMs - nowMs;
    if (tooEarlyMs > 0) return Math.ceil(tooEarlyMs);
    fullAtMs = Math.max(fullAtMs, nowMs) + intervalMs;
    return 0;
  };
}
