// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { canonicalAction } from '../../../src/environments/intercode-sql/canonical.ts';

const canonical = (query: string) => canonicalAction({ tool: 'execute_sql', arguments: { query } });

describe('canonical actions', () => {
  it.each([
    ['case, white space and the final semicolon', 'select  NAME\nfrom Shop ;', 'SELECT name FROM shop'],
    ['comments and backticks', 'SELECT `name` FROM shop -- all', 'SELECT name FROM shop'],
    [
      'aliases of tables',
      'SELECT s.name FROM shop AS s JOIN sale x ON s.id = x.id',
      'SELECT T1.name FROM shop T1 JOIN sale T2 ON T1.id = T2.id',
    ],
    ['a table name for an alias', 'SELECT shop.name FROM shop', 'SELECT s.name FROM shop s'],
    [
      'aliases of outputs',
      'SELECT city, COUNT(*) AS n FROM shop GROUP BY city ORDER BY n',
      'SELECT city, COUNT(*) AS total FROM shop GROUP BY city ORDER BY total',
    ],
    [
      'aliases in subqueries',
      'SELECT 1 FROM a x WHERE EXISTS (SELECT 1 FROM b y WHERE y.i = x.i)',
      'SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.i = a.i)',
    ],
    ['kinds of quotes', `SELECT "x"`, `SELECT 'x'`],
    ['redundant parentheses', 'SELECT (a) FROM t WHERE (b = 1)', 'SELECT a FROM t WHERE b = 1'],
    ['spelling of statements about the schema', 'show tables;', 'SHOW TABLES'],
    ['spelling of what does not parse', 'selec  x FROM t;', 'SELEC X from T'],
  ])('are equal whatever the %s', (_, one, other) => {
    expect(canonical(one)).toBe(canonical(other));
  });

  it.each([
    ['string literals', "SELECT 'a'", "SELECT 'A'"],
    ['columns', 'SELECT a FROM t', 'SELECT b FROM t'],
    ['tables under the same alias', 'SELECT x.a FROM s x', 'SELECT x.a FROM t x'],
    ['which of two tables a column is of', 'SELECT x.a FROM t x JOIN t y ON 1', 'SELECT y.a FROM t x JOIN t y ON 1'],
    ['DISTINCT', 'SELECT a FROM t', 'SELECT DISTINCT a FROM t'],
    ['the direction of an order', 'SELECT a FROM t ORDER BY a', 'SELECT a FROM t ORDER BY a DESC'],
    ['limits', 'SELECT a FROM t LIMIT 1', 'SELECT a FROM t LIMIT 2'],
    ['described tables', 'DESC a', 'DESC b'],
  ])('differ by %s', (_, one, other) => {
    expect(canonical(one)).not.toBe(canonical(other));
  });

  it.each([
    [
      'output names of a derived table',
      'SELECT d.p FROM (SELECT a AS p, b AS q FROM t) d',
      'SELECT d.p FROM (SELECT a AS q, b AS p FROM t) d',
    ],
    [
      'output names of a common table',
      'WITH c AS (SELECT a AS p, b AS q FROM t) SELECT p FROM c',
      'WITH c AS (SELECT a AS q, b AS p FROM t) SELECT p FROM c',
    ],
    [
      'output names in a derived union',
      'SELECT p FROM (SELECT a AS p, b AS q FROM t UNION SELECT 1, 2) d',
      'SELECT p FROM (SELECT a AS q, b AS p FROM t UNION SELECT 1, 2) d',
    ],
    [
      'the output that a union is ordered by',
      'SELECT a AS p, b AS q FROM t UNION SELECT 1, 2 ORDER BY p',
      'SELECT a AS q, b AS p FROM t UNION SELECT 1, 2 ORDER BY p',
    ],
    [
      'the column that an alias hides in GROUP BY',
      'SELECT a AS b FROM t GROUP BY b',
      'SELECT a AS z FROM t GROUP BY z',
    ],
    [
      'the column in an aggregate of HAVING',
      'SELECT a AS x, b AS y FROM t GROUP BY a, b HAVING SUM(x) > 1',
      'SELECT a AS y, b AS x FROM t GROUP BY a, b HAVING SUM(x) > 1',
    ],
    [
      'an alias that two items have',
      'SELECT a AS n, b AS n FROM t ORDER BY n',
      'SELECT a AS m, b AS n FROM t ORDER BY n',
    ],
    [
      'a table that a derived table does not see',
      'SELECT (SELECT d.i FROM a x JOIN (SELECT x.i FROM c) d) FROM z x',
      'SELECT (SELECT d.i FROM a y JOIN (SELECT y.i FROM c) d) FROM z x',
    ],
    ['the database', 'SELECT a FROM other.t', 'SELECT a FROM t'],
    [
      'the name of an expression without an alias',
      'SELECT `COUNT(*)` FROM (SELECT COUNT(*) FROM t) d',
      'SELECT `COUNT(*)` FROM (SELECT COUNT( *) FROM t) d',
    ],
  ])('differ by %s', (_, one, other) => {
    expect(canonical(one)).not.toBe(canonical(other));
  });

  it('tell tools apart', () => {
    expect(canonicalAction({ tool: 'submit', arguments: {} })).not.toBe(
      canonicalAction({ tool: 'skip', arguments: {} }),
    );
  });
});
