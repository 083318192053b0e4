/** Numbers and tables as a person reads them. */
import { timeSpan } from '../../domain/time-span.ts';
import { plural } from '../../report/values.ts';

export { plural, timeSpan as duration };

import type { Block } from '../../store/runs.ts';
import type { WaitingFor } from '../../store/waits.ts';

/** What a run waits for, until when by the local clock, and what the server said. */
export function waitingText(waitingFor: WaitingFor[]): string {
  return waitingFor
    .map(({ endpoint, until, calls, reason, words }) => {
      const what = reason === null || reason === 'rate-limit' ? '' : `, ${waitReasons[reason]}`;
      const said = words === null || reason === 'queue' ? '' : `: ${words}`;
      return `for ${endpoint} until ${clock(until)} (${plural(calls, 'call')}${what})${said}`;
    })
    .join(', ');
}

const waitReasons = {
  queue: 'for a place or the rate',
  outage: 'not reachable or overloaded',
  refusal: 'refused, asked again',
  ceiling: 'for room under a ceiling',
} as const;

/**
 * How long calls waited: for our own limits, and because the provider refused, cooled down or was away. Runs of earlier versions have both in one
 * figure, and its label says so.
 */
export function waitedCells({
  queuedMs,
  throttledMs,
}: {
  queuedMs: number | null;
  throttledMs: number | null;
}): string[] {
  if (queuedMs !== null) return [timeSpan(queuedMs), throttledMs === null ? 'unknown' : timeSpan(throttledMs)];
  return ['unknown', throttledMs === null ? 'unknown' : `${timeSpan(throttledMs)} (with queued)`];
}

/** Why a run stands still, and since when: a sentence with its full stop. */
export function blockText({ kind, model, message, since }: Block): string {
  return `since ${clock(since)}: ${kind}, ${model}: ${sentence(message)}`;
}

/** A text with a mark at its end. */
export function sentence(text: string): string {
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}

/** Hours and minutes; with the day if it is not today. */
export function clock(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === new Date().toDateString()) return hours;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${hours}`;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function percent(share: number | null): string {
  return share === null ? 'unknown' : `${(100 * share).toFixed(1)} %`;
}

export function dollars(microUsd: number | null): string {
  return microUsd === null ? 'unknown' : `$${(microUsd / 1e6).toFixed(microUsd < 1e6 ? 4 : 2)}`;
}

export function orUnknown(value: number | null, digits = 0): string {
  return value === null ? 'unknown' : value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** Columns of text. Numbers are aligned to the right. */
export function table(header: string[], rows: (string | number)[][]): string {
  const cells = [header, ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? count(cell) : cell)))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const right = header.map((_, column) => rows.length > 0 && rows.every((row) => isNumeric(row[column])));
  const line = (row: string[]) =>
    row
      .map((cell, column) => (right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [line(cells[0]!), widths.map((width) => '─'.repeat(width)).join('  '), ...cells.slice(1).map(line)].join('\n');
}

function isNumeric(cell: string | number | undefined): boolean {
  return typeof cell === 'number' || /^(-|\$)?[\d.,]+( [%a-zA-Z]+)?( \d+ [a-z]+)?$|^unknown$|^–$/.test(cell ?? '');
}

export function named(counts: { [name: string]: number }): string {
  const entries = Object.entries(counts);
  return entries.length === 0 ? 'none' : entries.map(([name, value]) => `${name} ${count(value)}`).join(', ');
}
