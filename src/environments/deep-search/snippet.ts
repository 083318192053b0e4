/** The part of a text that has most words of a query. */
import { termsOf } from '../text-search/analysis.ts';

/** Characters. */
const snippetLength = 240;

/** @returns whole sentences where they fit, on one line */
export function snippetOf(text: string, query: string): string {
  const wanted = new Set(termsOf(query));
  const sentences = text
    .replace(/\s+/g, ' ')
    .trim()
    .split(/(?<=[.!?]) (?=\S)/);
  const wantedIn = sentences.map((sentence) => new Set(termsOf(sentence).filter((term) => wanted.has(term))).size);
  const first = Math.max(0, wantedIn.indexOf(Math.max(...wantedIn)));
  let snippet = sentences[first]!;
  let next = first + 1;
  for (; next < sentences.length && snippet.length + sentences[next]!.length < snippetLength; next++)
    snippet += ` ${sentences[next]}`;
  const isCut = snippet.length > snippetLength;
  const shown = isCut ? snippet.slice(0, snippetLength).replace(/\s\S*$/, '') : snippet;
  return `${first > 0 ? '… ' : ''}${shown}${isCut || next < sentences.length ? ' …' : ''}`;
}
