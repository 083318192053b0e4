// Layer: files and pure rules. Pages and moves of a small shop that the recorded episodes do not reach.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it } from 'vitest';
import { IndexWriter } from '../../../src/environments/text-search/index-writer.ts';
import { StoredCatalogue } from '../../../src/environments/webshop/catalogue.ts';
import { databaseFile, schema } from '../../../src/environments/webshop/dataset.ts';
import type { Goal } from '../../../src/environments/webshop/goals.ts';
import { importShop } from '../../../src/environments/webshop/import.ts';
import { pageText } from '../../../src/environments/webshop/pages.ts';
import { firstState, move, pageOf, type ShopState } from '../../../src/environments/webshop/shop.ts';
import { bulb, lamp, shopFiles, written } from '../../helpers/small-shop.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

const goal: Goal = { asin: lamp.asin, instruction: 'A lamp', attributes: ['dimmable'], options: {}, priceLimit: 50 };
let catalogue: StoredCatalogue;

beforeAll(async () => {
  const into = join(temporaryFolder(), 'shop');
  const many = Array.from({ length: 12 }, (_, index) => ({
    ...bulb,
    asin: `B000BULB${index + 10}`,
    name: `Twin bulb`,
  }));
  const small = { ...bulb, asin: 'b000small1', name: 'Night light' };
  await importShop({ from: shopFiles([lamp, bulb, small, ...many.reverse()]), into });
  catalogue = new StoredCatalogue(into);
});

function stateAfter(...actions: string[]): ShopState {
  return actions.reduce((state, action) => {
    const moved = move(catalogue, state, pageOf(catalogue, goal, state), written(action));
    if (moved.kind === 'bought') throw new Error(`${action} bought ${moved.asin}`);
    return moved.state;
  }, firstState);
}
const read = (...actions: string[]) => pageText(pageOf(catalogue, goal, stateAfter(...actions)), 'text');

describe('an action', () => {
  it.each([
    ['search[Lamp]', { name: 'search', argument: 'lamp' }],
    ['click[Buy Now] and more', { name: 'click', argument: 'buy now' }],
    ['think[x]', null],
    // Departure: the benchmark reads an action `search[a` here, which there is none of.
    ['search[a[b]c]', { name: 'search', argument: 'a[b]c' }],
    ['search[]', null],
    ['搜索【台灯】', null],
    ['buy now', null],
    ['search[two\nlines]', null],
  ])('%s is read as the shop takes it', (text, action) => {
    expect(written(text)).toEqual(action);
  });
});

describe('results', () => {
  it('are the same whether the index was written in one part or in many', () => {
    const words = ['oak lamp', 'oak', 'steel lamp lamp', 'lamp of steel and oak', 'bag', 'lamp'];
    const found = [1, 2, 20_000].map((partSize) => {
      const folder = temporaryFolder();
      const database = new DatabaseSync(join(folder, databaseFile));
      database.exec(schema);
      const index = new IndexWriter(database, partSize);
      const insert = database.prepare('INSERT INTO product (number, asin, price, content) VALUES (?, ?, 1, ?)');
      for (const [number, text] of words.entries()) {
        insert.run(number, `A${number}`, '{}');
        index.add(text);
      }
      index.end(words.keys());
      database.close();
      return new StoredCatalogue(folder).search('lamp steel');
    });
    expect(found[0]).toEqual(['A2', 'A3', 'A5', 'A0']);
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  it('that score the same stand in the order of their ASINs', () => {
    const asins = catalogue.search('twin bulb');
    expect(asins.slice(0, 12)).toEqual(Array.from({ length: 12 }, (_, index) => `B000BULB${index + 10}`));
  });

  it('go on past their end with an empty page, which has a way back and on', () => {
    expect(read('search[twin]', 'click[next >]', 'click[next >]')).toBe(
      'Instruction: [SEP] A lamp [SEP] Back to Search [SEP] Page 3 (Total results: 12) [SEP] < Prev [SEP] Next >',
    );
    expect(read('search[twin]', 'click[next >]', 'click[< prev]')).toBe(read('search[twin]'));
  });

  it('of a query that finds nothing are an empty page', () => {
    for (const query of ['the of and', 'ü', '!?', '<a>'])
      expect(read(`search[${query}]`)).toMatch(/Page 1 \(Total results: 0\) \[SEP\] Next >$/);
  });

  it('of a query of 10,000 characters come like any others', () => {
    expect(catalogue.search(`${'x'.repeat(9_990)} lamp`)).toEqual([lamp.asin]);
  });

  it('are the page that the agent came from', () => {
    expect(read('search[twin]', 'click[next >]', 'click[b000bulb20]', 'click[< prev]')).toBe(
      read('search[twin]', 'click[next >]'),
    );
  });
});

describe('a product', () => {
  it('is opened by its ASIN as the page shows it, also if that is in small letters', () => {
    for (const click of ['click[b000small1]', 'click[B000SMALL1]'])
      expect(stateAfter('search[night light]', click).place).toMatchObject({ at: 'item', asin: 'b000small1' });
  });

  it('shows HTML of its title as text', () => {
    expect(read('search[bright]', 'click[b000bulb01]')).toContain(
      'Nordlys Bulb, <b>Warm</b> & Bright [SEP] Price: $3.0 to $9.0',
    );
  });

  it('keeps options over a tab, and loses them with a new search', () => {
    const chosen = ['search[oak]', 'click[b000lamp01]', 'click[oak | black]'];
    expect(stateAfter(...chosen, 'click[features]', 'click[< prev]').place).toMatchObject({
      chosen: { color: 'oak | black' },
    });
    expect(stateAfter(...chosen, 'click[white]').place).toMatchObject({ chosen: { color: 'white' } });
    expect(stateAfter(...chosen, 'search[oak]', 'click[b000lamp01]').place).toMatchObject({ chosen: {} });
  });

  it('cannot be bought from a tab', () => {
    const onTab = ['search[oak]', 'click[b000lamp01]', 'click[features]'];
    expect(stateAfter(...onTab, 'click[buy now]')).toEqual(stateAfter(...onTab));
  });
});
