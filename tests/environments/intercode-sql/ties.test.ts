// Layer: queries on a small real database: which results are one of several right ones.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../src/environments/intercode-sql/connection.ts';
import { isTied, leavesOrderOpen } from '../../../src/environments/intercode-sql/ties.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

const path = join(temporaryFolder(), 'pond.sqlite');
const database = new DatabaseSync(path);
// Two frogs in the north and in the south, one in the west; the oldest two are equally old.
database.exec(`CREATE TABLE frog (name TEXT, pond TEXT, age INTEGER);
INSERT INTO frog VALUES ('Ada', 'north', 1), ('Bo', 'north', 2), ('Cy', 'south', 3), ('Di', 'south', 4), ('Ed', 'west', 4);`);
database.close();
const connection = new Connection(path, 'pond');
const limits = { rows: 100, characters: 10_000 };
const tied = (query: string) => isTied(query, false, (asked) => connection.run(asked, limits));

describe('the result of a query', () => {
  it.each([
    [
      'the largest of groups of which two are equally large',
      'SELECT pond FROM frog GROUP BY pond ORDER BY COUNT(*) DESC LIMIT 1',
    ],
    ['the same by an alias', 'SELECT pond, COUNT(*) AS frogs FROM frog GROUP BY pond ORDER BY frogs DESC LIMIT 1'],
    ['the same by its place', 'SELECT pond, COUNT(*) FROM frog GROUP BY pond ORDER BY 2 DESC LIMIT 1'],
    ['some of all rows', 'SELECT name FROM frog LIMIT 2'],
    [
      'a tie that a subquery cuts',
      'SELECT name FROM frog WHERE name = (SELECT name FROM frog ORDER BY age DESC LIMIT 1)',
    ],
  ])('depends on an open order: %s', async (_, query) => {
    expect(await tied(query)).toBe(true);
  });

  it.each([
    ['the smallest group', 'SELECT pond FROM frog GROUP BY pond ORDER BY COUNT(*) LIMIT 1'],
    ['a cut after the tied rows', 'SELECT pond FROM frog GROUP BY pond ORDER BY COUNT(*) DESC LIMIT 2'],
    ['tied rows that show the same', 'SELECT age FROM frog ORDER BY age DESC LIMIT 1'],
    ['all rows in any order', 'SELECT name FROM frog'],
    ['a limit above all rows', 'SELECT name FROM frog LIMIT 9'],
    [
      'a subquery that shows the same of tied rows',
      'SELECT name FROM frog WHERE age = (SELECT age FROM frog ORDER BY age DESC LIMIT 1)',
    ],
    ['no query', 'SHOW TABLES'],
    ['a query that does not run', 'SELECT nothing FROM nowhere ORDER BY 1 LIMIT 1'],
    ['words', 'The answer is limit 1'],
  ])('does not depend on one: %s', async (_, query) => {
    expect(await tied(query)).toBe(false);
  });

  it('comes in an open order without ORDER BY', () => {
    expect(leavesOrderOpen('SELECT name FROM frog', false)).toBe(true);
    expect(leavesOrderOpen('SELECT name FROM frog ORDER BY name', false)).toBe(false);
    expect(leavesOrderOpen('SHOW TABLES', false)).toBe(false);
  });
});
