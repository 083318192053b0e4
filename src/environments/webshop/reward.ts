/**
 * What a purchase is worth: WebShop's reward (arXiv 2207.01206, section 3.1 and its appendix), with the thresholds of the published code.
 *
 *     reward = type · (attributes found + options found + [price within the limit]) ÷ (attributes + options + 1)
 */
import { baseColour } from './colours.ts';
import type { Goal } from './goals.ts';
import type { Product } from './product.ts';
import { tokenSetRatio } from './token-set-ratio.ts';

/** A ratio above it counts as the same. */
const sameFrom = 85;

/** A product with the options that were chosen. */
export type Purchase = {
  product: Product;
  /** The price that counts, in US dollars. */
  price: number;
  /** Value of each chosen option. */
  options: { [name: string]: string };
};

/** Parts of a reward. Names as in the benchmark's own records. */
export type RewardParts = {
  /** Factor for the kind of product: 1, 0.5, 0.1 or 0. */
  r_type: number;
  /** Share of the wanted attributes that the product has. */
  r_att: number;
  w_att: number;
  /** Whether the product was collected under the same search as the wanted one. */
  query_match: boolean;
  /** Whether two parts of the category's path are the same. */
  category_match: boolean;
  /** Share of the nouns of the wanted title that stand in the bought one's. */
  title_score: number;
  /** Share of the wanted options that were chosen; absent if none is wanted. */
  r_option?: number;
  w_option?: number;
  /** Whether the price is within the limit. */
  r_price: boolean;
  w_price: number;
};

export type Reward = { reward: number; parts: RewardParts };

/** @param wanted the product that the goal was made from */
export function rewardOf(goal: Goal, wanted: Product, { product, price, options }: Purchase): Reward {
  const wantedOptions = optionTexts(goal);
  const attributes = goal.attributes.filter((attribute) => hasAttribute(product, attribute)).length;
  const chosen = wantedOptions.filter((option) => isChosen(Object.values(options), option)).length;
  const isWithinLimit = price <= goal.priceLimit;
  const type = typeMatch(wanted, product);
  const parts = goal.attributes.length + wantedOptions.length + 1;
  return {
    reward: ((attributes + chosen + Number(isWithinLimit)) / parts) * type.r_type,
    parts: {
      ...type,
      r_att: attributes / goal.attributes.length,
      w_att: goal.attributes.length / parts,
      ...(wantedOptions.length > 0 && {
        r_option: chosen / wantedOptions.length,
        w_option: wantedOptions.length / parts,
      }),
      r_price: isWithinLimit,
      w_price: 1 / parts,
    },
  };
}

/** Options as they are compared: those of a synthetic goal whole and with their name, of those that people wrote only the colour if they hold one. */
function optionTexts({ options }: Goal): string[] {
  if (Array.isArray(options)) return options.map(baseColour);
  return Object.entries(options).map(([name, value]) => `${name} ${value}`);
}

function typeMatch(wanted: Product, bought: Product) {
  const isSameQuery = wanted.query === bought.query;
  const isSameCategory = partsOf(wanted).intersection(partsOf(bought)).size >= 2;
  const titleScore =
    wanted.nouns.length === 0
      ? 0.2
      : new Set(wanted.nouns).intersection(new Set(bought.nouns)).size / wanted.nouns.length;
  let type = isSameQuery || isSameCategory || titleScore > 0.2 ? 1 : 0.5;
  if (titleScore < 0.1) type = 0.1;
  if (titleScore === 0) type = 0;
  return { r_type: type, query_match: isSameQuery, category_match: isSameCategory, title_score: titleScore };
}

function partsOf({ productCategory }: Product): Set<string> {
  return new Set(productCategory.split('›').map((part) => part.trim()));
}

function hasAttribute({ attributes, title, bullets, description }: Product, wanted: string): boolean {
  return (
    attributes.some((attribute) => tokenSetRatio(attribute, wanted) > sameFrom) ||
    title.toLowerCase().includes(wanted) ||
    bullets.join(' ').toLowerCase().includes(wanted) ||
    description.toLowerCase().includes(wanted)
  );
}

function isChosen(chosen: readonly string[], wanted: string): boolean {
  return chosen.some((value) => tokenSetRatio(baseColour(value), wanted) > sameFrom);
}
