/** Progress of work, from the store. On a terminal one line is redrawn; if output is piped, a line is printed now and then. */
import stringWidth from 'string-width';
import { visibleText } from '../../domain/visible-text.ts';
import { isStoreAway } from '../../errors.ts';
import { withSealsClosed } from '../../sealed-text.ts';
import type { FindingCounts } from '../../store/findings.ts';
import type { Store } from '../../store/store.ts';
import type { WaitingFor } from '../../store/waits.ts';
import { printAside, redraw } from './terminal.ts';
import { duration, plural, waitingText } from './text.ts';

const terminalEveryMs = 300;
const pipedEveryMs = 5_000;

export type ProgressLine = {
  done: number;
  total: number;
  state: string;
  /** Why a blocked run stands still, in words; null if it is not blocked. */
  block: string | null;
  counts: FindingCounts;
  waitingFor: WaitingFor[];
  /** Trajectories that a fault ended, and the words of one. */
  broken: { count: number; words: string | null };
};

/** A line of at most `width` characters about work that began `elapsedMs` ago. The last of its parts, after ` · `, is the time. */
export type ReadLine = (elapsedMs: number, width: number) => Promise<string>;

/** The progress of a run. */
export function lineOfRun(store: Store, runId: string): ReadLine {
  return async (elapsedMs, width) => progressText(await readProgress(store, runId), elapsedMs, width);
}

/** Shows progress until `over` settles, then clears the line. While the store is away, the last line stays. */
export async function showProgress(read: ReadLine, over: Promise<unknown>, quiet: boolean): Promise<void> {
  if (quiet) {
    await over.catch(() => {});
    return;
  }
  const terminal = process.stderr.isTTY;
  const startedAt = Date.now();
  let isOver = false;
  let wake: () => void = () => {};
  const ended = over
    .catch(() => {})
    .then(() => {
      isOver = true;
      wake();
    });
  let last = '';
  while (!isOver) {
    // Some terminals say that they have no columns.
    const width = terminal ? process.stderr.columns || 80 : 200;
    const line = await read(Date.now() - startedAt, width).catch(nullIfStoreIsAway);
    if (line !== null) {
      if (terminal) redraw(line);
      else if (withoutTime(line) !== last) printAside(line);
      last = withoutTime(line);
    }
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, terminal ? terminalEveryMs : pipedEveryMs).unref();
      if (isOver) resolve();
    });
  }
  if (terminal) redraw('');
  await ended;
}

/** What cannot be read now is looked for again later. */
export function nullIfStoreIsAway(error: unknown): null {
  if (isStoreAway(error)) return null;
  throw error;
}

export async function readProgress(store: Store, runId: string): Promise<ProgressLine> {
  const [{ total, done }, { state, block }, counts, waits, broken] = await Promise.all([
    store.runs.countTasks(runId),
    store.runs.control(runId),
    store.findings.counts(runId),
    store.waits.waitingFor(runId),
    store.findings.broken(runId),
  ]);
  return {
    done,
    total,
    state,
    block: block?.message ?? null,
    counts,
    broken,
    waitingFor: state === 'running' ? waits : [],
  };
}

export function progressText(
  { done, total, state, block, counts, waitingFor, broken }: ProgressLine,
  elapsedMs: number,
  width: number,
): string {
  const bar = '█'.repeat(Math.round((12 * done) / Math.max(1, total))).padEnd(12, '░');
  const parts = [
    `${bar} ${done}/${total} tasks`,
    ...(state === 'running' ? [] : [block === null ? state : `${state}: ${block}`]),
    ...(waitingFor.length === 0 ? [] : [`waiting ${waitingText(waitingFor)}`]),
    ...(broken.count === 0
      ? []
      : [`${plural(broken.count, 'task')} ended by a fault${broken.words === null ? '' : `: ${broken.words}`}`]),
    `${plural(counts.steps, 'step')} judged`,
    plural(counts.branches, 'branch', 'branches'),
    plural(counts.pairs, 'pair'),
    plural(counts.calls, 'call'),
    duration(elapsedMs),
  ];
  return fitted(parts, width);
}

/** Parts of a progress line, cut to the width in columns of the terminal. */
export function fitted(parts: readonly string[], width: number): string {
  const line = visibleText(withSealsClosed(parts.join(' · ').replace(/\s+/g, ' ')));
  if (stringWidth(line) < width) return line;
  let cut = '';
  let left = width - 2;
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    left -= stringWidth(segment);
    if (left < 0) break;
    cut += segment;
  }
  return `${cut}…`;
}

function withoutTime(line: string): string {
  return line.slice(0, line.lastIndexOf(' · '));
}
