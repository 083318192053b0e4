// Layer: the environment with real processes. Accidents must be told from solutions.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment } from '../../../src/environments/contract.ts';
import { interCodeSql } from '../../../src/environments/intercode-sql/environment.ts';
import { mutantsOf, tieProbeOf } from '../../../src/environments/intercode-sql/mutants.ts';
import { writeVariant } from '../../../src/environments/intercode-sql/variant.ts';
import { demoFolder, temporaryFolder } from '../../helpers/sql-datasets.ts';

const { signal } = new AbortController();
const execute = (query: string) => ({ tool: 'execute_sql', arguments: { query } });

let folder: string;
let environment: Environment;
beforeAll(async () => {
  folder = await demoFolder();
  environment = interCodeSql({ data: folder, pool: 2 });
});
afterAll(() => environment.close?.());

const confirm = async (id: string, ...queries: string[]) => {
  const task = (await environment.tasks()).find((each) => each.id === id)!;
  return await environment.confirm!(task, [...queries.map(execute), { tool: 'submit', arguments: {} }], signal);
};

describe('confirmation', () => {
  it('confirms every gold of the demo', async () => {
    for (const task of await environment.tasks()) {
      expect(await confirm(task.id, (await environment.gold!(task))!), task.id).toMatchObject({ confirmed: true });
    }
  });

  it('confirms a right query that is written in another way', async () => {
    const left = 'SELECT p.name FROM product p LEFT JOIN sale s ON s.product_id = p.product_id WHERE s.sale_id IS NULL';
    expect(await confirm('bakery-7', 'SHOW TABLES', left)).toMatchObject({ confirmed: true });
  });

  it.each([
    // Three shops are in Aldermouth: all of these queries score 1 on the data itself.
    ['a constant', 'SELECT 3', 'The last query reads no table.'],
    ['a constant beside a table', 'SELECT 3 FROM shop LIMIT 1', /other rows than the gold/],
    ['another predicate', 'SELECT COUNT(*) FROM shop WHERE shop_id IN (1, 2, 10)', /other rows than the gold/],
    [
      'another aggregate',
      "SELECT COUNT(DISTINCT name) + 0 * COUNT(*) FROM shop WHERE opened_on > '2018-06-01'",
      /other rows than the gold/,
    ],
    ['an error', 'SELECT nosuch', 'The last query has no rows.'],
  ])('does not confirm %s', async (_, query, reason) => {
    const result = await confirm('bakery-1', query);
    expect(result.confirmed).toBe(false);
    expect(result.reason).toMatch(reason);
  });

  it('does not confirm a trajectory without a query', async () => {
    expect(await confirm('bakery-1')).toEqual({ confirmed: false, reason: 'No query was executed.' });
  });

  it('keeps its variants beside the dataset', () => {
    const [version] = readdirSync(join(folder, 'variants'));
    expect(existsSync(join(folder, 'variants', version!, 'bakery-1.sqlite'))).toBe(true);
  });
});

describe('variants', () => {
  const rowsOf = (path: string, query: string) => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return database.prepare(query).all();
    } finally {
      database.close();
    }
  };

  it('have more rows, the same keys and unique names, and are the same for the same seed', () => {
    const source = join(folder, 'databases/bakery.sqlite');
    const into = temporaryFolder();
    for (const [name, seed] of [
      ['a', '1'],
      ['b', '1'],
      ['c', '2'],
    ] as const)
      writeVariant({ source, target: join(into, name), seed, strength: 0.5 });
    expect(readFileSync(join(into, 'a')).equals(readFileSync(join(into, 'b')))).toBe(true);
    expect(rowsOf(join(into, 'a'), 'SELECT * FROM sale')).not.toEqual(rowsOf(join(into, 'c'), 'SELECT * FROM sale'));
    const count = (path: string) =>
      rowsOf(path, 'SELECT count(*) AS n, count(DISTINCT name) AS names, min(shop_id) AS first FROM shop')[0];
    expect(count(source)).toEqual({ n: 10, names: 10, first: 1 });
    // A fifth of 10 rows more.
    expect(count(join(into, 'a'))).toEqual({ n: 12, names: 12, first: 1 });
  });
});

describe('mutants', () => {
  it('drop predicates and joins, and exchange aggregates, comparisons and directions', () => {
    const mutants = mutantsOf(
      'SELECT MAX(a) FROM t JOIN u ON t.i = u.i WHERE b > 1 AND c LIKE "x" ORDER BY a LIMIT 1',
      false,
    );
    for (const part of [
      /SELECT DISTINCT MAX/,
      /SELECT MIN\(/,
      /FROM `t` WHERE/,
      /WHERE \(`c` LIKE 'x'\) /,
      /WHERE \(`b` > 1\) /,
      /`b` >= 1/,
      /`t`\.`i` <> `u`\.`i`/,
      /ORDER BY `a` DESC/,
    ]) {
      expect(mutants).toContainEqual(expect.stringMatching(part));
    }
    expect(mutants).toHaveLength(8);
  });

  it('of a set operation take its first arm', () => {
    expect(mutantsOf('SELECT a FROM t EXCEPT SELECT a FROM u', false)).toContain('SELECT `a` FROM `t`');
  });

  it('are none of what does not parse', () => {
    expect(mutantsOf('SELEC', false)).toEqual([]);
  });

  it('tie probes show the values that decide what LIMIT lets through', () => {
    expect(tieProbeOf('SELECT name FROM t ORDER BY a DESC, b LIMIT 2', false)).toEqual({
      query: 'SELECT `a`, `b` FROM `t` ORDER BY `a` DESC, `b` LIMIT 3',
      limit: 2,
    });
    expect(tieProbeOf('SELECT name FROM t ORDER BY a', false)).toBeNull();
  });
});
