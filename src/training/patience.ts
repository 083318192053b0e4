/** Asks a server again while it is away, busy or failing: it may be starting, or under load. */
import { CruxError, type FaultKind } from '../errors.ts';
import { backOffMs, longestPauseMs, pause } from '../models/limits/pauses.ts';

const passing: ReadonlySet<FaultKind> = new Set<FaultKind>(['Model.RateLimit', 'Model.Transport', 'Model.Unavailable']);

/**
 * @param patienceMs after which no further attempt begins
 * @param also another fault that passes here
 * @throws what does not pass, at once; what passes, once the time is over; the signal's reason
 */
export async function patiently<T>(
  patienceMs: number,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  also: FaultKind | null = null,
): Promise<T> {
  const until = performance.now() + patienceMs;
  for (let before = 0; ; before++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof CruxError) || (error.kind !== also && !passing.has(error.kind))) throw error;
      const pauseMs = error.retryAfterMs ?? backOffMs(before, longestPauseMs);
      if (performance.now() + pauseMs > until) throw error;
      await pause(pauseMs, signal);
    }
  }
}
