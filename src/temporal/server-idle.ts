/** When an embedded server that nobody uses may end. Pure rules; `server-keeper.ts` acts by them. */
import { CruxError } from '../errors.ts';

const usualIdleSeconds = 600;

/**
 * For how long nobody has to use a server before it may end, in milliseconds.
 * @throws CruxError User.Config if `CRUX_SERVER_IDLE` is no number of seconds above 0
 */
export function idleMsFrom(environment: { [name: string]: string | undefined }): number {
  const given = environment.CRUX_SERVER_IDLE;
  const seconds = given ? Number(given) : usualIdleSeconds;
  if (seconds > 0 && seconds < Number.POSITIVE_INFINITY) return 1_000 * seconds;
  throw new CruxError('User.Config', `CRUX_SERVER_IDLE is "${given}": it must be a number of seconds above 0.`, {
    remedy: `Unset it for ${usualIdleSeconds} seconds, or give another number.`,
  });
}

/** Whether the time without users is over, so that the server may end if no workflow is open. Times in milliseconds since 1970. */
export function isDue(unusedSince: number, idleMs: number, now: number): boolean {
  return now >= unusedSince + idleMs;
}

/**
 * Why a server may end that is due; null if it stays. One that does not answer for the same time again is of no use to anybody, and what it stored is
 * on disk.
 * @param openWorkflows null if the server did not answer
 * @param silentMs for how long it has not answered
 */
export function reasonToEnd(openWorkflows: number | null, silentMs: number, idleMs: number): string | null {
  if (openWorkflows === 0) return 'nobody uses it, and no workflow is open';
  if (openWorkflows === null && silentMs >= idleMs) return 'nobody uses it, and it does not answer';
  return null;
}
