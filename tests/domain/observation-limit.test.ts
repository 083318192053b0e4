// Layer: pure core.
import { expect, it } from 'vitest';
import { readObservation } from '../../src/domain/observation-limit.ts';

it('an observation within the limit, or without one, is read as it is', () => {
  expect(readObservation('abcdef', 6)).toEqual({ text: 'abcdef', leftOut: 0 });
  expect(readObservation('abcdef', null)).toEqual({ text: 'abcdef', leftOut: 0 });
  expect(readObservation('abcdef', undefined)).toEqual({ text: 'abcdef', leftOut: 0 });
});

it('a longer one keeps its beginning and its end, and says between them what is left out', () => {
  const { text, leftOut } = readObservation(`${'a'.repeat(500)}${'b'.repeat(500)}`, 7);
  expect(leftOut).toBe(993);
  expect(text).toBe('aaaa\n[… 993 of the 1000 characters of this observation are left out here …]\nbbb');
});

it('no character is cut in half', () => {
  // Each of them is two units.
  const { text, leftOut } = readObservation('😀'.repeat(10), 6);
  expect(text.split('\n')).toEqual(['😀', expect.stringContaining('16 of the 20'), '😀']);
  expect(leftOut).toBe(16);
  expect(text.isWellFormed()).toBe(true);
});
