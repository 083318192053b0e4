/** Products as the catalogue's files describe them, and as the shop shows them. */
import { z } from 'zod';

export type Product = {
  asin: string;
  title: string;
  description: string;
  bullets: string[];
  /** Values of each option that a buyer can choose, in lower case. */
  options: { [name: string]: string[] };
  /** Department, e.g. `fashion`. */
  category: string;
  /** The search under which the product was collected. */
  query: string;
  /** Path in the shop's tree, with ` › ` between its parts. */
  productCategory: string;
  attributes: string[];
  /** US dollars: one price, or the lowest and the highest. */
  prices: number[];
  /** Nouns of the title in lower case, in order and with repeats. */
  nouns: string[];
};

/** The part of a catalogue's line that matters. What else stands in it is ignored. */
const lineSchema = z.object({
  asin: z.string(),
  name: z.string(),
  full_description: z.string().nullish(),
  small_description: z.union([z.array(z.string()), z.string()]).nullish(),
  pricing: z.union([z.string(), z.array(z.number())]).nullish(),
  product_category: z.string().nullish(),
  category: z.string().nullish(),
  query: z.string().nullish(),
  customization_options: z
    .union([z.literal(''), z.record(z.string(), z.array(z.looseObject({ value: z.string() })).nullable())])
    .nullish(),
});

/** The price of a product whose line has none. */
const unknownPrice = 100;
const longestAsin = 10;

/**
 * @param value a line of the catalogue, parsed
 * @returns the product without attributes and nouns, which other files hold; null for an ASIN that the benchmark leaves out
 * @throws z.ZodError for anything else
 */
export function productFrom(value: unknown): Omit<Product, 'attributes' | 'nouns'> | null {
  const line = lineSchema.parse(value);
  if (line.asin === 'nan' || line.asin === '' || line.asin.length > longestAsin) return null;
  const bullets = line.small_description ?? [];
  return {
    asin: line.asin,
    title: line.name,
    description: line.full_description ?? '',
    bullets: Array.isArray(bullets) ? bullets : [bullets],
    options: optionsOf(line.customization_options || {}),
    category: line.category ?? '',
    query: (line.query ?? '').toLowerCase().trim(),
    productCategory: line.product_category ?? '',
    prices: pricesOf(line.pricing ?? ''),
  };
}

function optionsOf(given: { [name: string]: { value: string }[] | null }): Product['options'] {
  const options: Product['options'] = {};
  for (const [name, values] of Object.entries(given)) {
    if (values === null) continue;
    options[name.toLowerCase()] = values.map(({ value }) => value.trim().replaceAll('/', ' | ').toLowerCase());
  }
  return options;
}

/** @param pricing as numbers, or as a text such as `$1,249.00` or `$5.99$10.99` */
function pricesOf(pricing: string | number[]): number[] {
  const prices =
    typeof pricing === 'string'
      ? pricing
          .split('$')
          .slice(1)
          .map((price) => Number(price.replace(/[^\d.]/g, '')))
      : pricing;
  if (prices.some((price) => !Number.isFinite(price)))
    throw new Error(`the price ${JSON.stringify(pricing)} is no number`);
  return prices.length === 0 ? [unknownPrice] : prices.slice(0, 2);
}

export function priceText({ prices }: Pick<Product, 'prices'>): string {
  return prices.map((price) => `$${Number.isInteger(price) ? price.toFixed(1) : price}`).join(' to ');
}

/** The text that the search reads of a product. */
export function searchText({ title, description, bullets, options }: Omit<Product, 'attributes' | 'nouns'>): string {
  const choices = Object.entries(options).map(([name, values]) => `${name}: ${values.join(', ')}`);
  return `${title} ${description} ${bullets[0] ?? ''} ${choices.join(', and ')}`.toLowerCase();
}
