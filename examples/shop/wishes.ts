/** The tasks of `environment.ts`: what customers wish, drawn from the catalogue by a seed. */
import type { Action, ScriptedStep, Task } from 'crux-rl';
import { catalogue, type Product } from './catalogue.ts';

/** Chosen value by option. */
export type Chosen = { [option: string]: string };

export type Wish = {
  task: Task;
  kind: string;
  attributes: string[];
  chosen: Chosen;
  /** US dollars. */
  atMost: number;
  /** A product that fits. Others may fit too. */
  fits: Product;
};

/** Two wishes for each kind of product. Products of one kind are alike, so a kind is a group. */
export function makeWishes(seed: number): Wish[] {
  const draw = numbersFrom(seed);
  const kinds = Object.entries(Object.groupBy(catalogue, ({ kind }) => kind)) as [string, Product[]][];
  return kinds.flatMap(([kind, products], group) => {
    const first = draw(products.length);
    return [0, 1].map((number): Wish => {
      const fits = products[(first + number) % products.length]!;
      const { attributes, options } = fits;
      const chosen = Object.fromEntries(
        Object.entries(options).map(([option, values]) => [option, values[draw(values.length)]!]),
      );
      const atMost = Math.ceil((fits.price + 1) / 10) * 10;
      const like = Object.entries(chosen).map(([option, value]) => `${option} ${value}`);
      const title = `Buy a ${attributes.join(', ')} ${kind}, ${like.join(', ')}, for at most ${atMost} dollars.`;
      const split = group < kinds.length - 1 ? 'train' : 'test';
      const task: Task = { id: `${kind}-${number + 1}`, split, group: kind, title, difficulty: null };
      return { task, kind, attributes, chosen, atMost, fits };
    });
  });
}

/** Share of what was wished: the kind, each attribute, each option, and the price. */
export function rewardOf(wish: Wish, bought: Product, chosen: Chosen): number {
  const fulfilled = [
    bought.kind === wish.kind,
    ...wish.attributes.map((attribute) => bought.attributes.includes(attribute)),
    ...Object.entries(wish.chosen).map(([option, value]) => chosen[option] === value),
    bought.price <= wish.atMost,
  ];
  return fulfilled.filter(Boolean).length / fulfilled.length;
}

export function scriptOf({ kind, attributes, chosen, fits }: Wish): ScriptedStep[] {
  return [
    does('I search by what matters.', 'search', { query: [...attributes, kind].join(' ') }),
    does('This one fits.', 'open', { product: fits.name }),
    ...Object.entries(chosen).map(([option, value]) =>
      does(`The ${option} is to be ${value}.`, 'choose', { option, value }),
    ),
    does('Everything is as it was wished.', 'buy', {}),
  ];
}

function does(thought: string, tool: string, given: Action['arguments']): ScriptedStep {
  return { thought, action: { tool, arguments: given } };
}

/** Numbers from 0 that are the same for the same seed (Lehmer's generator). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
