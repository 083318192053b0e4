/** Texts as an agent reads them: by pages, and by the places where some words stand. */

/** Characters of a page. */
const pageLength = 4000;
const mostPlaces = 5;
/** Characters that are shown before and after a found text. */
const around = 200;

/** A page ends at a blank, if there is one in its last quarter. */
export function pagesOf(text: string): string[] {
  const pages: string[] = [];
  let rest = text.trim();
  while (rest.length > pageLength) {
    const at = rest.slice(0, pageLength + 1).search(/\s\S*$/);
    const end = at > pageLength * 0.75 ? at : wholeCharacters(rest, pageLength);
    pages.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  }
  return [...pages, rest];
}

export type Places = {
  /** The first few, each with the text around it. */
  shown: string[];
  /** All. */
  count: number;
};

/** Where a text stands in another, whatever its case and blanks. */
export function placesOf(text: string, wanted: string): Places {
  const words = wanted
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const found = [...text.matchAll(new RegExp(words.join('\\s+'), 'giu'))];
  const shown = found.slice(0, mostPlaces).map(({ index, 0: match }) => {
    const from = wholeCharacters(text, Math.max(0, index - around));
    const to = wholeCharacters(text, Math.min(text.length, index + match.length + around));
    const cut = text.slice(from, to).replace(/\s+/g, ' ').trim();
    return `${from > 0 ? '…' : ''}${cut}${to < text.length ? '…' : ''}`;
  });
  return { shown, count: found.length };
}

/** The nearest place at or before this one that lies between two characters. */
function wholeCharacters(text: string, at: number): number {
  return /[\uDC00-\uDFFF]/.test(text[at] ?? '') ? at - 1 : at;
}
