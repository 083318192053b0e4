/** Commands and scripts do not wait forever for a blocked run: the user has to act first. */
import type { Client } from '@temporalio/client';
import { CruxError } from '../errors.ts';
import type { Block } from '../store/runs.ts';
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

/** How long commands and scripts wait for a blocked run. */
function usualPatienceMs(): number {
  return 1000 * Number(process.env.CRUX_BLOCKED_PATIENCE || usualPatienceSeconds);
}

/** Resolves when a run has been blocked for so long that the user has to act. Never resolves if the signal fires first. */
export async function blockedFor(
  store: Store,
  runId: string,
  over: AbortSignal,
  patienceMs = usualPatienceMs(),
): Promise<BlockedRun> {
  let since: number | null = null;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs).unref());
    if (over.aborted) return new Promise(() => {});
    // If the store is unavailable, it is read again later.
    const block = await store.runs.control(runId).then(
      (control) => control.block,
      () => null,
    );
    since = block === null ? null : (since ?? Date.now());
    if (block !== null && Date.now() - since! >= patienceMs) return new BlockedRun(runId, block);
  }
}

/** The same for an improvement, whose campaign in progress may be blocked. */
export async function blockedUnder(store: Store, id: string, over: AbortSignal): Promise<BlockedRun> {
  const known = new Set<string>();
  return new Promise((resolve) => {
    const look = async () => {
      if (over.aborted) return;
      const runs = await store.runs.under(`${id}/`).catch(() => []);
      for (const { id: runId, finishedAt } of runs) {
        if (finishedAt !== null || known.has(runId)) continue;
        known.add(runId);
        void blockedFor(store, runId, over).then(resolve);
      }
      setTimeout(() => void look(), lookEveryMs).unref();
    };
    void look();
  });
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
