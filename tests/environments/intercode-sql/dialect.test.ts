// Layer: pure core on a small real database. What MySQL 8 answers, by its manual and by recorded sessions.
import { beforeAll, describe, expect, it } from 'vitest';
import { demoFolder, observer } from '../../helpers/sql-datasets.ts';

let observe: (query: string) => string;
beforeAll(async () => {
  observe = observer(await demoFolder(), 'bakery');
});

const syntaxError = (near: string, line = 1) =>
  `Error: You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '${near}' at line ${line}`;

describe('values and their printed form', () => {
  it.each([
    // Sums and averages of whole numbers are decimals; an average has four digits more.
    ['SELECT SUM(floor_area_m2), AVG(floor_area_m2) FROM shop', "[(Decimal('855'), Decimal('95.0000'))]"],
    ['SELECT SUM(floor_area_m2) FROM shop WHERE 1 = 0', '[(None,)]'],
    [
      'SELECT price, price * 2, price / 3 FROM product WHERE product_id = 1',
      "[(Decimal('4.20'), Decimal('8.40'), Decimal('1.400000'))]",
    ],
    [
      'SELECT ROUND(AVG(monthly_pay), 2), ROUND(2.5), ROUND(1.005, 2) FROM employee',
      "[(Decimal('2389.29'), Decimal('3'), Decimal('1.01'))]",
    ],
    ['SELECT 7 / 2, 7 DIV 2, 7 % 3, 1 / 0', "[(Decimal('3.5000'), 3, 1, None)]"],
    [
      'SELECT opened_on, MIN(opened_on) FROM shop WHERE shop_id = 1 GROUP BY opened_on',
      '[(datetime.date(2009, 4, 12), datetime.date(2009, 4, 12))]',
    ],
    ['SELECT NOW(), DATABASE()', "[(datetime.datetime(2023, 6, 26, 12, 0), 'bakery')]"],
    ['SELECT 1e3, .5, TRUE, NULL', "[(1000.0, Decimal('0.5'), 1, None)]"],
    [`SELECT 'it''s', "say ""hi""", 'a' 'b'`, `[("it's", 'say "hi"', 'ab')]`],
  ])('%s gives %s', (query, expected) => {
    expect(observe(query)).toBe(expected);
  });
});

describe('comparisons', () => {
  it.each([
    [
      'double quotes hold text, and text compares without case',
      'SELECT shop_id FROM shop WHERE city = "JORUNN"',
      '[(6,), (9,)]',
    ],
    ['blanks at the end do not count', "SELECT 'a' = 'A  ', 'a' = ' a'", '[(1, 0)]'],
    [
      'text beside a number is read as a number',
      "SELECT 1 = '1abc', 'abc' = 0, name > 5 FROM shop WHERE shop_id = 1",
      '[(1, 1, 0)]',
    ],
    [
      'dates compare with other spellings of dates',
      "SELECT name FROM shop WHERE opened_on = '1999-6-15'",
      "[('Old Market',)]",
    ],
    [
      'a date beside other text is an error',
      "SELECT name FROM shop WHERE opened_on > 'soon'",
      "Error: Incorrect DATE value: 'soon'",
    ],
    [
      'LIKE ignores case, REGEXP too',
      "SELECT name FROM product WHERE name LIKE '%LOAF' AND name REGEXP '^R'",
      "[('Rye loaf',)]",
    ],
    [
      'NULL is larger than nothing',
      'SELECT name FROM shop WHERE floor_area_m2 > ALL (SELECT 100)',
      "[('Mill Street',), ('Station Oven',), ('Old Market',)]",
    ],
    ['<=> compares NULL', 'SELECT NULL <=> NULL, NULL = NULL', '[(1, None)]'],
    ['|| is OR', 'SELECT 0 || 1, 1 && 0, !1', '[(1, 0, 0)]'],
  ])('%s', (_, query, expected) => {
    expect(observe(query)).toBe(expected);
  });
});

