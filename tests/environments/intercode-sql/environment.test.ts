// Layer: the environment through its contract, on the bundled demo.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment } from '../../../src/environments/contract.ts';
import { interCodeSql } from '../../../src/environments/intercode-sql/environment.ts';
import { SqlExecutor } from '../../../src/environments/intercode-sql/executor.ts';
import { demoFolder } from '../../helpers/sql-datasets.ts';

const { signal } = new AbortController();
const execute = (query: string) => ({ tool: 'execute_sql', arguments: { query } });
const submit = { tool: 'submit', arguments: {} };

let folder: string;
let pool: SqlExecutor;
let environment: Environment;
beforeAll(async () => {
  folder = await demoFolder();
  pool = new SqlExecutor({ size: 1 });
  environment = interCodeSql({ data: folder, pool });
});
afterAll(() => pool.close());

const taskOf = async (id: string, from = environment) => (await from.tasks()).find((task) => task.id === id)!;
const open = async (id: string, from = environment) => from.open(await taskOf(id, from));

describe('tasks', () => {
  it('are split and grouped by database', async () => {
    const tasks = await environment.tasks();
    expect(tasks).toHaveLength(24);
    expect(new Set(tasks.map(({ group, split }) => `${group} ${split}`))).toEqual(
      new Set(['ferry_line train', 'observatory train', 'bakery test']),
    );
    expect(tasks[0]).toMatchObject({
      id: 'ferry_line-1',
      title: 'How many vessels were built before the year 2000?',
      difficulty: 'easy',
    });
  });

  it('brief the agent with exactly the database and the question', async () => {
    const briefing = await environment.briefing!(await taskOf('bakery-7'));
    expect(briefing.user).toBe('Database: bakery\nQuestion: Which products were never sold?');
    expect(briefing.system).not.toMatch(/Thought|```|NOT IN/);
  });

  it('name the words of SQL, so that no query counts as ungrounded for its SELECT', () => {
    expect(environment.languageWords).toEqual(expect.arrayContaining(['select', 'from', 'describe']));
  });

  it('hint at the schema, never at the gold', async () => {
    const task = await taskOf('bakery-7');
    const hints = await environment.hints!(task);
    expect(hints).toContain('sale(sale_id int key, shop_id int,');
    expect(hints).not.toContain(await environment.gold!(task));
  });
});

describe('the state of a session', () => {
  const executed = async (query: string, from: Environment) => {
    const session = await open('bakery-2', from);
    const { observation } = await session.step(execute(query), signal);
    return { observation, hash: await session.stateHash!() };
  };

  it('is the whole result of the last statement, of which the agent may read a part', async () => {
    for (const cutting of [{ observationLimit: 12 }, { rowLimit: 1 }]) {
      const short = interCodeSql({ data: folder, pool, name: 'short', ...cutting });
      const one = await executed('SELECT name FROM product ORDER BY name LIMIT 3', short);
      const other = await executed('SELECT name FROM product ORDER BY name LIMIT 4', short);
      const rewritten = await executed('select p.name from product as p order by p.name limit 3;', short);
      expect(other.observation).toBe(one.observation);
      expect(other.hash).not.toBe(one.hash);
      expect(rewritten.hash).toBe(one.hash);
    }
  });

  it('differs from error to error, from none, and from where nothing was executed, and stays while nothing is', async () => {
    const session = await open('bakery-2');
    const hashes = [await session.stateHash!()];
    for (const query of ['SELECT nothing FROM product', 'SELECT name FROM nowhere', 'SELECT 1']) {
      await session.step(execute(query), signal);
      hashes.push(await session.stateHash!());
      await session.step({ tool: 'look', arguments: {} }, signal);
      expect(await session.stateHash!()).toBe(hashes.at(-1));
    }
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('a session', () => {
  it('scores the rows of the last executed statement', async () => {
    const session = await open('bakery-2');
    expect(await session.step(execute('SELECT name, price FROM product WHERE category = "cake"'), signal)).toEqual({
      observation:
        "[('Plum tart', Decimal('5.50')), ('Walnut cake', Decimal('18.00')), ('Lemon slice', Decimal('4.10'))]",
      done: false,
    });
    const result = await session.step(submit, signal);
    expect(result).toMatchObject({ done: true, reward: 1, success: true, details: { raw: 1 } });
    await expect(session.step(submit, signal)).rejects.toMatchObject({ kind: 'Environment.Fault' });
  });

  it('gives every gold of the demo the reward 1', async () => {
    for (const task of await environment.tasks()) {
      const session = await environment.open(task);
      await session.step(execute((await environment.gold!(task))!), signal);
      expect(await session.step(submit, signal), task.id).toMatchObject({ reward: 1, success: true });
    }
  });

  it.each([
    // One of three rows.
    ['part of the rows', ["SELECT name, price FROM product WHERE name = 'Plum tart'"], 1 / 3],
    ['an error as the last result', ['SELECT name, price FROM product WHERE category = "cake"', 'SELECT nosuch'], 0],
    ['nothing executed', [], 0],
    ['a statement without a result last', ['SELECT name, price FROM product WHERE category = "cake"', 'SET @x = 1'], 0],
  ])('scores %s', async (_, queries, reward) => {
    const session = await open('bakery-2');
    for (const query of queries) await session.step(execute(query), signal);
    expect(await session.step(submit, signal)).toMatchObject({ reward, success: false });
  });

  it('ends with 0 on skip', async () => {
    const session = await open('bakery-2');
    await session.step(execute('SELECT name, price FROM product WHERE category = "cake"'), signal);
    expect(await session.step({ tool: 'skip', arguments: {} }, signal)).toMatchObject({
      done: true,
      reward: 0,
      success: false,
    });
  });

  it('answers what is no query of ours without breaking', async () => {
    const session = await open('bakery-2');
    expect((await session.step({ tool: 'execute_sql', arguments: {} }, signal)).observation).toContain(
      'must be a text',
    );
    expect((await session.step({ tool: 'dance', arguments: {} }, signal)).observation).toContain('no tool "dance"');
  });

  it('goes on from a snapshot with the same outcome', async () => {
    const session = await open('bakery-1');
    await session.step(execute("SELECT COUNT(*) FROM shop WHERE city = 'Aldermouth'"), signal);
    const restored = await environment.open(await taskOf('bakery-1'), await session.snapshot!());
    expect(await restored.step(submit, signal)).toMatchObject({ reward: 1 });
  });

  it('cannot be used to write, whatever reaches SQLite', async () => {
    const session = await open('bakery-1');
    const before = readFileSync(join(folder, 'databases/bakery.sqlite'));
    for (const query of [
      "ATTACH DATABASE 'x' AS x",
      'PRAGMA writable_schema = 1',
      'VACUUM',
      'CREATE TABLE x (a INT)',
      "SELECT load_extension('x')",
    ]) {
      expect((await session.step(execute(query), signal)).observation).toMatch(/^Error executing query: /);
    }
    expect(readFileSync(join(folder, 'databases/bakery.sqlite')).equals(before)).toBe(true);
  });
});

describe('options', () => {
  it('cut observations and rows for the agent, never for the reward', async () => {
    const cut = interCodeSql({ data: folder, observationLimit: 20, rowLimit: 2, pool });
    const session = await open('bakery-6', cut);
    const gold =
      'SELECT p.category, SUM(s.quantity) FROM product p JOIN sale s ON p.product_id = s.product_id GROUP BY p.category';
    expect((await session.step(execute(gold), signal)).observation).toBe("[('biscuit', Decimal");
    expect(await session.step(submit, signal)).toMatchObject({ reward: 1 });
    const full = interCodeSql({ data: folder, rowLimit: 1, pool });
    expect((await (await open('bakery-6', full)).step(execute('SELECT shop_id FROM shop'), signal)).observation).toBe(
      '[(1,)] (only the first 1 rows are shown)',
    );
  });

  it('weigh the order under iou-tau', async () => {
    const ordered = interCodeSql({ data: folder, reward: 'iou-tau', pool });
    const session = await open('bakery-5', ordered);
    await session.step(
      execute("SELECT name FROM shop WHERE opened_on BETWEEN '2010-01-01' AND '2016-12-31' ORDER BY opened_on DESC"),
      signal,
    );
    expect(await session.step(submit, signal)).toMatchObject({
      reward: 0,
      success: false,
      details: { raw: expect.any(Number) },
    });
  });

  it('that decide observations or outcomes are part of the version', () => {
    const versions = [
      {},
      { reward: 'iou-tau' },
      { observationLimit: 350 },
      { rowLimit: 5 },
      { queryTimeLimitMs: 1 },
    ].map((options) => interCodeSql({ data: folder, pool, ...(options as object) }).version);
    expect(new Set(versions).size).toBe(versions.length);
    expect(interCodeSql({ data: folder, name: 'other', stepLimit: 3, pool })).toMatchObject({
      name: 'other',
      stepLimit: 3,
      version: versions[0],
    });
  });

  it('that cannot work are refused', () => {
    expect(() => interCodeSql({ data: folder, rowLimit: 0 })).toThrow('rowLimit must be a whole number from 1');
    expect(() => interCodeSql({ data: join(folder, 'nowhere') })).toThrow('There is no SQL dataset at');
  });
});

describe('the version', () => {
  it('changes with a single value of the data, and with a gold', async () => {
    const other = await demoFolder();
    const version = () => interCodeSql({ data: other, pool }).version;
    const original = version();
    expect(original).toBe(environment.version);
    const database = new DatabaseSync(join(other, 'databases/bakery.sqlite'));
    database.exec("UPDATE shop SET city = 'X' WHERE shop_id = 1");
    database.close();
    const changed = version();
    expect(changed).not.toBe(original);
    const file = join(other, 'dataset.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('SELECT COUNT(*) FROM shop', 'SELECT SUM(1) FROM shop'));
    expect(version()).not.toBe(changed);
  });
});
