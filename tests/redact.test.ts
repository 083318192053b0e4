// Layer: pure core.
import { describe, expect, it, vi } from 'vitest';
import { withoutKey } from '../src/redact.ts';

const key = 'Qx7vR2Lm0pWz5NtB8kYd';

it.each([
  [`Wrong key ${key}.`, 'Wrong key [key].'],
  [`${key}${key}`, '[key][key]'],
  // As V8 quotes the beginning of what is no JSON.
  [`Unexpected token 'Q', "Qx7vR2Lm0p"... is not valid JSON`, `Unexpected token 'Q', "[key]"... is not valid JSON`],
  ['…Wz5NtB8kYd is not known', '…[key] is not known'],
  // Seven characters are no secret.
  ['Qx7vR2L', 'Qx7vR2L'],
  ['nothing of it', 'nothing of it'],
])('%s becomes %s', (text, safe) => {
  expect(withoutKey(text, key)).toBe(safe);
});

it('a short key is cut out whole', () => {
  expect(withoutKey('Bearer none, nonesuch', 'none')).toBe('Bearer [key], [key]such');
});

it('an empty key changes nothing', () => {
  expect(withoutKey('text', '')).toBe('text');
});

it('a key in what is cut off is gone with it', () => {
  const text = withoutKey(`${'x'.repeat(3_990)}${key}`, key);
  expect(text).toBe(`${'x'.repeat(3_990)}[key]`);
});

describe('of a key of any length', () => {
  /** Every part of the key, the longest first: what the function is to give, at a cost that grows with the square of the key. */
  function byEveryPart(text: string, key: string): string {
    let safe = text.slice(0, 4_000);
    for (let length = key.length; length >= Math.min(8, key.length) && length > 0; length--)
      for (let start = 0; start + length <= key.length; start++)
        safe = safe.replaceAll(key.slice(start, start + length), '[key]');
    return safe;
  }

  /** Numbers below a bound, the same in every run. */
  function numbers(seed: number): (below: number) => number {
    let state = seed + 1;
    return (below) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
  }

  const letters = (count: number, of: string, draw: (below: number) => number) =>
    Array.from({ length: count }, () => of[draw(of.length)]).join('');

  it.each(['ab', 'abcdefghijklmnopqrstuvwxyz'])('of the letters %s, a text loses what it lost by every part', (of) => {
    for (let seed = 0; seed < 150; seed++) {
      const draw = numbers(seed);
      const own = letters(4 + draw(60), of, draw);
      const part = () => own.slice(draw(own.length)).slice(0, 1 + draw(30));
      const text = Array.from({ length: 12 }, () => part() + letters(draw(4), of, draw)).join('');
      expect(withoutKey(text, own)).toBe(byEveryPart(text, own));
    }
  });

  it('the work does not grow with the key, whether the text quotes some of it or nothing', () => {
    const work = (length: number, quoted: boolean) => {
      const long = letters(length, 'abcdefghijklmnopqrstuvwxyz', numbers(length));
      const spies = [vi.spyOn(String.prototype, 'replaceAll'), vi.spyOn(String.prototype, 'includes')];
      const safe = withoutKey(`The log says: ${quoted ? long.slice(0, 100) : 'nothing'}.`, long);
      const calls = spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
      for (const spy of spies) spy.mockRestore();
      expect(safe).toBe(`The log says: ${quoted ? '[key]' : 'nothing'}.`);
      return calls;
    };
    expect(work(4_000, false)).toBe(work(1_000, false));
    expect(work(4_000, true)).toBe(work(1_000, true));
  });
});