describe('queries', () => {
  it.each([
    [
      'LIMIT with an offset before the count',
      'SELECT shop_id FROM shop ORDER BY shop_id LIMIT 2,3',
      '[(3,), (4,), (5,)]',
    ],
    [
      'names of select items in GROUP BY, HAVING and ORDER BY',
      'SELECT city AS c, COUNT(*) AS n FROM shop GROUP BY c HAVING n > 2 ORDER BY n',
      "[('Aldermouth', 3)]",
    ],
    [
      'arms in parentheses',
      '(SELECT shop_id FROM shop ORDER BY shop_id DESC LIMIT 1) UNION (SELECT 1) ORDER BY 1',
      '[(1,), (10,)]',
    ],
    [
      'common tables',
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT SUM(i) FROM n',
      "[(Decimal('10'),)]",
    ],
    [
      'USING shows the joined column once, first',
      "SELECT * FROM (SELECT 'x' AS a, 1 AS k) l JOIN (SELECT 'y' AS b, 1 AS k) r USING (k)",
      "[(1, 'x', 'y')]",
    ],
    [
      'windows',
      'SELECT product_id, RANK() OVER (ORDER BY price DESC) FROM product ORDER BY 2 LIMIT 2',
      '[(8, 1), (7, 2)]',
    ],
    [
      'functions of dates',
      "SELECT YEAR('2020-02-03'), DAYNAME('2020-02-03'), DATEDIFF('2020-02-03', '2020-01-01'), DATE_ADD('2020-01-31', INTERVAL 1 MONTH), DATE_FORMAT('2020-02-03', '%M %D')",
      "[(2020, 'Monday', 33, '2020-02-29', 'February 3rd')]",
    ],
    [
      'functions of text',
      "SELECT CONCAT('a', 1, NULL), CONCAT('p ', price), SUBSTRING('hello', 2, 3), LENGTH('é'), LOCATE('L', 'hello') FROM product WHERE product_id = 1",
      "[(None, 'p 4.20', 'ell', 2, 3)]",
    ],
    [
      'GROUP_CONCAT',
      "SELECT GROUP_CONCAT(name ORDER BY name SEPARATOR '; ') FROM product WHERE category = 'cake'",
      "[('Lemon slice; Plum tart; Walnut cake',)]",
    ],
    ['deviation', 'SELECT STD(shop_id), VAR_SAMP(shop_id) FROM shop WHERE shop_id < 3', '[(0.5, 0.5)]'],
  ])('%s', (_, query, expected) => {
    expect(observe(query)).toBe(expected);
  });

  it('gives the same random numbers each time', () => {
    expect(observe('SELECT RAND(), RAND()')).toBe(observe('SELECT RAND(), RAND()'));
    expect(observe('SELECT RAND() = RAND()')).toBe('[(0,)]');
  });
});

describe('errors in the words of MySQL', () => {
  it.each([
    ['SELECT nosuch FROM shop', "Error: Unknown column 'nosuch' in 'field list'"],
    ['SELECT name FROM shop WHERE s.x = 1', "Error: Unknown column 's.x' in 'where clause'"],
    ['SELECT e.name FROM shop s JOIN employee e ON s.x = e.shop_id', "Error: Unknown column 's.x' in 'on clause'"],
    ['SELECT name FROM shop ORDER BY nosuch', "Error: Unknown column 'nosuch' in 'order clause'"],
    ['SELECT name FROM shop GROUP BY nosuch', "Error: Unknown column 'nosuch' in 'group statement'"],
    ['SELECT name FROM shop HAVING city = 1', "Error: Unknown column 'city' in 'having clause'"],
    ['SELECT x.* FROM shop', "Error: Unknown table 'x'"],
    ['SELECT name FROM Nosuch', "Error: Table 'bakery.nosuch' doesn't exist"],
    // All tables are opened before any column is looked at.
    ['SELECT nosuch FROM shop WHERE 1 IN (SELECT 1 FROM nowhere)', "Error: Table 'bakery.nowhere' doesn't exist"],
    ['SELECT name FROM shop, employee', "Error: Column 'name' in field list is ambiguous"],
    ['SELECT 1 FROM shop, shop', "Error: Not unique table/alias: 'shop'"],
    ['SELECT nosuch(1)', 'Error: FUNCTION bakery.nosuch does not exist'],
    ['SELECT name FROM shop WHERE COUNT(*) > 1', 'Error: Invalid use of group function'],
    ['SELECT MAX(COUNT(*)) FROM shop', 'Error: Invalid use of group function'],
    ['SELECT name FROM shop WHERE shop_id > (SELECT AVG(shop_id))', 'Error: Invalid use of group function'],
    [`SELECT ${'('.repeat(20_000)}1`, 'Error: The statement is nested too deeply for this environment'],
    ['SELECT (SELECT name FROM shop)', 'Error: Subquery returns more than 1 row'],
    ['SELECT 1 IN (SELECT 1, 2)', 'Error: Operand should contain 1 column(s)'],
    [
      'SELECT 1 IN (SELECT 1 LIMIT 1)',
      "Error: This version of MySQL doesn't yet support 'LIMIT & IN/ALL/ANY/SOME subquery'",
    ],
    ['SELECT 1 UNION SELECT 1, 2', 'Error: The used SELECT statements have a different number of columns'],
    ['SELECT * FROM (SELECT 1)', 'Error: Every derived table must have its own alias'],
    ['SELECT * FROM (SELECT 1 AS a, 2 AS a) t', "Error: Duplicate column name 'a'"],
    [
      'SELECT DISTINCT role FROM employee ORDER BY monthly_pay',
      "Error: Expression #1 of ORDER BY clause is not in SELECT list, references column 'bakery.employee.monthly_pay' which is not in SELECT list; this is incompatible with DISTINCT",
    ],
  ])('%.80s', (query, expected) => {
    expect(observe(query)).toBe(expected);
  });

  it.each([
    ['SELECT name FROM', ''],
    ['SELECT name FROM table', 'table'],
    ['DESC show', 'show'],
    ['SELECT name\nFROM shop x y', 'y', 2],
    ['SELECT 1 FROM shop a FULL OUTER JOIN sale b ON 1', 'FULL OUTER JOIN sale b ON 1'],
    ['SELECT CAST(1 AS INT)', 'INT)'],
    ["SELECT 'open", "'open"],
    ['SELECT COUNT (*) FROM shop', '*) FROM shop'],
    ['PRAGMA table_info(shop)', 'PRAGMA table_info(shop)'],
  ] as [string, string, number?][])('%s names the place', (query, near, line = 1) => {
    expect(observe(query)).toBe(syntaxError(near, line));
  });
});

