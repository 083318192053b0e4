/**
 * Reads pages in a thread of its own, one after the other. A page is made by others, and a few kilobytes of it can take minutes: it costs its thread
 * then, and the worker goes on. The limit is processor time, so that a busy machine does not decide what an agent reads.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CruxError, errorText } from '../../../errors.ts';
import { unlessAborted } from '../../../unless-aborted.ts';
import type { Readable } from './readable.ts';

/** Milliseconds of processor time of a page. Source: ours; a table of 10,000 lines takes less than 2,000. */
const longestReadingMs = 5_000;
/** Of the thread. Source: ours. */
const resourceLimits = { maxOldGenerationSizeMb: 512 };
const lookEveryMs = 250;

const sourceExtension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const threadFile = new URL(`./page-thread.${sourceExtension}`, import.meta.url);

export class PageReader {
  readonly #longestMs: number;
  #thread: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(longestMs = longestReadingMs) {
    this.#longestMs = longestMs;
  }

  /**
   * @returns null for a page that takes more time or memory than it may
   * @throws the signal's reason; CruxError `Environment.Fault` if no thread can be started, or when closed
   */
  read(html: string, signal: AbortSignal): Promise<Readable | null> {
    const turn = this.#last.then(() => (signal.aborted ? null : this.#readNext(html)));
    this.#last = turn.catch(() => {});
    return unlessAborted(turn, signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#thread?.terminate();
  }

  async #readNext(html: string): Promise<Readable | null> {
    const thread = this.#thread ?? (await this.#start());
    if (this.#isClosed) {
      await thread.terminate();
      throw closed();
    }
    // A thread at work keeps the program alive, and a waiting one does not.
    thread.ref();
    const before = await thread.cpuUsage();
    let isRead = false;
    const watch = setInterval(async () => {
      const { user, system } = await thread.cpuUsage(before).catch(() => ({ user: 0, system: 0 }));
      // The answer may have come in the meantime: the thread is at its next page then.
      if (!isRead && user + system > this.#longestMs * 1_000) await thread.terminate();
    }, lookEveryMs);
    thread.postMessage(html);
    const read = await answerOf<Readable>(thread);
    isRead = true;
    clearInterval(watch);
    thread.unref();
    if ('value' in read) return read.value;
    this.#thread = null;
    if (this.#isClosed) throw closed();
    return null;
  }

  async #start(): Promise<Worker> {
    const thread = await startedThread();
    thread.once('exit', () => {
      if (this.#thread === thread) this.#thread = null;
    });
    this.#thread = thread;
    return thread;
  }
}

async function startedThread(): Promise<Worker> {
  const thread = new Worker(threadFile, {
    resourceLimits,
    // It runs nothing that needs a variable of ours.
    env: {},
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  // Those that wait for an answer see its end.
  thread.on('error', () => {});
  const ready = await answerOf<'ready'>(thread);
  if ('value' in ready) return thread;
  throw new CruxError('Environment.Fault', `No thread can be started to read pages (${ready.ended}).`);
}

/** The next message of a thread, or why it ended without one. */
async function answerOf<Value>(thread: Worker): Promise<{ value: Value } | { ended: string }> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    return await Promise.race([
      once(thread, 'message', { signal }).then(([value]) => ({ value: value as Value })),
      once(thread, 'exit', { signal }).then(([code]) => ({ ended: `exit code ${code}` })),
    ]);
  } catch (error) {
    return { ended: errorText(error) };
  } finally {
    settled.abort();
  }
}

function closed(): CruxError {
  return new CruxError('Environment.Fault', 'Pages are no longer read: the environment was closed.');
}
