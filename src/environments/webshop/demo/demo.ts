import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeBundled } from '../../bundled-dataset.ts';
import { readDataset } from '../dataset.ts';
import { importShop } from '../import.ts';
import { demoProducts } from './products.ts';

const digest = createHash('sha256').update(JSON.stringify(demoProducts)).digest('hex').slice(0, 8);
const source = `Crux demo: a shop of ${demoProducts.length} invented products, ${digest} (Apache-2.0, part of Crux)`;

/** Makes the bundled shop in this folder, through the importer that a user's catalogue goes through; does nothing if it is there already. */
export async function writeDemoShop(folder: string): Promise<void> {
  await makeBundled(folder, {
    source,
    read: readDataset,
    async make(from) {
      await writeFile(
        join(from, 'products.jsonl'),
        demoProducts.map((product) => `${JSON.stringify(lineOf(product))}\n`),
      );
      await writeFile(join(from, 'items_ins_v2.json'), JSON.stringify(Object.fromEntries(demoProducts.map(noteOf))));
      await importShop({ from, into: folder, source });
    },
  });
}

type DemoProduct = (typeof demoProducts)[number];

/** A product as a line of the benchmark's catalogue. */
function lineOf({ asin, name, query, category, price, description, bullets, options }: DemoProduct): object {
  const choices = Object.entries(options).map(([option, values]) => [option, values.map((value) => ({ value }))]);
  return {
    asin,
    name,
    query,
    product_category: category,
    pricing: price,
    full_description: description,
    small_description: bullets,
    customization_options: Object.fromEntries(choices),
  };
}

/** Attributes and instruction as in the benchmark's file. */
function noteOf({ asin, attributes, query }: DemoProduct): [asin: string, note: object] {
  const instruction = `Find me ${query} with ${attributes.join(', ')}`;
  return [asin, { attributes, instruction, instruction_attributes: attributes }];
}
