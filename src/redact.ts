/** Shorter parts reveal little of a key, and occur in ordinary words. */
const shortestPart = 8;
/** Callers cut longer texts anyway, and a page of megabytes must not cost seconds. */
const longestText = 4_000;

/**
 * A text from outside, e.g. in an error, without a key that it may repeat. The key may be whole or in parts, because some messages are cut or quote
 * only the beginning of a body. Longer parts go first. Keys of some thousand characters cost little: only what the text has of them is looked for.
 */
export function withoutKey(text: string, key: string): string {
  const least = Math.min(shortestPart, key.length);
  let safe = text.slice(0, longestText);
  if (least === 0) return safe;
  const beginnings = new Set(
    Array.from({ length: key.length - least + 1 }, (_, start) => key.slice(start, start + least)),
  );
  for (let most = key.length; most >= least; most--) {
    const parts = longestParts(safe, key, beginnings, { least, most });
    if (parts.length === 0) break;
    most = parts[0]!.length;
    for (const part of parts) safe = safe.replaceAll(part, '[key]');
  }
  return safe;
}

/** The longest parts of a key that a text has, all of one length, in their order in the key. @param beginnings the key's parts of the least length */
function longestParts(
  text: string,
  key: string,
  beginnings: ReadonlySet<string>,
  { least, most }: { least: number; most: number },
): string[] {
  let length = least;
  let starts = new Set<number>();
  for (let from = 0; from + length <= text.length; from++) {
    if (!beginnings.has(text.slice(from, from + least)) || !key.includes(text.slice(from, from + length))) continue;
    const before = length;
    while (length < most && from + length < text.length && key.includes(text.slice(from, from + length + 1))) length++;
    if (length > before) starts = new Set();
    starts.add(key.indexOf(text.slice(from, from + length)));
  }
  return [...starts].sort((one, other) => one - other).map((start) => key.slice(start, start + length));
}
