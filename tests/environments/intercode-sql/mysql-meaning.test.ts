// Layer: pure core on a small real database. Statements in which SQLite and MySQL 8 mean different things: each has MySQL's result, or is refused.
import { beforeAll, describe, expect, it } from 'vitest';
import { demoFolder, observer } from '../../helpers/sql-datasets.ts';

let observe: (query: string) => string;
beforeAll(async () => {
  observe = observer(await demoFolder(), 'bakery');
});

/** Values of select items without a table, as one Python tuple. */
const values = (items: string) => observe(`SELECT ${items}`);

describe('exact decimals', () => {
  it.each([
    ['0.1 + 0.2 = 0.3, 0.1 + 0.2', "[(1, Decimal('0.3'))]"],
    ['FLOOR(4.35 * 100), CEIL(4.35 * 100), ROUND(1.005, 2)', "[(435, 435, Decimal('1.01'))]"],
    [
      '1.10 * 1.10, 1.50 - 0.5, -0.5, 7.5 % 2',
      "[(Decimal('1.2100'), Decimal('1.00'), Decimal('-0.5'), Decimal('1.5'))]",
    ],
    // A quotient has four digits more, and carries them in groups of nine.
    [
      '1 / 3, 1 / 3 * 3, 2 / 3, 1 / 3 / 7',
      "[(Decimal('0.3333'), Decimal('1.0000'), Decimal('0.6667'), Decimal('0.04761905'))]",
    ],
    ['12345678901234567890.12 + 0.01', "[(Decimal('12345678901234567890.13'),)]"],
    ["CAST('12345678901234567.894' AS DECIMAL(20,2))", "[(Decimal('12345678901234567.89'),)]"],
    // The largest number of the type takes the place of a larger one.
    ['CAST(12345.678 AS DECIMAL(5,2)), CAST(2.5 AS DECIMAL)', "[(Decimal('999.99'), Decimal('3'))]"],
    ['7.5 DIV 2, -7 DIV 2, 1.0 / 0', '[(3, -3, None)]'],
    ['1.5 IS TRUE, 0.0 IS TRUE, NOT 0.5, 0.0 OR NULL', '[(1, 0, 0, None)]'],
    ['CASE WHEN 0.5 THEN 1 ELSE 2 END, IF(0.0, 1, 2.50)', "[(1, Decimal('2.50'))]"],
    ['2.50 IN (2.5, 3), 2.5 BETWEEN 2 AND 2.5, 10.5 > 9.5', '[(1, 1, 1)]'],
    // Doubles round the middle to the even one, as C does.
    ['ROUND(2.5e0), ROUND(3.5e0), ROUND(2.5)', "[(2.0, 4.0, Decimal('3'))]"],
    [
      'GREATEST(1, 2.5), MOD(7.5, 2), ABS(-1.50), SIGN(-0.5)',
      "[(Decimal('2.5'), Decimal('1.5'), Decimal('1.50'), -1)]",
    ],
  ])('%s', (items, expected) => {
    expect(values(items)).toBe(expected);
  });

  it('add up without a loss, also in windows, and have four digits more as an average', () => {
    const prices = 'SELECT 0.1 AS amount UNION ALL SELECT 0.2 UNION ALL SELECT 0.3';
    expect(observe(`SELECT SUM(amount), SUM(amount) = 0.6, AVG(amount) FROM (${prices}) t`)).toBe(
      "[(Decimal('0.6'), 1, Decimal('0.20000'))]",
    );
    expect(observe(`SELECT SUM(amount) OVER (ORDER BY amount ROWS 1 PRECEDING) FROM (${prices}) t`)).toBe(
      "[(Decimal('0.1'),), (Decimal('0.3'),), (Decimal('0.5'),)]",
    );
  });

  it('of a column compare, order and group by their value', () => {
    expect(observe('SELECT COUNT(*) FROM product WHERE price = 4.20')).toBe(
      observe("SELECT COUNT(*) FROM product WHERE price = '4.2'"),
    );
    const ordered = observe('SELECT price FROM product ORDER BY price')
      .match(/[\d.]+(?='\))/g)!
      .map(Number);
    expect(ordered).toEqual([...ordered].sort((a, b) => a - b));
    expect(observe('SELECT COUNT(*) FROM product WHERE price < ALL (SELECT price FROM product)')).toBe('[(0,)]');
  });
});

describe('numbers and texts in one place', () => {
  it.each([
    ["IFNULL(1, 'a'), IF(1, 2.50, 'a'), COALESCE(NULL, 3, 'x')", "[('1', '2.50', '3')]"],
    ["CASE WHEN 1 THEN 1e0 ELSE 'x' END, IF(1, 1, DATE '2018-01-01')", "[('1', '1')]"],
    ["IFNULL(2 / 3, 'none'), CONCAT(2 / 3, YEAR('2018-03-01'))", "[('0.6667', '0.66672018')]"],
    ['IFNULL(1, 2.55), IF(0, 1, 2e0)', "[(Decimal('1.00'), 2.0)]"],
  ])('%s', (items, expected) => {
    expect(values(items)).toBe(expected);
  });

  it('become texts in a UNION', () => {
    expect(observe("SELECT 1 UNION SELECT 'a' UNION SELECT 2.50")).toBe("[('1',), ('a',), ('2.50',)]");
    expect(observe("SELECT 1 / 3 UNION SELECT 'a'")).toBe(
      'Error: A quotient, CASE of decimals or FLOAT in one column with a text is not available in this environment',
    );
  });
});

describe('collations', () => {
  it.each([
    [
      "'a' COLLATE utf8mb4_bin = 'A', 'a' COLLATE utf8mb4_bin = 'a ', BINARY 'a' = 'A', BINARY 'a' = 'a '",
      '[(0, 1, 0, 0)]',
    ],
    ["'a' LIKE BINARY 'A', 'a' LIKE 'A', 'abc' REGEXP BINARY 'B', 'abc' REGEXP 'B'", '[(0, 1, 0, 1)]'],
    ["'abc' REGEXP '(?i)B', 'abc' REGEXP BINARY '(?i)B', 'aB1' REGEXP '^[[:alpha:]]+[0-9]$'", '[(1, 1, 1)]'],
    ["BINARY 'é', CONVERT('a' USING binary), 'a' COLLATE utf8mb4_bin", "[(b'\\xc3\\xa9', b'a', 'a')]"],
    ["'é' = 'E', 'ß' = 's', 'ø' = 'o', 'é' LIKE 'e', 'é' IN ('e')", '[(1, 1, 0, 1, 1)]'],
    // In the order of MySQL, signs come after letters.
    ["'a_b' < 'aab', 'a[' < 'az', GREATEST('é', 'f')", "[(0, 0, 'f')]"],
  ])('%s', (items, expected) => {
    expect(values(items)).toBe(expected);
  });

  it.each([
    ["'a' COLLATE latin1_bin", "COLLATION 'latin1_bin' is not valid for CHARACTER SET 'utf8mb4'"],
    ["'a' COLLATE nosuch", "Unknown collation: 'nosuch'"],
    ["'a' COLLATE utf8mb4_0900_ai_ci", 'The collation utf8mb4_0900_ai_ci is not available in this environment'],
    ["INSTR(BINARY 'a', 'A')", 'INSTR of text that compares by its characters is not available in this environment'],
    ["'a' REGEXP '(?<=b)a(?i)c'", 'This form of a regular expression is not available in this environment'],
  ])('%s is an error', (items, message) => {
    expect(values(items)).toBe(`Error: ${message}`);
  });

  const texts = "SELECT 'a ' AS t UNION ALL SELECT 'A' UNION ALL SELECT 'é' UNION ALL SELECT 'e'";
  it('blanks at the end and accents count nowhere: of equal texts the first is shown', () => {
    expect(observe(`SELECT DISTINCT t FROM (${texts}) x`)).toBe("[('a ',), ('é',)]");
    expect(observe(`SELECT COUNT(DISTINCT t), GROUP_CONCAT(DISTINCT t SEPARATOR '; ') FROM (${texts}) x`)).toBe(
      "[(2, 'a ; é')]",
    );
    expect(observe(`SELECT COUNT(*) FROM (${texts}) x GROUP BY t`)).toBe('[(2,), (2,)]');
    expect(observe("SELECT 'a ' UNION SELECT 'A'")).toBe("[('a ',)]");
    expect(observe("SELECT 'a ' INTERSECT SELECT 'A'")).toBe("[('a ',)]");
    expect(observe("SELECT 'a ' EXCEPT SELECT 'A'")).toBe('[]');
  });
});

describe('dates', () => {
  it.each([
    [
      "DATE_ADD('2018-01-31', INTERVAL 1 MONTH), DATE '2018-01-01' + INTERVAL 1 HOUR",
      "[('2018-02-28', datetime.datetime(2018, 1, 1, 1, 0))]",
    ],
    [
      "DATE_ADD('2018-01-01', INTERVAL '1 2' DAY_HOUR), '2018-01-01' - INTERVAL '1:30' HOUR_MINUTE",
      "[('2018-01-02 02:00:00', '2017-12-31 22:30:00')]",
    ],
    [
      "DATE_ADD('2018-01-01', INTERVAL 1.5 DAY), DATE_ADD('2018-01-01', INTERVAL '1.5' DAY)",
      "[('2018-01-03', '2018-01-02')]",
    ],
    ["WEEK('2018-01-01'), WEEK('2018-01-01', 1), WEEK('2018-01-01', 2), WEEK('2018-12-31', 3)", '[(0, 1, 53, 1)]'],
    ["YEARWEEK('2018-12-31', 3), YEARWEEK('2018-01-01'), WEEKOFYEAR('2018-12-31')", '[(201901, 201753, 1)]'],
    ["DATE_FORMAT('2018-01-01', '%U %u %V %X %v %x %D %j')", "[('00 01 53 2017 01 2018 1st 001',)]"],
    ["EXTRACT(DAY_SECOND FROM '2018-03-01 10:20:30'), EXTRACT(YEAR_MONTH FROM '2018-03-01')", '[(1102030, 201803)]'],
    [
      "FROM_UNIXTIME(1600000000), FROM_UNIXTIME(0, '%Y'), UNIX_TIMESTAMP('2018-03-01')",
      "[(datetime.datetime(2020, 9, 13, 12, 26, 40), '1970', 1519862400)]",
    ],
    // The text of a date alone is no time: its digits are read as one.
    ["MINUTE('2018-03-01'), MINUTE(DATE '2018-03-01'), HOUR('25:00:00')", '[(20, 0, 25)]'],
    ["DATE('2018-02-30'), LAST_DAY('2018-02-31'), YEAR('18-03-01')", '[(None, None, 2018)]'],
  ])('%s', (items, expected) => {
    expect(values(items)).toBe(expected);
  });

  it('an unknown unit is a syntax error, and parts of a second are refused', () => {
    expect(values("'2018-01-01' + INTERVAL 1 FORTNIGHT")).toContain("near 'FORTNIGHT'");
    expect(values("TIMESTAMPDIFF(FORTNIGHT, '2018-01-01', '2018-02-01')")).toContain("near 'FORTNIGHT");
    expect(values("'2018-01-01' + INTERVAL 1.5 SECOND")).toBe(
      'Error: Parts of a second are not available in this environment',
    );
  });
});

describe('conversions', () => {
  it.each([
    ["CAST('3.7' AS SIGNED), CAST(3.7 AS SIGNED), CAST('-1.5x' AS SIGNED), CAST(2.5e0 AS SIGNED)", '[(3, 4, -1, 2)]'],
    [
      "CONCAT(1e15), CONCAT(0.00001e0), CONCAT(ROUND(2.5e0, 2)), CONCAT(YEAR('2018-03-01'))",
      "[('1e15', '0.00001', '2.50', '2018')]",
    ],
    ["POSITION('b' IN 'abc'), LOCATE('b', 'abc', 3), FIELD(NULL, 'a')", '[(2, 0, 0)]'],
    [
      "FORMAT(1234567.895, 2), LPAD(7, 3, '0'), ELT(2, 'a', 'b'), INSERT('abcdef', 2, 3, 'X')",
      "[('1,234,567.90', '007', 'b', 'aXef')]",
    ],
    ["REGEXP_REPLACE('abcb', 'B', 'X'), REGEXP_SUBSTR('abc', 'b.'), REGEXP_INSTR('abc', 'C')", "[('aXcX', 'bc', 3)]"],
  ])('%s', (items, expected) => {
    expect(values(items)).toBe(expected);
  });

  it.each([
    ['9223372036854775807 + 1', 'BIGINT value is out of range'],
    ['9223372036854775807 * 2 > 0', 'BIGINT value is out of range'],
    ['CAST(-1 AS UNSIGNED)', 'UNSIGNED numbers beyond BIGINT are not available in this environment'],
    ["CAST('1' AS UNSIGNED) - 2", 'BIGINT UNSIGNED value is out of range'],
    ['0x41', 'Hexadecimal numbers are not available in this environment'],
    ["X'41'", 'Literals of bytes and of other character sets are not available in this environment'],
    ["JSON_EXTRACT('{}', '$.a')", 'The function JSON_EXTRACT is not available in this environment'],
    ["REPEAT(REPEAT('a', 9000), 9000)", 'REPEAT makes no more than 10000 characters in this environment'],
  ])('%s is an error', (items, message) => {
    expect(values(items)).toBe(`Error: ${message}`);
  });
});

describe('information_schema', () => {
  it('has the tables and columns of the own database', () => {
    expect(
      observe(
        'SELECT table_name, table_type FROM information_schema.TABLES WHERE table_schema = DATABASE() ORDER BY 1',
      ),
    ).toBe("[('employee', 'BASE TABLE'), ('product', 'BASE TABLE'), ('sale', 'BASE TABLE'), ('shop', 'BASE TABLE')]");
    expect(
      observe(
        "SELECT column_name, data_type, column_key, numeric_precision, numeric_scale FROM information_schema.columns WHERE table_name = 'PRODUCT' AND column_name = 'price'",
      ),
    ).toBe("[('price', 'decimal', '', 8, 2)]");
    expect(observe('SELECT schema_name FROM information_schema.schemata')).toBe("[('bakery',)]");
  });

  it('refuses what it does not know', () => {
    expect(observe('SELECT table_rows FROM information_schema.tables')).toBe(
      'Error: The column TABLE_ROWS of information_schema.tables is not available in this environment',
    );
    expect(observe('SELECT * FROM information_schema.statistics')).toBe(
      'Error: The table information_schema.statistics is not available in this environment; use SHOW TABLES or DESCRIBE',
    );
    expect(observe('USE other')).toBe("Error: Unknown database 'other'");
    expect(observe('USE bakery')).toBe('None');
  });
});

it("says nothing in SQLite's words", () => {
  const statements = [
    'SELECT COUNT(*) AS c FROM shop GROUP BY city HAVING MAX(c) > 1',
    'SELECT SUM(RANK() OVER (ORDER BY city)) FROM shop',
    'SELECT SUM(9223372036854775807) FROM shop',
    `SELECT ${Array.from({ length: 3000 }, (_, index) => index).join(', ')}`,
    `SELECT ${'1 + '.repeat(5000)}1`,
    `SELECT 1${' UNION ALL SELECT 1'.repeat(600)}`,
    'SELECT ROUND(1), COUNT(*) FROM shop GROUP BY 1',
    "SELECT city FROM shop WHERE city LIKE 'a' ESCAPE 'ab'",
  ];
  for (const statement of statements) {
    expect(observe(statement)).not.toMatch(
      /misuse|sqlite|no such|SQL logic|parser|expression tree|too many (columns|terms)|overflow/i,
    );
  }
  expect(observe(statements[0]!)).toBe('Error: Invalid use of group function');
});
