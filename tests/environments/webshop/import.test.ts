// Layer: files. What an import makes of the benchmark's files, and that one it refuses leaves everything as it was.
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StoredCatalogue } from '../../../src/environments/webshop/catalogue.ts';
import { importShop } from '../../../src/environments/webshop/import.ts';
import { bare, bulb, lamp, type RawProduct, shopFiles } from '../../helpers/small-shop.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

const place = () => join(temporaryFolder(), 'data', 'shop');

async function imported(from = shopFiles()) {
  const into = place();
  const result = await importShop({ from, into });
  return { into, result, catalogue: new StoredCatalogue(into) };
}

describe('a product', () => {
  it('is read from a raw line: price text, options in lower case, one bullet', async () => {
    const { catalogue } = await imported();
    expect(catalogue.product(lamp.asin)).toMatchObject({
      title: 'Nordlys Reading Lamp with Oak Base',
      bullets: ['Solid wood base. ', 'Dimmable. '],
      options: { color: ['white', 'oak | black'], size: ['small', 'large'] },
      query: 'reading lamps',
      prices: [24.5],
      attributes: ['solid wood', 'dimmable'],
    });
    expect(catalogue.product(bulb.asin)).toMatchObject({ bullets: [''], prices: [3, 9], options: {} });
  });

  it('without price, options or description costs 100 dollars', async () => {
    const { catalogue } = await imported();
    expect(catalogue.product(bare.asin)).toMatchObject({ prices: [100], options: {}, description: '', bullets: [] });
    expect(catalogue.price(bare.asin)).toBe(100);
  });

  it('that stands twice counts once, as it stood first, and the others are counted', async () => {
    const { result, catalogue } = await imported(
      shopFiles([lamp, { ...lamp, name: 'Other' }, bulb, { ...bare, asin: 'nan' }]),
    );
    expect(result).toMatchObject({ duplicates: 1, withoutAsin: 1, dataset: { products: 2 } });
    expect(catalogue.product(lamp.asin).title).toBe(lamp.name);
  });
});

describe('goals', () => {
  it('are one for each combination of options, and one for a product without', async () => {
    const { result, catalogue } = await imported();
    expect(result).toMatchObject({ dataset: { goals: 5, goalKind: 'synthetic', nouns: 'approximated' }, test: 1 });
    const texts = [0, 1, 2, 3, 4].map((number) => catalogue.goal(number)!.instruction).sort();
    expect(texts[0]).toMatch(/^Find me long life bulbs, and price lower than \d0\.00 dollars$/);
    expect(texts[1]).toMatch(
      /^Find me solid wood, dimmable reading lamps with color: oak \| black, and size: large, and price lower than/,
    );
  });

  it('about a product of the test are not trained on: they are counted', async () => {
    const { result, catalogue } = await imported();
    const goals = [...catalogue.goals()];
    const tested = new Set(goals.filter(({ split }) => split === 'test').map(({ goal }) => goal.asin));
    expect(goals.filter(({ split, goal }) => split === 'train' && tested.has(goal.asin))).toEqual([]);
    expect(result.train + result.test + result.leaking + result.unused).toBe(5);
  });

  it('that people wrote take the place of the synthetic ones, and need attributes', async () => {
    const written = (text: string, attributes: string[]) => ({
      instruction: text,
      instruction_attributes: attributes,
      instruction_options: ['white'],
    });
    const human = { [lamp.asin]: [written('a white lamp, dimmable.', ['dimmable']), written('a lamp', [])] };
    const { result, catalogue } = await imported(shopFiles(undefined, { more: { 'items_human_ins.json': human } }));
    expect(result).toMatchObject({ withoutAttributes: 1, dataset: { goals: 1, goalKind: 'human' } });
    expect(catalogue.goal(0)).toMatchObject({ options: ['white'], attributes: ['dimmable'] });
    expect(catalogue.goal(0)!.instruction).toMatch(/^a white lamp, dimmable, and price lower than \d0\.00 dollars$/);
  });

  it('are split by lists, if the folder has them', async () => {
    const more = { 'train_indices.json': [0, 1, 2, 3], 'test_indices.json': [4] };
    const { catalogue } = await imported(shopFiles(undefined, { more }));
    expect([...catalogue.goals()].find(({ place: at }) => at === 4)!.split).toBe('test');
  });
});

describe('a catalogue', () => {
  it('is the same as an array and as lines', async () => {
    const asLines = await imported();
    const from = shopFiles(undefined, { more: { 'items_shuffle.json': [lamp, bulb, bare] } });
    const asArray = await imported(from);
    expect(asArray.result.dataset).toEqual(asLines.result.dataset);
  });

  it('replaces an older one of the shop, and leaves nothing else behind', async () => {
    const { into } = await imported();
    await importShop({ from: shopFiles([lamp]), into });
    expect(readdirSync(dirname(into))).toEqual(['shop']);
    expect(readdirSync(into).sort()).toEqual(['catalogue.sqlite', 'dataset.json']);
    expect(new StoredCatalogue(into).search('towel')).toEqual([]);
  });
});

describe('an import that is refused writes nothing and says why', () => {
  const line = (product: RawProduct) => `${JSON.stringify(product)}\n`;
  it.each<[string, () => string, RegExp]>([
    [
      'a line that is no JSON',
      () => shopFiles([], { text: `${line(lamp)}{"asin": "B0\n${line(bulb)}` }),
      /products\.jsonl:2: /,
    ],
    [
      'a product without a name',
      () => shopFiles([], { text: `${line(lamp)}{"asin": "B000000001"}\n` }),
      /products\.jsonl:2: name/,
    ],
    [
      'a price that is no number',
      () => shopFiles([{ ...lamp, pricing: '$1.2.3' }]),
      /the price "\$1\.2\.3" is no number/,
    ],
    ['an empty catalogue', () => shopFiles([], { text: '\n' }), /has no product/],
    ['an array that ends in the middle', () => arrayFile('[{"asin": "B0", "name": "x"},'), /ends in the middle/],
    ['two arrays', () => arrayFile('[]\n[]'), /items_shuffle\.json:2: it is neither one array nor one object/],
    ['a page of a web site', () => arrayFile('<html>[]'), /neither one array/],
    [
      'a list of goals that the catalogue does not have',
      () => shopFiles(undefined, { more: { 'test_indices.json': [9000] } }),
      /names goal 9000, and there are 5/,
    ],
    ['an empty folder', () => temporaryFolder(), /has none of the files items_shuffle\.json/],
  ])('%s', async (_, make, message) => {
    const into = place();
    await expect(importShop({ from: make(), into })).rejects.toMatchObject({
      kind: expect.stringMatching(/^User/),
      message: expect.stringMatching(message),
    });
    expect(existsSync(into)).toBe(false);
    expect(existsSync(dirname(into)) ? readdirSync(dirname(into)) : []).toEqual([]);
  });

  it('a place with files of others', async () => {
    const into = place();
    mkdirSync(into, { recursive: true });
    writeFileSync(join(into, 'diary.txt'), 'mine');
    await expect(importShop({ from: shopFiles(), into })).rejects.toMatchObject({ kind: 'User.Config' });
    expect(readdirSync(into)).toEqual(['diary.txt']);
  });
});

function arrayFile(text: string): string {
  const from = shopFiles();
  writeFileSync(join(from, 'items_shuffle.json'), text);
  renameSync(join(from, 'products.jsonl'), join(from, 'unused.jsonl'));
  return from;
}
