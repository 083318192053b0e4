// Layer: the canonical text against real databases. Queries with one text have one result, whatever is in the tables.
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { canonicalQuery } from '../../../src/environments/intercode-sql/canonical.ts';
import { Connection } from '../../../src/environments/intercode-sql/connection.ts';
import { demoTasks } from '../../../src/environments/intercode-sql/demo/tasks.ts';
import { mutantsOf } from '../../../src/environments/intercode-sql/mutants.ts';
import { parseStatement } from '../../../src/environments/intercode-sql/mysql/parse-statement.ts';
import { printQuery } from '../../../src/environments/intercode-sql/mysql/print.ts';
import type { Query } from '../../../src/environments/intercode-sql/mysql/syntax.ts';
import { randomNumbers } from '../../../src/environments/intercode-sql/random.ts';
import { writeVariant } from '../../../src/environments/intercode-sql/variant.ts';
import { demoFolder, temporaryFolder } from '../../helpers/sql-datasets.ts';

/** Queries in which names mean something by where they stand. */
const scoped = [
  'SELECT d.a, e.b FROM (SELECT shop_id AS a, product_id AS b FROM sale) d JOIN (SELECT product_id AS a, shop_id AS b FROM sale) e ON d.a = e.a WHERE d.b < 3',
  'WITH c AS (SELECT shop_id AS a, product_id AS b FROM sale), d AS (SELECT a AS b, b AS a FROM c) SELECT a, b FROM d ORDER BY a, b LIMIT 9',
  'SELECT shop_id AS product_id, COUNT(*) AS n FROM sale GROUP BY product_id, shop_id HAVING n > 1 ORDER BY n DESC, product_id LIMIT 7',
  'SELECT shop_id AS a, product_id AS b FROM sale UNION SELECT product_id, shop_id FROM sale ORDER BY a DESC, b LIMIT 5',
  'SELECT x.name FROM shop x WHERE EXISTS (SELECT 1 FROM sale y WHERE y.shop_id = x.shop_id AND y.product_id = (SELECT MAX(x.product_id) FROM sale x))',
  'SELECT a.name, b.name FROM shop a, product b WHERE a.shop_id = b.product_id AND a.shop_id IN (SELECT b.shop_id FROM sale b)',
  'SELECT d.* FROM (SELECT name AS shop_id, shop_id AS name FROM shop) d NATURAL JOIN shop',
  'SELECT t.n FROM (SELECT COUNT(*) AS n, shop_id AS k FROM sale GROUP BY k) t ORDER BY t.k',
  'SELECT quantity AS shop_id FROM sale ORDER BY ROUND(shop_id), quantity LIMIT 4',
];

let databases: Connection[];
beforeAll(async () => {
  const source = join(await demoFolder(), 'databases', 'bakery.sqlite');
  const folder = temporaryFolder();
  const variants = [0.9, 0.5, 0.2].map((strength, index) => {
    const target = join(folder, `${index}.sqlite`);
    writeVariant({ source, target, seed: `property/${index}`, strength });
    return target;
  });
  databases = [source, ...variants].map((path) => new Connection(path, 'bakery'));
});

/** What a query gives on each database; an error is one whatever its words are. */
function resultsOf(query: string): string {
  const limits = { rows: 300, characters: 30_000 };
  return JSON.stringify(
    databases.map((database) => {
      const result = database.run(query, limits);
      return result.kind === 'rows' ? result.rows : result.kind;
    }),
  );
}

type Named = { holder: { [key: string]: unknown }; key: string };

/** Everything in a tree that is a name: of tables, columns, aliases. */
function namesIn(node: unknown): Named[] {
  if (typeof node !== 'object' || node === null) return [];
  const holder = node as { [key: string]: unknown };
  const own = ['name', 'alias', 'table']
    .filter((key) => typeof holder[key] === 'string' && holder.kind !== 'call')
    .map((key) => ({ holder, key }));
  return [...own, ...Object.values(node).flatMap(namesIn)];
}

/** The query with two of its names exchanged, everywhere or at some places. */
function renamed(query: string, random: () => number): string {
  const statement = parseStatement(query);
  const tree = (statement as { query: Query }).query;
  const names = namesIn(tree);
  const pick = () => names[Math.floor(random() * names.length)]!;
  const [one, other] = [pick(), pick()].map(({ holder, key }) => String(holder[key])) as [string, string];
  const chance = random() < 0.5 ? 1 : 0.4;
  for (const { holder, key } of names) {
    if (random() >= chance) continue;
    if (holder[key] === one) holder[key] = other;
    else if (holder[key] === other) holder[key] = one;
  }
  return printQuery(tree);
}

it('queries that differ on some database are never one action', () => {
  const random = randomNumbers(20_26);
  const bases = [...scoped, ...demoTasks.filter(({ db }) => db === 'bakery').map(({ gold }) => gold)];
  const byText = new Map<string, { query: string; results: string }[]>();
  let count = 0;
  for (const base of bases) {
    const changed = Array.from({ length: 60 }, () => renamed(base, random));
    const twice = changed.slice(0, 25).map((query) => renamed(query, random));
    for (const query of new Set([base, ...mutantsOf(base, false), ...changed, ...twice])) {
      const text = canonicalQuery(query);
      byText.set(text, [...(byText.get(text) ?? []), { query, results: resultsOf(query) }]);
      count++;
    }
  }
  const wrong = [...byText.values()].flatMap((equals) => {
    const odd = equals.find(({ results }) => results !== equals[0]!.results);
    return odd ? [[equals[0]!.query, odd.query]] : [];
  });
  expect(wrong).toEqual([]);
  // Enough of both: queries that are equal, and queries that are not.
  expect(count).toBeGreaterThan(700);
  expect([...byText.values()].filter((equals) => equals.length > 1).length).toBeGreaterThan(15);
});
