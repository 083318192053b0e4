/** How two values of JSON differ, member by member. */
import { canonicalJson, type Json } from './canonical-json.ts';

/** Undefined: it has no such member. */
export type Difference = { path: string; known: Json | undefined; wanted: Json | undefined };

/** Objects are compared by their members, everything else as a whole. */
export function differences(known: Json | undefined, wanted: Json | undefined, path = ''): Difference[] {
  if (isObject(known) && isObject(wanted)) {
    const names = [...new Set([...Object.keys(known), ...Object.keys(wanted)])];
    return names.flatMap((name) => differences(known[name], wanted[name], path === '' ? name : `${path}.${name}`));
  }
  const isSame =
    known === undefined || wanted === undefined ? known === wanted : canonicalJson(known) === canonicalJson(wanted);
  return isSame ? [] : [{ path, known, wanted }];
}

const mostLetters = 120;

/** `options.alternatives is 5 there and 3 now`. */
export function differenceText({ path, known, wanted }: Difference): string {
  return `${path} is ${valueText(known)} there and ${valueText(wanted)} now`;
}

export function valueText(value: Json | undefined): string {
  if (value === undefined) return 'not set';
  const text = JSON.stringify(value);
  return text.length > mostLetters ? `${text.slice(0, mostLetters)}…` : text;
}

export function isObject(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
