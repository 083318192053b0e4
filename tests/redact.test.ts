// Layer: pure core.
import { expect, it } from 'vitest';
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
