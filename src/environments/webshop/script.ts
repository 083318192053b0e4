/**
 * An expert trajectory that costs nothing: search with words of the instruction, open the product that the goal was made from, choose its options, buy
 * it. Every word of it stands in what the agent has read.
 */
import type { ScriptedStep } from '../contract.ts';
import type { Goal } from './goals.ts';
import { perPage } from './pages.ts';
import { rewardOf } from './reward.ts';
import type { Catalogue } from './shop.ts';
import { type ShopTool, shopAction } from './text-format.ts';

/**
 * @param stepLimit most steps
 * @returns null if no such search finds the product, it takes too many steps, or even this product does not earn the whole reward
 */
export function shopScript(catalogue: Catalogue, goal: Goal, stepLimit: number): ScriptedStep[] | null {
  const product = catalogue.product(goal.asin);
  const chosen = wantedOptions(goal, product.options);
  const { reward } = rewardOf(goal, product, { product, price: catalogue.price(goal.asin), options: chosen });
  if (reward < 1) return null;
  const scripts = queriesOf(goal).flatMap((query) => {
    const rank = catalogue.search(query).indexOf(goal.asin);
    return rank < 0 ? [] : [stepsTo(goal.asin, query, Math.floor(rank / perPage), Object.values(chosen))];
  });
  return scripts.filter(({ length }) => length <= stepLimit).sort((one, other) => one.length - other.length)[0] ?? null;
}

/** The instruction without its options and price, then with its options: no query names what only the gold knows. */
function queriesOf({ instruction, attributes }: Goal): string[] {
  const withoutPrice = instruction.replace(/, and price lower than [\d.]+ dollars$/, '');
  const withoutOptions = withoutPrice.replace(/ with [^,]+: .*$/, '');
  return [...new Set([withoutOptions, withoutPrice, attributes.join(' ')])].map((text) => text.replace(/[[\]]/g, ' '));
}

function wantedOptions({ options }: Goal, offered: { [name: string]: string[] }): { [name: string]: string } {
  if (!Array.isArray(options)) return options;
  const names = Object.keys(offered);
  return Object.fromEntries(
    options.flatMap((value) => {
      const name = names.find((one) => offered[one]!.includes(value.toLowerCase()));
      return name === undefined ? [] : [[name, value.toLowerCase()]];
    }),
  );
}

function stepsTo(asin: string, query: string, pagesOn: number, options: readonly string[]): ScriptedStep[] {
  const step = (thought: string, tool: ShopTool, argument: string): ScriptedStep => {
    return { thought, action: shopAction(tool, argument) };
  };
  return [
    step('I should search for what the instruction describes.', 'search', query),
    ...Array.from({ length: pagesOn }, () => step('Nothing here fits; I look at more results.', 'click', 'Next >')),
    step(`${asin} looks like what is wanted; I look at it.`, 'click', asin),
    ...options.map((value) => step(`The instruction wants ${value}.`, 'click', value)),
    step('The product and its options are as wanted.', 'click', 'Buy Now'),
  ];
}
