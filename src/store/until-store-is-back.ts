/** What was paid for is not given up because the store is away: it would be paid for again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isStoreAway } from '../errors.ts';
import { objectionMs } from './claims.ts';

const firstPauseMs = 100;
/** Shorter than the time after which the claim on an answer could be taken over. */
const longestPauseMs = objectionMs / 2;

/**
 * Repeats work for as long as the store is away, also when nobody waits for it any more.
 * @param work may have been done already when it is repeated: the connection may have ended before it said so
 * @throws what the work throws otherwise
 */
export async function untilStoreIsBack<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!isStoreAway(error)) throw error;
    }
    // A process that ends does not wait for its store.
    await sleep(pauseMs, undefined, { ref: false });
  }
}
