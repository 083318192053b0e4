/** The pages of the shop: what an agent reads on each, and what it can click there. */
import { type Product, priceText } from './product.ts';

/** How pages are written: texts with ` [SEP] ` between them, or one a line with marks around what can be clicked. */
export type ObservationMode = 'text' | 'text_rich';

/** What was searched and the page of its results, from 1. */
export type Results = { query: string; number: number };
/** Value of each chosen option. */
export type Chosen = { [name: string]: string };
export const tabs = ['description', 'features', 'reviews'] as const;
export type Tab = (typeof tabs)[number];

/** Where the agent is in the shop. */
export type Place =
  | { at: 'search' }
  | { at: 'results'; results: Results }
  | { at: 'item'; results: Results; asin: string; chosen: Chosen }
  | { at: 'tab'; results: Results; asin: string; chosen: Chosen; tab: Tab };

/** A text on a page. Buttons, products and options can be clicked. */
type Piece = {
  text: string;
  as: 'plain' | 'paragraph' | 'button' | 'product' | 'option';
  /** Marked in rich text: an option that is chosen, a product that was looked at. */
  isMarked?: boolean;
};
export type Page = {
  pieces: Piece[];
  /** Values of the chosen options, in the order of the page. */
  chosen: string[];
};

/** Products on a page of results. */
export const perPage = 10;
const plain = (text: string): Piece => ({ text, as: 'plain' });
const button = (text: string): Piece => ({ text, as: 'button' });

export function searchPage(instruction: string): Page {
  return { pieces: [plain('WebShop'), plain('Instruction: '), plain(instruction), button('Search')], chosen: [] };
}

/** @param found ASINs of all products that the search found, best first */
export function resultsPage(
  instruction: string,
  number: number,
  found: readonly string[],
  productOf: (asin: string) => Product,
  seen: ReadonlySet<string>,
): Page {
  const shown = found.slice((number - 1) * perPage, number * perPage).map(productOf);
  return {
    pieces: [
      ...head(instruction),
      plain(`Page ${number} (Total results: ${found.length})`),
      ...(number > 1 ? [button('< Prev')] : []),
      button('Next >'),
      ...shown.flatMap((product): Piece[] => [
        { text: product.asin, as: 'product', isMarked: seen.has(product.asin) },
        plain(product.title),
        plain(priceText(product)),
      ]),
    ],
    chosen: [],
  };
}

export function itemPage(instruction: string, product: Product, chosen: Chosen): Page {
  const values = new Set(Object.values(chosen));
  const options = Object.entries(product.options).flatMap(([name, offered]): Piece[] => [
    plain(name),
    ...offered.map((value): Piece => ({ text: value, as: 'option', isMarked: values.has(value) })),
  ]);
  return {
    pieces: [
      ...head(instruction),
      button('< Prev'),
      ...options,
      plain(product.title),
      plain(`Price: ${priceText(product)}`),
      plain('Rating: N.A.'),
      ...['Description', 'Features', 'Reviews', 'Buy Now'].map(button),
    ],
    chosen: options.filter(({ isMarked }) => isMarked).map(({ text }) => text),
  };
}

export function tabPage(instruction: string, product: Product, tab: Tab): Page {
  const paragraph = (text: string): Piece => ({ text, as: 'paragraph' });
  const content = {
    description: () => [plain(product.description)],
    features: () => product.bullets.map(paragraph),
    reviews: () => [],
  };
  return { pieces: [...head(instruction), button('< Prev'), ...content[tab]()], chosen: [] };
}

function head(instruction: string): Piece[] {
  return [plain('Instruction:'), plain(instruction), button('Back to Search')];
}

export function pageText({ pieces: all, chosen }: Page, mode: ObservationMode): string {
  // An empty text leaves no trace on a page.
  const pieces = all.filter(({ text, as }) => text !== '' || as === 'paragraph');
  if (mode === 'text') return pieces.map(({ text }) => strip(text)).join(' [SEP] ');
  // The page is read from its end, so the last option stands first.
  const said = chosen.toReversed().map((value) => `You have clicked ${value}.\n`);
  return said.join('') + pieces.map(richLine).join('');
}

function richLine({ text, as, isMarked }: Piece): string {
  if (as === 'plain') return `${text}\n`;
  if (as === 'paragraph') return ` ${text}\n`;
  const mark = isMarked ? 'clicked button' : 'button';
  return `${as === 'product' ? '\n' : as === 'option' ? '  ' : ''}[${mark}] ${text} [${mark}_]\n`;
}

/** What a click may name: buttons and products in lower case, options as they are. */
export function clickables({ pieces }: Page): string[] {
  const textsOf = (kind: Piece['as']) => pieces.filter(({ as }) => as === kind).map(({ text }) => text);
  const links = [...textsOf('button'), ...textsOf('product')].map((text) => text.toLowerCase());
  return [...new Set([...links, ...textsOf('option')])];
}

/** The ASIN, as the page shows it, that a click names in lower case. */
export function productClicked({ pieces }: Page, click: string): string | undefined {
  return pieces.find(({ as, text }) => as === 'product' && text.toLowerCase() === click)?.text;
}

/** Removes what Python takes for white space. */
function strip(text: string): string {
  const space = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
  return text.replace(new RegExp(`^${space}|${space}$`, 'g'), '');
}
