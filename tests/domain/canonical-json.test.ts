// Layer: pure core.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../src/domain/canonical-json.ts';

const anyJson = fc.jsonValue() as fc.Arbitrary<Json>;

function reversed(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => reversed(item)!);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

it('does not depend on the order of keys, at any depth', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
    }),
    { seed: 1 },
  );
  expect(canonicalJson({ b: { d: 1, c: 2 }, a: [{ f: 1, e: 2 }] })).toBe('{"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}}');
});

it('is JSON of the same value', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { seed: 2 },
  );
});

it('is different for different values', () => {
  fc.assert(
    fc.property(anyJson, anyJson, (one, other) => {
      const same =
        JSON.stringify(reversed(JSON.parse(canonicalJson(one)))) ===
        JSON.stringify(reversed(JSON.parse(canonicalJson(other))));
      expect(canonicalJson(one) === canonicalJson(other)).toBe(same);
    }),
    { seed: 3 },
  );
  expect(canonicalJson(['1'])).not.toBe(canonicalJson([1]));
  expect(canonicalJson({ a: null })).not.toBe(canonicalJson({}));
});

it('leaves undefined members out, and keeps the order of lists', () => {
  expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
  expect(canonicalJson([2, 1, null])).toBe('[2,1,null]');
});

it('keeps halves of surrogate pairs apart', () => {
  expect(canonicalJson('\ud800')).not.toBe(canonicalJson('\ud801'));
});

it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %s, which JSON does not have', (value) => {
  expect(() => canonicalJson({ value })).toThrow(TypeError);
});
