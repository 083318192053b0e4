/** A JSON value: what crosses a process or is stored. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };

/**
 * JSON text with object keys in code-unit order and `undefined` members left out: equal values give equal text, which is what every
 * content hash in Crux is taken over.
 * @throws TypeError for a number that is not finite
 */
export function canonicalJson(value: Json | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`Not a JSON number: ${value}`);
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}
