// Layer: pure core.
import { describe, expect, test } from 'vitest';
import { queryKey, renderSql, tablesOf, tokenize } from '../../../src/simulation/sql/tokens.ts';

describe('queryKey', () => {
  test.each([
    ['case, spacing and the last semicolon', 'select  Name from people;', 'SELECT name FROM People'],
    [
      'aliases',
      'SELECT T1.Name FROM people AS T1 JOIN town AS T2 ON T1.town = T2.id',
      'SELECT p.Name FROM people p JOIN town t ON p.town = t.id',
    ],
    ['bare and qualified columns of a single table', 'SELECT T1.Name FROM people AS T1', 'SELECT name FROM people'],
    ['an alias against the table name', 'SELECT people.Name FROM people', 'SELECT T1.Name FROM people AS T1'],
    ['quotes', 'SELECT a FROM t WHERE b = "x"', "SELECT `a` FROM t WHERE b = 'x'"],
    ['ways to write unequal', 'SELECT a FROM t WHERE b != 1', 'SELECT a FROM t WHERE b <> 1'],
  ])('is equal over %s', (_, a, b) => {
    expect(queryKey(a)).toBe(queryKey(b));
  });

  test('keeps the aliases of a table that is joined with itself apart', () => {
    const joined = (column: string) => `SELECT ${column}.name FROM port a JOIN port b ON a.next = b.id`;
    expect(queryKey(joined('a'))).not.toBe(queryKey(joined('b')));
  });
});

test('a rendered query has usual spacing and capital keywords', () => {
  const tokens = tokenize('select count ( * ) , max(T1.a) from t as T1 where b = "it\'s" ;');
  expect(renderSql(tokens)).toBe("SELECT COUNT(*), MAX(T1.a) FROM t AS T1 WHERE b = 'it''s'");
});

test('tablesOf finds the tables of subqueries too', () => {
  expect(tablesOf(tokenize('SELECT a FROM X WHERE b IN (SELECT c FROM y JOIN Z ON y.d = Z.d)'))).toEqual([
    'x',
    'y',
    'z',
  ]);
});
