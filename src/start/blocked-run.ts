/** Commands and scripts do not wait forever for a blocked run: the user has to act first. */
import type { Client } from '@temporalio/client';
import { CruxError } from '../errors.ts';
import type { Block, Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';

const usualPatienceSeconds = 60;
const lookEveryMs = 500;

export class BlockedRun {
  readonly runId: string;
  readonly block: Block;
  constructor(runId: string, block: Block) {
    this.runId = runId;
    this.block = block;
  }
}

/**
 * How long commands and scripts wait for a blocked run.
 * @throws CruxError `User.Config` if `CRUX_BLOCKED_PATIENCE` is no number
 */
export function usualPatienceMs(): number {
  const given = process.env.CRUX_BLOCKED_PATIENCE || usualPatienceSeconds;
  const seconds = Number(given);
  if (seconds >= 0) return 1000 * seconds;
  throw new CruxError('User.Config', `CRUX_BLOCKED_PATIENCE is a number of seconds, not "${given}".`);
}

/** Resolves when a run has been blocked for so long that the user has to act. Never resolves if the signal fires first. */
export async function blockedFor(
  store: Store,
  runId: string,
  over: AbortSignal,
  patienceMs = usualPatienceMs(),
): Promise<BlockedRun> {
  return untilBlocked(async () => [{ id: runId, ...(await store.runs.control(runId)) }], over, patienceMs);
}

/** The same for an improvement, whose campaign in progress may be blocked. */
export async function blockedUnder(store: Store, id: string, over: AbortSignal): Promise<BlockedRun> {
  return untilBlocked(() => store.runs.under(`${id}/`), over, usualPatienceMs());
}

async function untilBlocked(
  look: () => Promise<Pick<Run, 'id' | 'block'>[]>,
  over: AbortSignal,
  patienceMs: number,
): Promise<BlockedRun> {
  let since = new Map<string, number>();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs).unref());
    if (over.aborted) return new Promise(() => {});
    // If the store is unavailable, it is read again later.
    const blocked = (await look().catch(() => [])).flatMap(({ id, block }) => (block === null ? [] : [{ id, block }]));
    since = new Map(blocked.map(({ id }) => [id, since.get(id) ?? Date.now()]));
    const stuck = blocked.find(({ id }) => Date.now() - since.get(id)! >= patienceMs);
    if (stuck) return new BlockedRun(stuck.id, stuck.block);
  }
}

/**
 * The result of some work of a run, for a script.
 * @param patienceMs how long to wait for a blocked run; default: as long as commands wait
 * @throws CruxError `Run.Blocked` with the reason for the block; the run itself is left as it is
 */
export async function unlessBlocked<T>(
  { client, store }: { client: Client; store: Store },
  runId: string,
  work: () => Promise<T>,
  patienceMs?: number,
): Promise<T> {
  const over = new AbortController();
  try {
    const result = client.withAbortSignal(over.signal, work);
    const ended = await Promise.race([result, blockedFor(store, runId, over.signal, patienceMs)]);
    if (!(ended instanceof BlockedRun)) return ended;
    // The client also stops waiting, and rejects.
    result.catch(() => {});
    throw new CruxError('Run.Blocked', `Run ${runId} is blocked: ${ended.block.message} No task ended because of it.`, {
      remedy: 'Mend what it says, and call resume() of the run.',
    });
  } finally {
    over.abort();
  }
}
