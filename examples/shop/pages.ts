/** The pages of the shop: what the agent reads on each, and which tools it has there. */
import type { Tool } from 'crux-rl';
import { type Product, searchCatalogue } from './catalogue.ts';
import type { Chosen } from './wishes.ts';

export type Page =
  | { at: 'search' }
  | { at: 'results'; query: string }
  | { at: 'product'; query: string; product: Product; chosen: Chosen };

export const search: Page = { at: 'search' };

/** The options that were chosen are not on the page. */
export function textOf(page: Page): string {
  switch (page.at) {
    case 'search':
      return 'Search: what are you looking for?';
    case 'results': {
      const lines = searchCatalogue(page.query).map(({ name, price }) => `- ${name}, ${price} dollars`);
      return [`Found for "${page.query}":`, ...(lines.length > 0 ? lines : ['nothing'])].join('\n');
    }
    case 'product': {
      const { name, price, attributes, options } = page.product;
      const choices = Object.entries(options).map(([option, values]) => `- ${option}: ${values.join(', ')}`);
      return [`${name}, ${price} dollars (${attributes.join(', ')})`, ...choices].join('\n');
    }
  }
}

export function toolsOf(page: Page): Tool[] {
  switch (page.at) {
    case 'search':
      return [tool('search', 'Searches the catalogue by words.', { query: { type: 'string' } })];
    case 'results': {
      const found = searchCatalogue(page.query).map(({ name }) => name);
      return [...(found.length > 0 ? [tool('open', 'Opens a product.', { product: oneOf(found) })] : []), back];
    }
    case 'product': {
      const { options } = page.product;
      const choice = { option: oneOf(Object.keys(options)), value: oneOf(Object.values(options).flat()) };
      return [
        tool('choose', 'Chooses the value of an option.', choice),
        tool('buy', 'Buys the product and ends the task.'),
        back,
      ];
    }
  }
}

type Parameters = { [name: string]: { type: 'string'; enum?: string[] } };

function tool(name: string, description: string, properties: Parameters = {}): Tool {
  const parameters = { type: 'object', properties, required: Object.keys(properties) };
  return { type: 'function', function: { name, description, parameters } };
}

const back = tool('back', 'Goes one page back.');

const oneOf = (values: string[]) => ({ type: 'string' as const, enum: values });
