import { type AuditFlags, isFlagged } from '../domain/audit-flags.ts';
import type { Share } from '../domain/statistics/exact-bound.ts';
import { wilsonInterval } from '../domain/statistics/interval.ts';
import { timeSpan } from '../domain/time-span.ts';
import type { AuditedSuccesses } from '../views/audited-successes.ts';

/** The words for figures. Each function takes null and says that the figure is unknown. */

export function count(value: number | null): string {
  return value === null ? 'unknown' : value.toLocaleString('en-US');
}

export function decimal(value: number | null, digits = 2): string {
  return value === null ? 'unknown' : value.toFixed(digits);
}

export function percent(value: number | null): string {
  return value === null ? 'unknown' : `${(value * 100).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %`;
}

/** A share with one digit, even if it is small or whole: it must be as exact as the bound next to it. */
export function points(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function score(value: number | null): string {
  return value === null ? 'not scored' : value.toFixed(2);
}

/** Micro-dollars as dollars, with enough digits to tell small costs from zero. */
export function cost(microUsd: number | null): string {
  if (microUsd === null) return 'unknown';
  const usd = microUsd / 1e6;
  return `$${usd === 0 ? '0' : usd < 1 ? usd.toPrecision(2) : usd.toFixed(2)}`;
}

/** A time span to the second, e.g. `2 min 5 s`. */
export function duration(ms: number | null): string {
  return ms === null ? 'unknown' : timeSpan(ms);
}

/** A share with its 95 % Wilson interval, e.g. `12 of 40 = 30 % (18–45 %)`. */
export function share(value: Share | null): string {
  if (value === null || value.of === 0) return 'none made';
  const interval = wilsonInterval(value.count, value.of)!;
  return `${value.count} of ${value.of} = ${percent(value.count / value.of)} (${Math.round(interval.lower * 100)}–${Math.round(interval.upper * 100)} %)`;
}

type Outcome = { success: boolean | null; auditFlags: AuditFlags };

/** The outcome of a trajectory or branch in words; a flagged success with its flags. */
export function outcome({ success, auditFlags }: Outcome): string {
  if (success === null) return 'no outcome';
  if (!success) return 'failure';
  return isFlagged({ auditFlags }) ? `flagged success (${auditFlags!.join(', ')})` : 'success';
}

/** The sign and the colour of an outcome. A flagged success is neither good nor bad. */
export function outcomeMark(result: Outcome): { sign: '✓' | '✗' | '⚑' | '?'; kind: 'good' | 'bad' | 'unsure' } {
  if (result.success === null) return { sign: '?', kind: 'unsure' };
  if (!result.success) return { sign: '✗', kind: 'bad' };
  return isFlagged(result) ? { sign: '⚑', kind: 'unsure' } : { sign: '✓', kind: 'good' };
}

/** E.g. `12 audited, 3 flagged: tests-edited 2, grader-written 1`. */
export function auditedText({ audited, flagged, byFlag }: AuditedSuccesses): string {
  const flags = Object.entries(byFlag).map(([flag, times]) => `${flag} ${count(times)}`);
  return `${count(audited)} audited, ${flagged === 0 ? 'none flagged' : `${count(flagged)} flagged: ${flags.join(', ')}`}`;
}

/** Text cut to a length, with the number of missing characters. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit)} … (${(text.length - limit).toLocaleString('en-US')} more characters)`;
}

/** `1 step`, `2 steps`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString('en-US')} ${value === 1 ? one : many}`;
}

/** A note below a ledger: added up, the waits can exceed the run's duration, because many calls wait at once. */
export const waitsNote =
  'Queued (for our own limits) and throttled (refused by the provider, or not reachable) are sums over all calls, which wait at the same time.';
