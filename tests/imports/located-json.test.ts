// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkedAt, locatedJson } from '../../src/imports/located-json.ts';

describe('JSON with lines', () => {
  it('reads what JSON.parse reads', () => {
    const text = '{"a": [1, -2.5e3, "é\\u00e9\\n\\"\\\\", true, false, null, {}, []],\n "__proto__": {"b": 1}}';
    const { value, faults } = locatedJson(text);
    expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
    expect(faults).toEqual([]);
  });

  it('knows the line of every value', () => {
    const { lineOf } = locatedJson('{\n"a": [\n1,\n{"b":\n2}]}', 10);
    expect([['a'], ['a', 0], ['a', 1], ['a', 1, 'b'], ['a', 7], []].map(lineOf)).toEqual([11, 12, 13, 13, 11, 10]);
  });

  it.each([
    ['a name that is there twice', '{"a": 1,\n"a": 2}', 2, /the name "a" is there twice \(first in line 1\)/],
    ['an end that comes too early', '{"a": [1,\n2', 2, /ends too early/],
    ['a text without its end', '[1,\n"a', 2, /no end/],
    ['a line break in a text', '["a\nb"]', 1, /not escaped/],
    ['a comma at the end', '[1,\n]', 2, /no JSON value begins with \]/],
    ['words', '{"a":\nyes}', 2, /yes is no JSON value/],
    ['something after the end', '{}\n{}', 2, /something follows/],
    ['nothing', '', 1, /ends too early/],
    ['very deep lists', '['.repeat(100_000), 1, /nested more than/],
  ])('says of %s in which line it is', (_, text, line, what) => {
    const { faults } = locatedJson(text);
    expect(faults).toEqual([{ line, what: expect.stringMatching(what) }]);
  });

  it('gives a schema NaN and wrong types to refuse, each with its line', () => {
    const json = locatedJson('{"rewards": [\n0,\nNaN,\n"1",\n-Infinity]}');
    expect(json.faults).toEqual([]);
    expect(checkedAt(z.object({ rewards: z.array(z.number()) }), json.value, json)).toBeNull();
    expect(json.faults.map(({ line, what }) => `${line} ${what.split(':')[0]}`)).toEqual([
      '3 rewards.1',
      '4 rewards.2',
      '5 rewards.3',
    ]);
  });
});
