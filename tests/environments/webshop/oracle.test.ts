// Layer: the shop over the 1,000-product catalogue, imported as a user would, against what the original code did on it. Skipped without the data.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoredCatalogue } from '../../../src/environments/webshop/catalogue.ts';
import type { Goal } from '../../../src/environments/webshop/goals.ts';
import { importShop, type ShopImport } from '../../../src/environments/webshop/import.ts';
import { approximateNouns } from '../../../src/environments/webshop/nouns.ts';
import { clickables, pageText } from '../../../src/environments/webshop/pages.ts';
import type { Product } from '../../../src/environments/webshop/product.ts';
import { type RewardParts, rewardOf } from '../../../src/environments/webshop/reward.ts';
import { firstState, move, pageOf } from '../../../src/environments/webshop/shop.ts';
import { benchmarkData } from '../../helpers/benchmark-data.ts';
import { written } from '../../helpers/small-shop.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

type Step = {
  action: string;
  available: { has_search_bar: boolean; clickables: string[] };
  reward: number;
  done: boolean;
  text: string;
  text_rich: string;
  bought?: { asin: string; options: { [name: string]: string }; info: RewardParts; price: number };
};
type Episode = { goal_index: number; first: { text: string; text_rich: string }; steps: Step[] };
type Vector = {
  goal: { asin: string; attributes: string[]; goal_options: { [name: string]: string }; price_upper: number };
  asin: string;
  options: { [name: string]: string };
  price: number;
  reward: number;
  info: RewardParts;
};

const data = benchmarkData('webshop-1k');
const lines = <Row>(file: string): Row[] =>
  readFileSync(join(data!, 'oracle', file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

describe.skipIf(data === null)('the shop agrees with the original code to the letter', () => {
  const into = join(temporaryFolder(), 'webshop');
  let imported: ShopImport;
  let catalogue: StoredCatalogue;

  beforeAll(async () => {
    imported = await importShop({ from: data!, into });
    catalogue = new StoredCatalogue(into);
  });
  afterAll(() => catalogue.close());

  it('imports 1,000 products, and the goals of the published order, prices and limits', () => {
    const frozen = JSON.parse(readFileSync(join(data!, 'oracle', 'goals-seed233.json'), 'utf8')) as {
      prices: { [asin: string]: number };
      goals: [asin: string, priceLimit: number, instruction: string, options: object][];
    };
    expect(imported.dataset).toMatchObject({ products: 1000, goals: 6910, goalKind: 'synthetic', nouns: 'given' });
    expect(Object.fromEntries(Object.keys(frozen.prices).map((asin) => [asin, catalogue.price(asin)]))).toEqual(
      frozen.prices,
    );
    const goals = frozen.goals.map((_, place) => catalogue.goal(place)!);
    expect(goals.map(({ asin, priceLimit, instruction, options }) => [asin, priceLimit, instruction, options])).toEqual(
      frozen.goals,
    );
  });

  it('ranks 1,269 of 1,269 queries in the same order', () => {
    const rows = lines<{ query: string; asins: string[] }>('lucene-top50.jsonl');
    const different = rows.filter(({ query, asins }) => catalogue.search(query).join() !== asins.join());
    expect(different.map(({ query }) => query)).toEqual([]);
    expect(rows).toHaveLength(1269);
  });

  const rewards = (rows: readonly Vector[], product: (asin: string) => Product) =>
    rows.map(({ goal, asin, options, price }) => {
      const { asin: wanted, attributes, goal_options, price_upper } = goal;
      const own: Goal = { asin: wanted, instruction: '', attributes, options: goal_options, priceLimit: price_upper };
      return rewardOf(own, product(wanted), { product: product(asin), price, options });
    });

  it('gives 750 of 750 rewards, equal in every part', () => {
    const rows = lines<Vector>('reward-vectors.jsonl');
    const ours = rewards(rows, (asin) => catalogue.product(asin));
    expect(ours).toEqual(rows.map(({ reward, info }) => ({ reward, parts: info })));
    expect(rows).toHaveLength(750);
  });

  it('gives 740 of 750 rewards without the table of nouns, as the page of the environment says', () => {
    const rows = lines<Vector>('reward-vectors.jsonl');
    const ours = rewards(rows, (asin) => {
      const product = catalogue.product(asin);
      return { ...product, nouns: approximateNouns(product.title) };
    });
    expect(rows.filter(({ reward }, index) => reward === ours[index]!.reward)).toHaveLength(740);
  });

  it('plays 130 of 130 episodes: every observation in both modes, list of clickables, reward and end', () => {
    const episodes = lines<Episode>('episodes.jsonl');
    expect(episodes).toHaveLength(130);
    for (const episode of episodes) {
      const goal = catalogue.goal(episode.goal_index)!;
      let state = firstState;
      let page = pageOf(catalogue, goal, state);
      const texts = () => ({ text: pageText(page, 'text'), text_rich: pageText(page, 'text_rich') });
      expect(texts()).toEqual(episode.first);
      for (const [index, step] of episode.steps.entries()) {
        const where = `goal ${episode.goal_index}, step ${index + 1}: ${step.action}`;
        expect({ has_search_bar: state.place.at === 'search', clickables: clickables(page) }, where).toEqual(
          step.available,
        );
        const moved = move(catalogue, state, page, written(step.action));
        if (moved.kind === 'bought') {
          const { asin, chosen } = moved;
          const purchase = { product: catalogue.product(asin), price: catalogue.price(asin), options: chosen };
          const { reward, parts } = rewardOf(goal, catalogue.product(goal.asin), purchase);
          const { done, bought } = step;
          expect({ done: true, reward, asin, options: chosen, parts, price: purchase.price }, where).toEqual({
            done,
            reward: step.reward,
            asin: bought!.asin,
            options: bought!.options,
            parts: bought!.info,
            price: bought!.price,
          });
          expect(index, where).toBe(episode.steps.length - 1);
          break;
        }
        state = moved.state;
        page = pageOf(catalogue, goal, state);
        expect({ done: false, reward: 0, ...texts() }, where).toEqual({
          done: step.done,
          reward: step.reward,
          text: step.text,
          text_rich: step.text_rich,
        });
      }
    }
  });
});
