/**
 * The tasks of the benchmark. A goal is a product that somebody wants, in words: its attributes, its options, and a limit for its price. Synthetic
 * goals are made from the catalogue, one for each combination of a product's options; human goals were written by people. Prices of products
 * that have a range, limits and the order of the goals are drawn as the published code draws them.
 */
import type { Product } from './product.ts';
import { PythonRandom } from './python-random.ts';

export type Goal = {
  /** The product that the goal was made from. */
  asin: string;
  instruction: string;
  attributes: string[];
  /** By name for a synthetic goal; as people wrote them for a human one. */
  options: { [name: string]: string } | string[];
  /** US dollars. */
  priceLimit: number;
};

/** What a person, or the benchmark's own text generator, wrote about a product. */
export type Instruction = { text: string; attributes: string[]; options: string[] | null };

/** Seed of the published code. */
export const goalSeed = 233;
/** Limit of a goal that names none. */
const noLimit = 1_000_000;
const limits = Array.from({ length: 99 }, (_, index) => 10 * (index + 1));

/** Draws the price that counts for each product, then the goals. Both must be asked for in the order of the catalogue, all prices first. */
export class GoalMaker {
  readonly #random = new PythonRandom(goalSeed);

  /** @returns the price that counts, in US dollars */
  priceOf({ prices: [low, high] }: Pick<Product, 'prices'>): number {
    return high === undefined ? low! : this.#random.uniform(low!, high);
  }

  /** @param price that counts for the product */
  *goalsOf(
    product: Pick<Product, 'asin' | 'options'>,
    price: number,
    instructions: Iterable<Instruction>,
  ): Generator<Goal> {
    for (const { text, attributes, options } of instructions) {
      if (attributes.length === 0) continue;
      const { limit, words } = this.#limitAbove(price);
      const goal = { asin: product.asin, attributes, priceLimit: limit };
      if (options) yield { ...goal, options, instruction: `${text.replace(/^\.+|\.+$/g, '')}${words}` };
      else
        for (const choice of combinations(product.options)) {
          const named = Object.entries(choice).map(([name, value]) => `${name}: ${value}`);
          const chosen = named.length === 0 ? '' : ` with ${named.join(', and ')}`;
          yield { ...goal, options: choice, instruction: `${text}${chosen}${words}` };
        }
    }
  }

  /** The larger of two of the next four limits above the price. */
  #limitAbove(price: number): { limit: number; words: string } {
    const above = limits.filter((limit) => limit > price).slice(0, 4);
    if (above.length < 2) return { limit: noLimit, words: '' };
    const limit = Math.max(...this.#random.pair(above));
    return { limit, words: `, and price lower than ${limit.toFixed(2)} dollars` };
  }
}

/** One value of each option, in the order of the options' names; the last name varies first. */
function* combinations(options: Product['options']): Generator<{ [name: string]: string }> {
  const names = Object.keys(options).sort();
  const choices = function* (at: number, chosen: { [name: string]: string }): Generator<{ [name: string]: string }> {
    const name = names[at];
    if (name === undefined) yield chosen;
    else for (const value of options[name]!) yield* choices(at + 1, { ...chosen, [name]: value });
  };
  yield* choices(0, {});
}

/** @returns which goal of the catalogue's order stands at each place of the benchmark's order */
export function goalOrder(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  new PythonRandom(goalSeed).shuffle(order);
  return order;
}
