/** A small shop of our own making: names, texts and prices are invented. */

export type DemoProduct = {
  asin: string;
  name: string;
  /** The search that leads to its kind, and the name of the kind in instructions. */
  query: string;
  category: string;
  price: string;
  description: string;
  bullets: string[];
  options: { [name: string]: string[] };
  attributes: string[];
};

const lamps = { query: 'table lamps', category: 'Home › Lighting › Table Lamps' };
const bags = { query: 'backpacks', category: 'Travel › Bags › Backpacks' };
const bottles = { query: 'water bottles', category: 'Kitchen › Drinking › Water Bottles' };
const shirts = { query: 'shirts', category: 'Clothing › Tops › Shirts' };
const towels = { query: 'bath towels', category: 'Home › Bath › Towels' };

export const demoProducts: readonly DemoProduct[] = [
  {
    ...lamps,
    asin: 'LAMP000001',
    name: 'Fjordlys Oak Table Lamp with Linen Shade',
    price: '$48.00',
    description: 'A quiet lamp with a base of oiled oak. The light is warm, and can be dimmed by touch.',
    bullets: ['Solid wood base.', 'Dimmable by touch.'],
    options: { color: ['white', 'grey', 'moss'] },
    attributes: ['solid wood', 'dimmable'],
  },
  {
    ...lamps,
    asin: 'LAMP000002',
    name: 'Fjordlys Glass Table Lamp',
    price: '$39.00',
    description: 'A globe of blown glass on a steel foot.',
    bullets: ['Blown glass.', 'Dimmable by a wheel in the cable.'],
    options: { color: ['white', 'amber'], size: ['small', 'large'] },
    attributes: ['blown glass', 'dimmable'],
  },
  {
    ...lamps,
    asin: 'LAMP000003',
    name: 'Kolben Steel Desk Lamp with Arm',
    price: '$31.50',
    description: 'An arm with two joints, for desks.',
    bullets: ['Adjustable arm.', 'Powder coated steel.'],
    options: { color: ['black', 'white'] },
    attributes: ['adjustable arm', 'powder coated'],
  },
  {
    ...lamps,
    asin: 'LAMP000004',
    name: 'Kolben Table Lamp without Cable',
    price: '$27.00',
    description: 'Charges in two hours, and shines for ten.',
    bullets: ['Rechargeable.', 'Dimmable in three steps.'],
    options: { color: ['black', 'white'] },
    attributes: ['rechargeable', 'dimmable'],
  },
  {
    ...bags,
    asin: 'BAGS000001',
    name: 'Tramp Canvas Backpack',
    price: '$64.00',
    description: 'Waxed canvas that sheds rain, with straps of leather.',
    bullets: ['Water resistant.', 'Padded laptop sleeve.'],
    options: { color: ['olive', 'navy'], size: ['18 l', '24 l'] },
    attributes: ['water resistant', 'laptop sleeve'],
  },
  {
    ...bags,
    asin: 'BAGS000002',
    name: 'Tramp Light Backpack for Hikes',
    price: '$52.00',
    description: 'Weighs less than a book, and folds into its own pocket.',
    bullets: ['Water resistant.', 'Foldable.'],
    options: { color: ['orange', 'grey', 'navy'] },
    attributes: ['water resistant', 'foldable'],
  },
  {
    ...bags,
    asin: 'BAGS000003',
    name: 'Quayside Roll Top Backpack',
    price: '$79.00',
    description: 'Welded seams keep everything dry.',
    bullets: ['Waterproof.', 'Padded laptop sleeve.'],
    options: { color: ['black', 'yellow'] },
    attributes: ['waterproof', 'laptop sleeve'],
  },
  {
    ...bags,
    asin: 'BAGS000004',
    name: 'Quayside Backpack for Children',
    price: '$29.00',
    description: 'Small, light, and bright.',
    bullets: ['Reflective.', 'Machine washable.'],
    options: { color: ['yellow', 'red'] },
    attributes: ['reflective', 'machine washable'],
  },
  {
    ...bottles,
    asin: 'BOTL000001',
    name: 'Brook Steel Bottle, Insulated',
    price: '$22.00$28.00',
    description: 'Keeps tea hot for twelve hours.',
    bullets: ['Insulated.', 'Leak proof.'],
    options: { color: ['silver', 'blue'], size: ['0.5 l', '0.75 l'] },
    attributes: ['insulated', 'leak proof'],
  },
  {
    ...bottles,
    asin: 'BOTL000002',
    name: 'Brook Glass Bottle with Sleeve',
    price: '$18.00',
    description: 'Borosilicate glass in a sleeve of cork.',
    bullets: ['Dishwasher safe.', 'Leak proof.'],
    options: { color: ['cork', 'green'] },
    attributes: ['dishwasher safe', 'leak proof'],
  },
  {
    ...bottles,
    asin: 'BOTL000003',
    name: 'Sprint Sports Bottle with Straw',
    price: '$9.50',
    description: 'Squeezes easily, fits every cage.',
    bullets: ['BPA free.', 'Dishwasher safe.'],
    options: { color: ['blue', 'pink', 'lime'] },
    attributes: ['bpa free', 'dishwasher safe'],
  },
  {
    ...shirts,
    asin: 'SHRT000001',
    name: 'Alder Linen Shirt with Long Sleeves',
    price: '$55.00',
    description: 'Washed linen, cut straight.',
    bullets: ['Pure linen.', 'Long sleeve.'],
    options: { color: ['white', 'navy'], size: ['small', 'medium', 'large'] },
    attributes: ['pure linen', 'long sleeve'],
  },
  {
    ...shirts,
    asin: 'SHRT000002',
    name: 'Alder Linen Shirt with Short Sleeves',
    price: '$49.00',
    description: 'Washed linen for hot days.',
    bullets: ['Pure linen.', 'Short sleeve.'],
    options: { color: ['white', 'olive'], size: ['medium', 'large'] },
    attributes: ['pure linen', 'short sleeve'],
  },
  {
    ...shirts,
    asin: 'SHRT000003',
    name: 'Harbour Flannel Shirt',
    price: '$44.00',
    description: 'Brushed cotton, warm and soft.',
    bullets: ['Brushed cotton.', 'Long sleeve.'],
    options: { color: ['red', 'green'], size: ['medium', 'large'] },
    attributes: ['brushed cotton', 'long sleeve'],
  },
  {
    ...towels,
    asin: 'TOWL000001',
    name: 'Strand Waffle Bath Towel',
    price: '$19.00',
    description: 'Thin, and dry again within an hour.',
    bullets: ['Quick drying.', 'Organic cotton.'],
    options: { color: ['white', 'navy', 'rust'] },
    attributes: ['quick drying', 'organic cotton'],
  },
  {
    ...towels,
    asin: 'TOWL000002',
    name: 'Strand Terry Bath Towel, Heavy',
    price: '$26.00',
    description: 'Thick loops that take up much water.',
    bullets: ['Highly absorbent.', 'Organic cotton.'],
    options: { color: ['white', 'grey'] },
    attributes: ['highly absorbent', 'organic cotton'],
  },
];
