/** Which key of the configuration a user may have meant by one that it does not have. */
import type { z } from 'zod';

/** Keys that the objects at a path of a schema may have; none if the path leads to no object. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const { def } = schema._zod as unknown as { def: Definition };
  const [next, ...rest] = path;
  const inner = def.innerType ?? def.in;
  if (inner !== undefined) return keysAt(inner, path);
  if (def.options !== undefined) return def.options.flatMap((option) => keysAt(option, path));
  if (def.shape !== undefined) {
    if (next === undefined) return Object.keys(def.shape);
    const member = def.shape[String(next)];
    return member === undefined ? [] : keysAt(member, rest);
  }
  const element = def.valueType ?? def.element;
  return element === undefined || next === undefined ? [] : keysAt(element, rest);
}

/** The parts of zod's definitions that lead to members. */
type Definition = {
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  shape?: { [key: string]: z.core.$ZodType };
  valueType?: z.core.$ZodType;
  element?: z.core.$ZodType;
};

/** @returns the known key that differs by case, `_`, `-` or at most two letters; null if none does */
export function nearestKey(key: string, known: readonly string[]): string | null {
  const near = known
    .map((name) => ({ name, distance: editDistance(plain(key), plain(name)) }))
    .filter(({ name, distance }) => distance <= 2 && distance < name.length / 2)
    .toSorted((one, other) => one.distance - other.distance);
  return near[0]?.name ?? null;
}

function plain(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '');
}

/** Letters to insert, delete or replace (Levenshtein). */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= other.length; column++) {
      const replaced = row[column - 1]! + (letter === other[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
