/** Shorter parts than this say little of a key, and stand in ordinary words. */
const shortestPart = 8;
/** Whoever shows more of a message cuts it anyway, and a page of megabytes must not cost seconds. */
const longestText = 4_000;

/**
 * A text that somebody else wrote, e.g. in an error, without a key that it may repeat: whole, or in parts, as messages that were cut or quote
 * the beginning of a body have it.
 */
export function withoutKey(text: string, key: string): string {
  let safe = text.slice(0, longestText);
  for (let length = key.length; length >= Math.min(shortestPart, key.length) && length > 0; length--) {
    for (let start = 0; start + length <= key.length; start++) {
      safe = safe.replaceAll(key.slice(start, start + length), '[key]');
    }
  }
  return safe;
}
