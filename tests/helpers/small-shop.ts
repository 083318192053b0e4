/** A shop of a few products, in the files of the benchmark: raw lines as the full catalogue has them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShopAction } from '../../src/environments/webshop/shop.ts';
import { shopActionFrom, shopTextFormat } from '../../src/environments/webshop/text-format.ts';
import { temporaryFolder } from './sql-datasets.ts';

export type RawProduct = { asin: string; name: string; [field: string]: unknown };

const choice = (...values: string[]) => values.map((value) => ({ value, is_available: true }));

export const lamp: RawProduct = {
  asin: 'B000LAMP01',
  name: 'Nordlys Reading Lamp with Oak Base',
  full_description: 'A warm lamp for long evenings.',
  small_description: ['Solid wood base. ', 'Dimmable. '],
  pricing: '$24.50',
  product_category: 'Home & Kitchen › Lighting › Lamps',
  category: 'garden',
  query: 'Reading Lamps',
  customization_options: { Color: choice('White', 'Oak/Black'), Size: choice('small', 'Large') },
};
export const bulb: RawProduct = {
  asin: 'B000BULB01',
  name: 'Nordlys Bulb, <b>Warm</b> & Bright',
  full_description: '',
  small_description: '',
  pricing: '$3.00$9.00',
  product_category: 'Home & Kitchen › Lighting › Bulbs',
  category: 'garden',
  query: 'bulbs',
  customization_options: '',
};
/** As little as a line may hold. */
export const bare: RawProduct = { asin: 'B000BARE01', name: 'Plain Towel' };

export const instructions = {
  [lamp.asin]: {
    attributes: ['solid wood', 'dimmable'],
    instruction: 'Find me solid wood, dimmable reading lamps',
    instruction_attributes: ['solid wood', 'dimmable'],
  },
  [bulb.asin]: {
    attributes: ['long life'],
    instruction: 'Find me long life bulbs',
    instruction_attributes: ['long life'],
  },
  [bare.asin]: { attributes: [] },
};

/** @returns a folder with the catalogue as lines; `text` replaces them */
export function shopFiles(
  products: readonly RawProduct[] = [lamp, bulb, bare],
  { text, more = {} }: { text?: string; more?: { [file: string]: unknown } } = {},
): string {
  const from = join(temporaryFolder(), 'files');
  mkdirSync(from);
  writeFileSync(
    join(from, 'products.jsonl'),
    text ?? products.map((product) => `${JSON.stringify(product)}\n`).join(''),
  );
  writeFileSync(join(from, 'items_ins_v2.json'), JSON.stringify(instructions));
  for (const [file, content] of Object.entries(more)) writeFileSync(join(from, file), JSON.stringify(content));
  return from;
}

/** An action as an agent writes it, such as `search[lamp]`; null for one that the shop does not take. */
export function written(words: string): ShopAction | null {
  const parsed = shopTextFormat.parse(`Action: ${words}`);
  return parsed.kind === 'action' ? shopActionFrom(parsed.action) : null;
}
