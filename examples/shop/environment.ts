/**
 * A small shop. Its tools belong to the page, and a click on an option changes nothing that can be seen.
 *
 *     npx crux check-env examples/shop/environment.ts
 */
import { hash } from 'node:crypto';
import { type Action, defineEnvironment } from 'crux-rl';
import { productNamed, searchCatalogue } from './catalogue.ts';
import { type Page, search, textOf, toolsOf } from './pages.ts';
import { makeWishes, rewardOf, scriptOf } from './wishes.ts';

const wishes = new Map(makeWishes(3).map((wish) => [wish.task.id, wish]));

export default defineEnvironment({
  name: 'shop',
  version: '1',
  stepLimit: 15,
  tasks: async () => [...wishes.values()].map(({ task }) => task),

  open: async (task) => {
    const wish = wishes.get(task.id)!;
    let page: Page = search;
    return {
      opening: [
        { role: 'system', content: 'You buy in a shop what somebody else wishes.' },
        { role: 'user', content: 'I show you the shop and name a wish. Are you ready?' },
        { role: 'assistant', content: 'OK' },
        { role: 'user', content: `${textOf(page)}\n\n${task.title}` },
      ],
      tools: toolsOf(page),
      async step(action) {
        if (page.at === 'product' && action.tool === 'buy') {
          const { product, chosen } = page;
          const details = { product: product.name, chosen };
          return { observation: 'Bought.', done: true, reward: rewardOf(wish, product, chosen), details };
        }
        const next = pageAfter(page, action);
        if (next === null) return { observation: `That cannot be done on this page.\n\n${textOf(page)}`, done: false };
        page = next;
        return { observation: textOf(page), tools: toolsOf(page), done: false };
      },
      // Everything that later steps and the reward depend on. The text of the page lacks the options that were chosen.
      stateHash: async () => hash('sha256', JSON.stringify([task.id, page])),
    };
  },

  // It does not matter how the agent got to a page.
  stateHoldsAll: true,
  hints: async () => 'A wish may name several options: choose all of them before you buy.',
  gold: async ({ id }) => wishes.get(id)!.fits.name,
  script: async ({ id }) => scriptOf(wishes.get(id)!),
});

/** @returns null for an action that the page does not offer */
function pageAfter(page: Page, { tool, arguments: { query, product: name, option, value } }: Action): Page | null {
  if (page.at === 'search') return tool === 'search' ? { at: 'results', query: String(query) } : null;
  if (page.at === 'results') {
    if (tool === 'back') return search;
    const product = productNamed(name);
    return tool === 'open' && product && searchCatalogue(page.query).includes(product)
      ? { ...page, at: 'product', product, chosen: {} }
      : null;
  }
  if (tool === 'back') return { at: 'results', query: page.query };
  const isChoice = tool === 'choose' && page.product.options[String(option)]?.includes(String(value));
  return isChoice ? { ...page, chosen: sorted({ ...page.chosen, [String(option)]: String(value) }) } : null;
}

/** The order of the clicks makes no difference. */
function sorted<Value>(values: { [name: string]: Value }): { [name: string]: Value } {
  return Object.fromEntries(Object.entries(values).sort());
}
