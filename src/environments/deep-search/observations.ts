/** What an agent reads after its actions. */
import type { Document, Hit } from './library.ts';
import { pagesOf, placesOf } from './reading.ts';

/** Most characters of a query that are searched for. */
export const longestQuery = 1000;
/** Characters of an agent's own words that are repeated to it. */
const longestEcho = 120;

const quoted = (text: string) => `"${text.length > longestEcho ? `${text.slice(0, longestEcho)}…` : text}"`;
const counted = (count: number, one: string, several: string) =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : several}`;

export function tooLong(query: string): string {
  const [length, most] = [query.length, longestQuery].map((count) => count.toLocaleString('en-US'));
  return `This query has ${length} characters, so nothing was searched. Use a few words, at most ${most} characters.`;
}

export function hitsText(query: string, hits: readonly Hit[]): string {
  if (hits.length === 0) return `Nothing was found for ${quoted(query)}. Try other words.`;
  const lines = hits.map(({ id, title, snippet }) => `[${id}] ${title}\n    ${snippet}`);
  return `${counted(hits.length, 'result', 'results')} for ${quoted(query)}, best first:\n${lines.join('\n')}`;
}

/** @param page from 1 */
export function pageText({ id, title, text }: Document, page: number): string {
  const pages = pagesOf(text);
  if (page > pages.length) return `${quoted(title)} has ${counted(pages.length, 'page', 'pages')}.`;
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
