/**
 * The shop as one function: where an agent is, and where an action takes it. Actions are those of the benchmark: `search` from any page, and `click`
 * on something that the page offers. Any other action leaves everything as it is.
 */
import type { Goal } from './goals.ts';
import {
  clickables,
  itemPage,
  type Page,
  type Place,
  productClicked,
  resultsPage,
  searchPage,
  tabPage,
  tabs,
} from './pages.ts';
import type { Product } from './product.ts';

export type Catalogue = {
  /** ASINs of the products that a query finds, best first, at most 50. */
  search(query: string): string[];
  /** @param asin of a product that is in the catalogue */
  product(asin: string): Product;
  /** The price that counts, in US dollars. @param asin of a product that is in the catalogue */
  price(asin: string): number;
};

/** Everything that later steps and the reward depend on. */
export type ShopState = {
  place: Place;
  /** ASINs of the products that were looked at: rich text marks them. In the order of the first look. */
  seen: string[];
};

/** @param argument in lower case */
export type ShopAction = { name: 'search' | 'click'; argument: string };
export type Move =
  | { kind: 'moved'; state: ShopState }
  | { kind: 'bought'; asin: string; chosen: { [name: string]: string } };

export const firstState: ShopState = { place: { at: 'search' }, seen: [] };

export function pageOf(catalogue: Catalogue, { instruction }: Goal, { place, seen }: ShopState): Page {
  const product = (asin: string) => catalogue.product(asin);
  switch (place.at) {
    case 'search':
      return searchPage(instruction);
    case 'results':
      return resultsPage(
        instruction,
        place.results.number,
        catalogue.search(place.results.query),
        product,
        new Set(seen),
      );
    case 'item':
      return itemPage(instruction, product(place.asin), place.chosen);
    case 'tab':
      return tabPage(instruction, product(place.asin), place.tab);
  }
}

/** @param page that the agent is on */
export function move(catalogue: Catalogue, state: ShopState, page: Page, action: ShopAction | null): Move {
  const { place, seen } = state;
  const to = (next: Place): Move => ({ kind: 'moved', state: { place: next, seen } });
  if (action?.name === 'search') return to({ at: 'results', results: { query: action.argument, number: 1 } });
  if (action?.name !== 'click' || !clickables(page).includes(action.argument) || place.at === 'search')
    return to(place);
  const { argument } = action;
  const { results } = place;
  const chosen = place.at === 'item' && optionNamed(catalogue.product(place.asin), argument);
  if (chosen) return to({ ...place, chosen: { ...place.chosen, [chosen]: argument } } as Place);
  const tab = tabs.find((name) => name === argument);
  if (argument === 'back to search') return to({ at: 'search' });
  if (argument === 'next >') return to({ at: 'results', results: { ...results, number: results.number + 1 } });
  if (argument === '< prev') return to(placeBefore(place));
  if (place.at === 'item' && tab) return to({ ...place, at: 'tab', tab });
  if (place.at === 'item' && argument === 'buy now') return { kind: 'bought', asin: place.asin, chosen: place.chosen };
  const asin = productClicked(page, argument);
  if (asin === undefined) return to(place);
  return {
    kind: 'moved',
    state: { place: { at: 'item', results, asin, chosen: {} }, seen: [...new Set([...seen, asin])] },
  };
}

function placeBefore(place: Exclude<Place, { at: 'search' }>): Place {
  const { results } = place;
  if (place.at === 'results') return { at: 'results', results: { ...results, number: results.number - 1 } };
  if (place.at === 'item') return { at: 'results', results };
  return { at: 'item', results, asin: place.asin, chosen: place.chosen };
}

/** The option that a value belongs to: the last one that has it. */
function optionNamed({ options }: Product, value: string): string | undefined {
  return Object.keys(options).findLast((name) => options[name]!.includes(value));
}
