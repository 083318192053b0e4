/** What the shop of `environment.ts` sells. */
export type Product = {
  /** Unique. */
  name: string;
  kind: string;
  attributes: string[];
  /** Values that can be chosen, by option. */
  options: { [option: string]: string[] };
  /** US dollars. */
  price: number;
};

const sizes = ['S', 'M', 'L'];

export const catalogue: Product[] = [
  product('Harbour', 'jacket', ['waterproof', 'hooded'], { colour: ['navy', 'yellow', 'red'], size: sizes }, 89),
  product('Ridge', 'jacket', ['padded', 'hooded'], { colour: ['black', 'red', 'green'], size: sizes }, 129),
  product('Meadow', 'jacket', ['light', 'waterproof'], { colour: ['green', 'white', 'navy'], size: sizes }, 54),
  product('Furnace', 'jacket', ['padded', 'waterproof'], { colour: ['black', 'orange', 'navy'], size: sizes }, 149),

  product('Pebble', 'shoes', ['leather', 'sturdy'], { colour: ['brown', 'black'], width: ['narrow', 'wide'] }, 110),
  product('Sprint', 'shoes', ['light', 'vegan'], { colour: ['white', 'blue'], width: ['narrow', 'wide'] }, 75),
  product('Trail', 'shoes', ['sturdy', 'vegan'], { colour: ['grey', 'blue'], width: ['narrow', 'wide'] }, 95),
  product('Deck', 'shoes', ['leather', 'light'], { colour: ['brown', 'white'], width: ['narrow', 'wide'] }, 85),

  product('Owl', 'lamp', ['dimmable', 'wooden'], { shade: ['linen', 'paper'], plug: ['EU', 'UK', 'US'] }, 49),
  product('Crane', 'lamp', ['dimmable', 'metal'], { shade: ['steel', 'brass'], plug: ['EU', 'UK', 'US'] }, 69),
  product('Moth', 'lamp', ['rechargeable', 'wooden'], { shade: ['linen', 'glass'], plug: ['EU', 'UK', 'US'] }, 39),
  product('Lantern', 'lamp', ['rechargeable', 'metal'], { shade: ['glass', 'paper'], plug: ['EU', 'UK', 'US'] }, 35),

  product('Dawn', 'mug', ['handmade', 'stackable'], { glaze: ['white', 'blue'], volume: ['250 ml', '350 ml'] }, 18),
  product('Camp', 'mug', ['enamel', 'unbreakable'], { glaze: ['white', 'red'], volume: ['350 ml', '500 ml'] }, 12),
  product('Kiln', 'mug', ['handmade', 'large'], { glaze: ['black', 'blue'], volume: ['500 ml', '700 ml'] }, 24),
  product('Tower', 'mug', ['stackable', 'large'], { glaze: ['white', 'black'], volume: ['500 ml', '700 ml'] }, 9),

  product('Porter', 'bag', ['canvas', 'lined'], { colour: ['sand', 'navy'], closing: ['zip', 'roll'] }, 65),
  product('Courier', 'bag', ['light', 'reflective'], { colour: ['black', 'orange'], closing: ['zip', 'roll'] }, 98),
  product('Market', 'bag', ['canvas', 'foldable'], { colour: ['sand', 'green'], closing: ['zip', 'none'] }, 22),
  product('Ferry', 'bag', ['waterproof', 'lined'], { colour: ['navy', 'black'], closing: ['zip', 'roll'] }, 79),
];

type Row = [attributes: string[], options: Product['options'], price: number];

function product(brand: string, kind: string, ...[attributes, options, price]: Row): Product {
  return { name: `${brand} ${kind}`, kind, attributes, options, price };
}

export const productNamed = (name: unknown): Product | undefined => catalogue.find((product) => product.name === name);

/** The five products that fit the words best. Products that fit equally stay in the order of the catalogue. */
export function searchCatalogue(query: string): Product[] {
  const words = query.toLowerCase().split(/\s+/);
  const hits = ({ name, attributes }: Product) =>
    words.filter((word) => [...name.toLowerCase().split(' '), ...attributes].includes(word)).length;
  return catalogue
    .filter((product) => hits(product) > 0)
    .sort((one, other) => hits(other) - hits(one))
    .slice(0, 5);
}
