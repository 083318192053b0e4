/** What functions of ours get from SQLite and give to it. */

export type Value = null | number | bigint | string | Uint8Array;
/** A value that is not NULL. Integers come as numbers if they are safe as such. */
export type Given = number | bigint | string;
export type Implementation = (...values: Given[]) => Value;

/** An error that the agent reads, in MySQL's words where MySQL has any. */
export class ValueError extends Error {}

export const string = (value: Given | undefined) => String(value ?? '');

/** Text counts up to its first character that is no digit. */
export const number = (value: Given | undefined): number => {
  if (typeof value !== 'string') return Number(value ?? 0);
  return Number(/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/.exec(value)?.[0] ?? 0);
};

/** A whole number from any other: doubles to the nearest even one if they are in the middle, as C does. */
export const whole = (value: Given | undefined): number =>
  typeof value === 'string' ? Math.trunc(number(value)) : nearest(Number(value ?? 0));

/** C's `rint`. */
export function nearest(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest === 0.5) return down % 2 === 0 ? down : down + 1;
  return rest < 0.5 ? down : down + 1;
}

/** SQLite takes a JavaScript number for a double. */
export const asInteger =
  (implementation: (...values: Given[]) => number | null): Implementation =>
  (...values) => {
    const result = implementation(...values);
    return result === null ? null : BigInt(result);
  };

export function allAsIntegers(implementations: { [name: string]: (...values: Given[]) => number | null }): {
  [name: string]: Implementation;
} {
  return Object.fromEntries(Object.entries(implementations).map(([name, each]) => [name, asInteger(each)]));
}