describe('ONLY_FULL_GROUP_BY', () => {
  const grouped = (place: string, column: string) =>
    `Error: Expression ${place} is not in GROUP BY clause and contains nonaggregated column '${column}' which is not functionally dependent on columns in GROUP BY clause; this is incompatible with sql_mode=only_full_group_by`;

  it.each([
    ['SELECT city, name FROM shop GROUP BY city', grouped('#2 of SELECT list', 'bakery.shop.name')],
    ['SELECT s.NAME, COUNT(*) FROM shop S GROUP BY s.city', grouped('#1 of SELECT list', 'bakery.s.name')],
    ['SELECT city FROM shop GROUP BY city ORDER BY name', grouped('#1 of ORDER BY clause', 'bakery.shop.name')],
    [
      'SELECT YEAR(opened_on) AS name, COUNT(*) FROM shop GROUP BY name',
      grouped('#1 of SELECT list', 'bakery.shop.opened_on'),
    ],
    [
      'SELECT COUNT(*), city FROM shop',
      "Error: In aggregated query without GROUP BY, expression #2 of SELECT list contains nonaggregated column 'bakery.shop.city'; this is incompatible with sql_mode=only_full_group_by",
    ],
  ])('rejects %s', (query, expected) => {
    expect(observe(query)).toBe(expected);
  });

  it.each([
    ['a whole row by its key', 'SELECT shop_id, name, city FROM shop GROUP BY shop_id'],
    [
      'a row joined by equality with the grouped key',
      'SELECT s.name, COUNT(*) FROM sale x JOIN shop s ON x.shop_id = s.shop_id GROUP BY x.shop_id',
    ],
    ['a column that equals a constant', "SELECT city, COUNT(*) FROM shop WHERE city = 'Jorunn'"],
    ['the grouped expression itself', 'SELECT YEAR(opened_on) + 1 FROM shop GROUP BY YEAR(opened_on) + 1'],
    ['ANY_VALUE', 'SELECT city, ANY_VALUE(name) FROM shop GROUP BY city'],
  ])('lets through %s', (_, query) => {
    expect(observe(query)).not.toContain('Error');
  });
});

describe('statements about the schema', () => {
  it('lists tables in lower case and alphabetical order, without tables of ours', () => {
    expect(observe('show tables;')).toBe("[('employee',), ('product',), ('sale',), ('shop',)]");
    expect(observe("SHOW TABLES LIKE 's%'")).toBe("[('sale',), ('shop',)]");
    expect(observe('SHOW DATABASES')).toBe("[('bakery',)]");
  });

  it('describes columns as MySQL does', () => {
    const sale =
      "[('sale_id', 'int', 'NO', 'PRI', None, 'auto_increment'), ('shop_id', 'int', 'NO', 'MUL', None, ''), ('product_id', 'int', 'NO', 'MUL', None, ''), ('sold_on', 'date', 'YES', '', None, ''), ('quantity', 'int', 'YES', '', None, ''), ('discount_percent', 'int', 'YES', '', None, '')]";
    for (const query of ['DESC sale', 'DESCRIBE `Sale`', 'SHOW COLUMNS FROM sale', 'EXPLAIN sale'])
      expect(observe(query)).toBe(sale);
    expect(observe('DESC sale shop_id')).toBe("[('shop_id', 'int', 'NO', 'MUL', None, '')]");
    expect(observe('DESC nosuch')).toBe("Error: Table 'bakery.nosuch' doesn't exist");
  });

  it.each(['_crux_columns', 'sqlite_master', 'pragma_table_info'])('does not show %s', (name) => {
    expect(observe(`SELECT * FROM ${name}`)).toBe(`Error: Table 'bakery.${name}' doesn't exist`);
  });

  it.each([
    ['INSERT INTO shop VALUES (1)', "INSERT command denied to user 'agent'@'localhost' for table 'shop'"],
    ["UPDATE shop SET name = 'x'", "UPDATE command denied to user 'agent'@'localhost' for table 'shop'"],
    ['DROP TABLE IF EXISTS shop', "DROP command denied to user 'agent'@'localhost' for table 'shop'"],
    ['SELECT 1; SELECT 2', 'Use multi=True when executing multiple statements'],
  ])('refuses %s', (query, message) => {
    expect(observe(query)).toBe(`Error: ${message}`);
  });

  it('answers None to statements without a result, which change nothing', () => {
    expect(observe("SET sql_mode = ''")).toBe('None');
    expect(observe('SELECT city, name FROM shop GROUP BY city')).toContain('only_full_group_by');
  });
});
