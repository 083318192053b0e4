// Layer: pure rules. How an agent reads a text.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tooLong } from '../../../src/environments/deep-search/observations.ts';
import { pagesOf, placesOf } from '../../../src/environments/deep-search/reading.ts';
import { snippetOf } from '../../../src/environments/deep-search/snippet.ts';
import { canonicalSearchAction, readSearchAction } from '../../../src/environments/deep-search/tools.ts';

describe('pages', () => {
  it('hold a text whole, each at most 4,000 characters, and break at blanks', () => {
    const words = Array.from({ length: 3000 }, (_, index) => `w${index}`);
    const pages = pagesOf(words.join(' '));
    expect(pages.flatMap((page) => page.split(' '))).toEqual(words);
    expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(4000);
  });

  it('lose nothing but blanks of any text, and break no character', () => {
    const bare = (text: string) => text.replace(/\s+/g, '');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 0, maxLength: 12_000 }), (text) => {
        const pages = pagesOf(text);
        expect(bare(pages.join(''))).toBe(bare(text));
        expect(pages.every((page) => page.isWellFormed())).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('are one for an empty text', () => {
    expect(pagesOf('')).toEqual(['']);
  });
});

describe('places', () => {
  it('are found whatever case and blanks, with the text around them', () => {
    const { shown, count } = placesOf(`${'x'.repeat(500)} the  Sill\nflows ${'y'.repeat(500)}`, ' SILL flows');
    expect(count).toBe(1);
    expect(shown[0]).toMatch(/^…x+ the Sill flows y+…$/);
  });

  it('are counted, and the first five shown', () => {
    expect(placesOf('a.b '.repeat(9), 'a.b')).toMatchObject({ count: 9, shown: { length: 5 } });
    expect(placesOf('axb', 'a.b').count).toBe(0);
  });
});

describe('a snippet', () => {
  it('begins at the sentence with most words of the query', () => {
    const text = `Orrefell is a town. Its river is the Sill. ${'More is said of it. '.repeat(30)}`;
    expect(snippetOf(text, 'which river flows through Orrefell')).toMatch(
      /^Orrefell is a town\. Its river is the Sill\./,
    );
    expect(snippetOf(text, 'sill river')).toMatch(/^… Its river is the Sill\. .* …$/);
  });

  it('of a text without sentences is cut at a blank', () => {
    const snippet = snippetOf('word '.repeat(200), 'nothing');
    expect(snippet).toMatch(/word …$/);
    expect(snippet.length).toBeLessThan(250);
  });
});

describe('an action', () => {
  it.each<[string, { [name: string]: never }, unknown]>([
    ['open', { id: '[p3]', page: '2' } as never, { tool: 'open', id: 'p3', page: 2 }],
    ['answer', { text: 17 } as never, { tool: 'answer', text: '17' }],
    ['answer', { text: '' } as never, { tool: 'answer', text: '' }],
    ['search', { query: ' ' } as never, '"search" needs "query", a text that is not empty.'],
    ['open', { id: 'p1', page: 0 } as never, '"page" must be a whole number from 1.'],
    ['click', {} as never, 'There is no tool "click". The tools are search, open, find, answer.'],
  ])('%s %j is read', (tool, given, read) => {
    expect(readSearchAction({ tool, arguments: given })).toEqual(read);
  });

  it('is the same whatever the case and the blanks of a query, but not of an id', () => {
    const canonical = (tool: string, given: { [name: string]: string }) =>
      canonicalSearchAction({ tool, arguments: given });
    expect(canonical('search', { query: ' Who  built IT' })).toBe(canonical('search', { query: 'who built it' }));
    expect(canonical('open', { id: 'P1' })).not.toBe(canonical('open', { id: 'p1' }));
    expect(canonical('find', { text: 'a' })).not.toBe(canonical('answer', { text: 'a' }));
  });
});

it('a query is too long by its characters, or by its words where these are limited', () => {
  const limit = { characters: 400, words: 50 };
  expect(tooLong('word '.repeat(50).trim(), limit)).toBeNull();
  expect(tooLong('w '.repeat(51), limit)).toBe(
    'This query has 51 words, so nothing was searched. Use a few words, at most 50 words.',
  );
  expect(tooLong('w'.repeat(401), limit)).toBe(
    'This query has 401 characters, so nothing was searched. Use a few words, at most 400 characters.',
  );
  expect(tooLong('w '.repeat(51), { ...limit, words: null })).toBeNull();
});
