// Layer: one database opened for agents: what is read of a result.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Connection } from '../../../src/environments/intercode-sql/connection.ts';
import { writeDatabase } from '../../../src/environments/intercode-sql/import-dump.ts';
import { readSqliteDatabase } from '../../../src/environments/intercode-sql/import-sqlite.ts';
import { DatabaseSync } from '../../../src/node-sqlite.ts';
import { demoFolder, temporaryFolder } from '../../helpers/sql-datasets.ts';

it('cuts the row that goes beyond the characters that are read, even if it is the first', async () => {
  const connection = new Connection(join(await demoFolder(), 'databases', 'bakery.sqlite'), 'bakery');
  const limits = { rows: 10, characters: 1000 };
  const long = connection.run("SELECT REPEAT('a', 9000), REPEAT('b', 9000) FROM shop", limits);
  expect(long).toMatchObject({ kind: 'rows', truncated: true });
  expect(long.kind === 'rows' && long.rows.map((row) => row.length)).toEqual([1000]);
  // "('aaa…a',)" has 404 characters.
  const two = connection.run("SELECT REPEAT('a', 399) FROM shop", limits);
  expect(two.kind === 'rows' && two.rows.map((row) => row.length)).toEqual([404, 404, 192]);
  connection.close();
});

it('keeps numbers of a SQLite column of mixed types as MySQL would print them', async () => {
  const folder = temporaryFolder();
  const source = new DatabaseSync(join(folder, 'source.sqlite'));
  source.exec(`CREATE TABLE thing (mixed INTEGER, size INTEGER, untyped, price DECIMAL(19,4), big INTEGER);
    INSERT INTO thing VALUES (12, 1, 7, 1.5, 9007199254740993), ('many', 2.5, 'x', '12345678901234.5', 1)`);
  source.close();
  await writeDatabase(folder, readSqliteDatabase(join(folder, 'source.sqlite'), 'things'));
  const connection = new Connection(join(folder, 'things.sqlite'), 'things');
  const limits = { rows: 10, characters: 1000 };
  expect(connection.run('SELECT mixed, size, untyped, big FROM thing', limits)).toMatchObject({
    // One column has texts, and one has a fraction.
    rows: ["('12', 1.0, '7', 9007199254740993)", "('many', 2.5, 'x', 1)"],
  });
  expect(connection.run('SELECT SUM(size), MAX(big) + 1 FROM thing', limits)).toMatchObject({
    rows: ['(3.5, 9007199254740994)'],
  });
  connection.close();
});
