/** Ids of the orders to learn from, by halves of their groups: `first-half.txt` and `second-half.txt` in a folder. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allOrders } from './rules.ts';

const orders = allOrders().filter(({ isTest }) => !isTest);
const groups = [...new Set(orders.map(({ group }) => group))].toSorted();
const half = new Set(groups.filter((_, index) => index % 2 === 0));
for (const [name, isFirst] of [
  ['first', true],
  ['second', false],
] as const) {
  const ids = orders.filter(({ group }) => half.has(group) === isFirst).map(({ id }) => id);
  writeFileSync(join(process.argv[2]!, `${name}-half.txt`), ids.join('\n'));
}
