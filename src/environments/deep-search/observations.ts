/** What an agent reads after its actions. */
import type { Document, Hit, QueryLimit } from './library.ts';
import { pagesOf, placesOf } from './reading.ts';

/** Characters of an agent's own words that are repeated to it. */
const longestEcho = 120;

const quoted = (text: string) => `"${text.length > longestEcho ? `${text.slice(0, longestEcho)}…` : text}"`;
const counted = (count: number, one: string, several: string) =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : several}`;

/** What is said of a query that is too long; null for any other. */
export function tooLong(query: string, { characters, words }: QueryLimit): string | null {
  const refused = (has: string, most: string) =>
    `This query has ${has}, so nothing was searched. Use a few words, at most ${most}.`;
  const count = query.trim().split(/\s+/).length;
  if (query.length > characters) return refused(charactersText(query.length), charactersText(characters));
  return words !== null && count > words ? refused(wordsText(count), wordsText(words)) : null;
}

const charactersText = (count: number) => counted(count, 'character', 'characters');
const wordsText = (count: number) => counted(count, 'word', 'words');

export function hitsText(query: string, hits: readonly Hit[]): string {
  if (hits.length === 0) return `Nothing was found for ${quoted(query)}. Try other words.`;
  const lines = hits.map(({ id, title, snippet }) => `[${id}] ${title}\n    ${snippet}`);
  return `${counted(hits.length, 'result', 'results')} for ${quoted(query)}, best first:\n${lines.join('\n')}`;
}

/** @param page from 1 */
export function hasPage({ text }: Document, page: number): boolean {
  return page <= pagesOf(text).length;
}

export function noSuchPage({ title, text }: Document): string {
  return `${quoted(title)} has ${counted(pagesOf(text).length, 'page', 'pages')}.`;
}

/** @param page from 1, one that the text has */
export function pageText({ id, title, text }: Document, page: number): string {
  const pages = pagesOf(text);
  return `[${id}] ${title} (page ${page} of ${pages.length})\n\n${pages[page - 1]}`;
}

export function foundText(document: Document | null, wanted: string): string {
  if (document === null) return 'No text is open. Open one first.';
  const { shown, count } = placesOf(document.text, wanted);
  if (count === 0) return `${quoted(wanted)} does not stand in ${quoted(document.title)}.`;
  const more = count > shown.length ? `, of which the first ${shown.length}` : '';
  const lines = shown.map((place, index) => `${index + 1}. ${place}`);
  return `${quoted(wanted)} stands at ${counted(count, 'place', 'places')} in ${quoted(document.title)}${more}:\n${lines.join('\n')}`;
}
