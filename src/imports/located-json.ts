/**
 * JSON with the line of every value. `JSON.parse` takes the last of two equal names without a word, and says of a wrong value nothing but an
 * offset. NaN and Infinity, which Python writes, are read as such: where a number is needed, schemas refuse them.
 */
import type { z } from 'zod';
import type { Fault } from './input-file.ts';

export type LocatedJson = {
  /** Null for a text that is no JSON; `faults` then say why. */
  value: unknown;
  faults: Fault[];
  /** Line of the value at a path, or of the nearest value around it. */
  lineOf(path: readonly PropertyKey[]): number;
};

const deepest = 100;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /-?[A-Za-z_]\w*/y;
const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** @param firstLine line at which the text begins in its file */
export function locatedJson(text: string, firstLine = 1): LocatedJson {
  const reader = new Reader(text, firstLine);
  try {
    const value = reader.whole();
    return { value, faults: reader.faults, lineOf: (path) => reader.lineOf(value, path) };
  } catch (error) {
    if (!(error instanceof NoJson)) throw error;
    return {
      value: null,
      faults: [...reader.faults, { line: error.line, what: error.message }],
      lineOf: () => firstLine,
    };
  }
}

/**
 * A value as a schema reads it; each issue is a fault with its line.
 * @param under path of the value in its file
 * @returns null if there are faults
 */
export function checkedAt<Value>(
  schema: z.ZodType<Value>,
  value: unknown,
  { lineOf, faults }: LocatedJson,
  under: readonly PropertyKey[] = [],
): Value | null {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  for (const { path, message } of read.error.issues) {
    const whole = [...under, ...path];
    faults.push({ line: lineOf(whole), what: `${whole.map(String).join('.') || 'the value'}: ${message}` });
  }
  return null;
}

class NoJson extends Error {
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

class Reader {
  readonly faults: Fault[] = [];
  readonly #text: string;
  readonly #firstLine: number;
  /** Lines of the members of each object and list. */
  readonly #lines = new WeakMap<object, Map<string, number>>();
  #at = 0;
  #line: number;

  constructor(text: string, firstLine: number) {
    this.#text = text;
    this.#firstLine = firstLine;
    this.#line = firstLine;
  }

  whole(): unknown {
    const value = this.#value(0);
    if (this.#next() !== '') throw this.#noJson('something follows the end of the JSON value');
    return value;
  }

  lineOf(value: unknown, path: readonly PropertyKey[]): number {
    let line = this.#firstLine;
    let inside = value;
    for (const name of path) {
      if (typeof inside !== 'object' || inside === null) break;
      line = this.#lines.get(inside)?.get(String(name)) ?? line;
      inside = (inside as { [name: PropertyKey]: unknown })[name];
    }
    return line;
  }

  #value(depth: number): unknown {
    const sign = this.#next();
    if (depth > deepest) throw this.#noJson(`values are nested more than ${deepest} deep`);
    if (sign === '{') return this.#object(depth);
    if (sign === '[') return this.#list(depth);
    if (sign === '"') return this.#string();
    const digits = this.#match(number);
    if (digits !== null) return Number(digits);
    const name = this.#match(word);
    if (name !== null && words.has(name)) return words.get(name);
    if (name !== null) throw this.#noJson(`${name.slice(0, 40)} is no JSON value`);
    throw this.#noJson(sign === '' ? 'the JSON ends too early' : `no JSON value begins with ${sign}`);
  }

  #object(depth: number): object {
    const object: { [name: string]: unknown } = {};
    const lines = new Map<string, number>();
    this.#lines.set(object, lines);
    this.#members('}', () => {
      if (this.#next() !== '"') throw this.#noJson('a name in quotes is missing');
      const line = this.#line;
      const name = this.#string();
      this.#expect(':');
      const first = lines.get(name);
      if (first !== undefined)
        this.faults.push({ line, what: `the name "${name}" is there twice (first in line ${first})` });
      lines.set(name, line);
      Object.defineProperty(object, name, {
        value: this.#value(depth + 1),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    });
    return object;
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = [];
    const lines = new Map<string, number>();
    this.#lines.set(list, lines);
    this.#members(']', () => {
      this.#next();
      lines.set(String(list.length), this.#line);
      list.push(this.#value(depth + 1));
    });
    return list;
  }

  #members(end: string, read: () => void): void {
    this.#at++;
    if (this.#next() !== end) {
      do read();
      while (this.#next() === ',' && ++this.#at);
    }
    this.#expect(end);
  }

  #string(): string {
    const start = this.#at;
    do {
      this.#at = this.#text.indexOf('"', this.#at + 1);
      if (this.#at < 0) throw this.#noJson('a text in quotes has no end');
    } while (this.#isEscaped());
    try {
      return JSON.parse(this.#text.slice(start, ++this.#at));
    } catch {
      throw this.#noJson('a text in quotes is no JSON: a line break or a backslash in it is not escaped');
    }
  }

  #isEscaped(): boolean {
    let before = this.#at;
    while (this.#text[before - 1] === '\\') before--;
    return (this.#at - before) % 2 === 1;
  }

  #expect(sign: string): void {
    const next = this.#next();
    if (next !== sign)
      throw this.#noJson(next === '' ? 'the JSON ends too early' : `${sign} is missing before ${next}`);
    this.#at++;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  /** The next character that is no white space; empty at the end. */
  #next(): string {
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at]!;
      if (character === '\n') this.#line++;
      else if (character !== ' ' && character !== '\t' && character !== '\r') return character;
    }
    return '';
  }

  #noJson(message: string): NoJson {
    return new NoJson(message, this.#line);
  }
}
