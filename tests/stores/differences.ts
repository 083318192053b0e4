/**
 * Where a value no longer is what it was, by path. New members of objects are no difference: later versions may say more.
 */
export function differences(then: unknown, now: unknown, path = ''): string[] {
  if (Array.isArray(then) && Array.isArray(now)) {
    const lengths = then.length === now.length ? [] : [`${path}: ${then.length} entries, now ${now.length}`];
    return [...lengths, ...then.flatMap((entry, index) => differences(entry, now[index], `${path}[${index}]`))];
  }
  if (isObject(then) && isObject(now))
    return Object.entries(then).flatMap(([name, value]) => differences(value, now[name], `${path}.${name}`));
  return Object.is(then, now) ? [] : [`${path}: ${JSON.stringify(then)}, now ${JSON.stringify(now)}`];
}

function isObject(value: unknown): value is { [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
