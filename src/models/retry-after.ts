type HeaderReader = { get(name: string): string | null } | undefined;

/**
 * When a provider wants to be asked again, from `retry-after-ms`, or `Retry-After` as seconds or as an HTTP date (RFC 9110, 10.2.3).
 * @returns milliseconds from `now`, at least 0; undefined when it does not say
 */
export function retryAfterMs(headers: HeaderReader, now: number): number | undefined {
  const milliseconds = numberOf(headers?.get('retry-after-ms'));
  if (milliseconds !== undefined) return milliseconds;
  const value = headers?.get('retry-after') ?? null;
  const seconds = numberOf(value);
  if (seconds !== undefined) return seconds * 1000;
  const date = value === null ? Number.NaN : Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function numberOf(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(text)) return undefined;
  return Number(text);
}
