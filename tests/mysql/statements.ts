/** Random SELECT statements over the tables of a database, the same for the same seed: what agents write, and the corners of the dialect. */
import type { DumpDatabase, DumpTable } from '../../src/environments/intercode-sql/import-dump.ts';
import { randomNumbers } from '../../src/environments/intercode-sql/random.ts';
import { quote } from './databases.ts';

export type RandomStatement = {
  sql: string;
  /** Whether its order of rows is determined, but for rows that compare as equal. */
  ordered: boolean;
};

type Kind = 'integer' | 'decimal' | 'double' | 'text' | 'date' | 'datetime' | 'time';
type Field = { sql: string; kind: Kind; values: string[] };

export function randomStatement(database: DumpDatabase, seed: number): RandomStatement {
  return new Statements(database, randomNumbers(seed)).statement();
}

function kindOf(type: string): Kind {
  if (/^(tinyint|smallint|mediumint|int|bigint|year|bit)/.test(type)) return 'integer';
  if (/^(decimal|numeric)/.test(type)) return 'decimal';
  if (/^(double|float|real)/.test(type)) return 'double';
  if (/^(datetime|timestamp)/.test(type)) return 'datetime';
  return type === 'date' || type === 'time' ? type : 'text';
}

const isNumber = (kind: Kind) => kind === 'integer' || kind === 'decimal' || kind === 'double';
const literal = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

class Statements {
  readonly #database: DumpDatabase;
  readonly #random: () => number;

  constructor(database: DumpDatabase, random: () => number) {
    this.#database = database;
    this.#random = random;
  }

  statement(): RandomStatement {
    return this.#pick([
      () => this.#plain(),
      () => this.#plain(),
      () => this.#plain(),
      () => this.#aggregated(),
      () => this.#grouped(),
      () => this.#grouped(),
      () => this.#distinct(),
      () => this.#union(),
      () => this.#derived(),
      () => this.#compared(),
      () => this.#windowed(),
      () => this.#withoutTable(),
      () => this.#correlated(),
      () => this.#groupedByAlias(),
      () => this.#joined(),
      () => this.#nested(),
    ])();
  }

  #number(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#number(items.length)]!;
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  /** One table, or two that have a column of the same name in common. */
  #from(): { sql: string; fields: Field[] } {
    const filled = this.#database.tables.filter(({ rows }) => rows.length > 0);
    const first = this.#pick(filled.length ? filled : this.#database.tables);
    const one = { sql: `${quote(first.name)} AS a`, fields: fieldsOf(first, 'a') };
    if (this.#chance(0.65)) return one;
    const partners = this.#database.tables.flatMap((second) =>
      second === first || second.rows.length * first.rows.length > 20_000
        ? []
        : second.columns
            .filter(({ name, type }) =>
              first.columns.some(
                (own) => own.name.toLowerCase() === name.toLowerCase() && kindOf(own.type) === kindOf(type),
              ),
            )
            .map(({ name }) => ({ second, name })),
    );
    if (!partners.length) return one;
    const { second, name } = this.#pick(partners);
    const join = this.#pick(['JOIN', 'INNER JOIN', 'LEFT JOIN', 'LEFT OUTER JOIN', 'RIGHT JOIN']);
    return {
      sql: `${one.sql} ${join} ${quote(second.name)} AS b ON a.${quote(name)} = b.${quote(name)}`,
      fields: [...one.fields, ...fieldsOf(second, 'b')],
    };
  }

  #where(fields: Field[], share = 0.6): string {
    return this.#chance(share) ? ` WHERE ${this.#condition(fields, 2)}` : '';
  }

  /** Orders by all outputs, so that the order is determined; LIMIT may follow. */
  #tail(width: number): { tail: string; ordered: boolean } {
    if (this.#chance(0.5)) return { tail: '', ordered: false };
    const places = Array.from({ length: width }, (_, index) => index + 1).sort(() => this.#random() - 0.5);
    const order = places.map((place) => `${place}${this.#pick(['', '', ' ASC', ' DESC'])}`).join(', ');
    const limit = this.#chance(0.5)
      ? this.#pick([' LIMIT 1', ' LIMIT 3', ' LIMIT 5', ' LIMIT 2, 3', ' LIMIT 4 OFFSET 1'])
      : '';
    return { tail: ` ORDER BY ${order}${limit}`, ordered: true };
  }

  #plain(): RandomStatement {
    const { sql, fields } = this.#from();
    const items = this.#items(fields);
    const where = this.#where(fields);
    const { tail, ordered } = this.#tail(items.length);
    return { sql: `SELECT ${items.join(', ')} FROM ${sql}${where}${tail}`, ordered };
  }

  #items(fields: Field[]): string[] {
    return Array.from({ length: 1 + this.#number(3) }, () =>
      this.#chance(0.4) ? this.#pick(fields).sql : this.#any(fields, 2),
    );
  }

  #distinct(): RandomStatement {
    const { sql, fields } = this.#from();
    const items = this.#items(fields);
    const { tail, ordered } = this.#tail(items.length);
    return { sql: `SELECT DISTINCT ${items.join(', ')} FROM ${sql}${this.#where(fields)}${tail}`, ordered };
  }

  #aggregate(fields: Field[]): string {
    const field = this.#pick(fields);
    const distinct = this.#chance(0.2) ? 'DISTINCT ' : '';
    return this.#pick([
      () => 'COUNT(*)',
      () => `COUNT(${distinct}${field.sql})`,
      () => `MIN(${field.sql})`,
      () => `MAX(${field.sql})`,
      () => `SUM(${distinct}${this.#numeric(fields, 1)})`,
      () => `AVG(${distinct}${this.#numeric(fields, 1)})`,
      () => `SUM(${this.#condition(fields, 0)})`,
      () => `SUM(CASE WHEN ${this.#condition(fields, 0)} THEN ${this.#numeric(fields, 0)} ELSE 0 END)`,
      () => `ROUND(AVG(${this.#numeric(fields, 0)}), ${this.#number(4)})`,
      () => `COUNT(DISTINCT ${field.sql}, ${this.#pick(fields).sql})`,
      () => `SUM(${this.#numeric(fields, 0)}) / COUNT(*)`,
      () => `COUNT(*) * 100.0 / ${1 + this.#number(50)}`,
      () => `GROUP_CONCAT(${distinct}${field.sql} ORDER BY ${field.sql}${this.#pick(['', " SEPARATOR '; '", ''])})`,
      () => `IFNULL(SUM(${this.#numeric(fields, 0)}), 'none')`,
      () => `MAX(${this.#numeric(fields, 0)}) - MIN(${this.#numeric(fields, 0)})`,
    ])();
  }

  #aggregated(): RandomStatement {
    const { sql, fields } = this.#from();
    const items = Array.from({ length: 1 + this.#number(3) }, () => this.#aggregate(fields));
    return { sql: `SELECT ${items.join(', ')} FROM ${sql}${this.#where(fields)}`, ordered: true };
  }

  #grouped(): RandomStatement {
    const { sql, fields } = this.#from();
    const group = this.#chance(0.75) ? this.#pick(fields).sql : this.#any(fields, 1);
    const items = [group, ...Array.from({ length: 1 + this.#number(2) }, () => this.#aggregate(fields))];
    const having = this.#chance(0.3)
      ? ` HAVING ${this.#pick(['COUNT(*) > 1', 'COUNT(*) >= 2', `${this.#aggregate(fields)} > ${this.#number(100)}`])}`
      : '';
    const { tail, ordered } = this.#tail(items.length);
    const grouped = this.#chance(0.2) ? '1' : group;
    return {
      sql: `SELECT ${items.join(', ')} FROM ${sql}${this.#where(fields, 0.3)} GROUP BY ${grouped}${having}${tail}`,
      ordered,
    };
  }

  #union(): RandomStatement {
    const arms = [this.#from(), this.#from()];
    const width = 1 + this.#number(2);
    const operator = this.#pick(['UNION', 'UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT']);
    const selects = arms.map(({ sql, fields }) => {
      const items = Array.from({ length: width }, () =>
        this.#chance(0.6) ? this.#pick(fields).sql : this.#any(fields, 1),
      );
      return `SELECT ${items.join(', ')} FROM ${sql}${this.#where(fields, 0.5)}`;
    });
    const { tail, ordered } = this.#tail(width);
    return { sql: selects.join(` ${operator} `) + tail, ordered };
  }

  #derived(): RandomStatement {
    const { sql, fields } = this.#from();
    const first = this.#pick(fields).sql;
    const inner = this.#chance(0.5)
      ? `SELECT ${first} AS x, ${this.#aggregate(fields)} AS y FROM ${sql} GROUP BY ${first}`
      : `SELECT ${first} AS x, ${this.#any(fields, 1)} AS y FROM ${sql}${this.#where(fields)}`;
    const { tail, ordered } = this.#tail(2);
    const outer = this.#pick(['x, y', 'y, y', 'COUNT(*), MAX(y)', 'MIN(x), COUNT(DISTINCT y)']);
    const end = outer.includes('(') ? '' : tail;
    const isCommon = this.#chance(0.4);
    return {
      sql: isCommon
        ? `WITH d AS (${inner}) SELECT ${outer} FROM d${end}`
        : `SELECT ${outer} FROM (${inner}) AS d${end}`,
      ordered: ordered || end !== tail,
    };
  }

  /** A subquery in the condition. */
  #compared(): RandomStatement {
    const { sql, fields } = this.#from();
    const number = this.#pick(fields);
    const condition = this.#pick([
      () => `${this.#numeric(fields, 0)} ${this.#comparison()} (SELECT AVG(${this.#numeric(fields, 0)}) FROM ${sql})`,
      () => `${number.sql} = (SELECT MAX(${number.sql}) FROM ${sql})`,
      () => `${number.sql} ${this.#pick(['', 'NOT '])}IN (SELECT ${number.sql} FROM ${sql}${this.#where(fields, 1)})`,
      () =>
        `EXISTS (SELECT 1 FROM ${sql.replaceAll(/\ba\b/g, 'c').replaceAll(/\bb\b/g, 'd')} WHERE ${number.sql} IS NOT NULL)`,
      () =>
        `${number.sql} ${this.#pick(['>', '<=', '='])} ${this.#pick(['ANY', 'ALL'])} (SELECT ${number.sql} FROM ${sql}${this.#where(fields, 1)})`,
    ])();
    const items = this.#items(fields);
    const { tail, ordered } = this.#tail(items.length);
    return { sql: `SELECT ${items.join(', ')} FROM ${sql} WHERE ${condition}${tail}`, ordered };
  }

  /** A subquery that looks at the row around it. */
  #correlated(): RandomStatement {
    const { sql, fields } = this.#from();
    const table = this.#pick(this.#small());
    const inner = fieldsOf(table, 'c');
    const [own, other] = [this.#pick(fields), this.#pick(inner)];
    const link = `${other.sql} ${this.#pick(['=', '=', '<=', '<>'])} ${own.sql}`;
    const from = `${quote(table.name)} AS c WHERE ${link}`;
    const { tail, ordered } = this.#tail(1);
    return this.#pick([
      () => ({
        sql: `SELECT ${own.sql} FROM ${sql} WHERE ${this.#pick(['', 'NOT '])}EXISTS (SELECT 1 FROM ${from})${tail}`,
        ordered,
      }),
      () => ({
        sql: `SELECT ${own.sql} FROM ${sql} WHERE ${this.#numeric(fields, 0)} ${this.#comparison()} (SELECT ${this.#aggregate(inner)} FROM ${from})${tail}`,
        ordered,
      }),
      () => ({
        sql: `SELECT (SELECT ${this.#pick(['COUNT(*)', `MAX(${other.sql})`, `SUM(${this.#numeric(inner, 0)})`])} FROM ${from}) FROM ${sql}${tail}`,
        ordered,
      }),
      () => ({
        sql: `SELECT ${own.sql} FROM ${sql} WHERE ${own.sql} ${this.#pick(['', 'NOT '])}IN (SELECT ${other.sql} FROM ${from})${tail}`,
        ordered,
      }),
      () => ({
        sql: `SELECT ${own.sql} FROM ${sql} WHERE (${own.sql}, ${this.#pick(fields).sql}) IN (SELECT ${other.sql}, ${this.#pick(inner).sql} FROM ${quote(table.name)} AS c)${tail}`,
        ordered,
      }),
    ])();
  }

  /** Tables that may be read once for each row of another. */
  #small(): DumpTable[] {
    const small = this.#database.tables.filter(({ rows }) => rows.length > 0 && rows.length < 300);
    return small.length ? small : this.#database.tables;
  }

  #groupedByAlias(): RandomStatement {
    const { sql, fields } = this.#from();
    const [first, second] = [this.#pick([this.#pick(fields).sql, this.#any(fields, 1)]), this.#pick(fields).sql];
    const order = this.#pick([
      ' ORDER BY total DESC, first_key, second_key',
      ' ORDER BY first_key DESC, second_key, total',
      '',
    ]);
    const limit = order && this.#chance(0.4) ? ' LIMIT 3' : '';
    const having = this.#pick([
      '',
      '',
      ' HAVING total > 1',
      ' HAVING first_key IS NOT NULL',
      ' HAVING COUNT(*) > 1 AND total < 100',
    ]);
    return {
      sql: `SELECT ${first} AS first_key, ${second} AS second_key, ${this.#aggregate(fields)} AS total FROM ${sql}${this.#where(fields, 0.4)} GROUP BY first_key, second_key${having}${order}${limit}`,
      ordered: order !== '',
    };
  }

  /** Other ways to join: by USING, NATURAL, a comma, or with the table itself. */
  #joined(): RandomStatement {
    const first = this.#pick(this.#small());
    const column = this.#pick(first.columns).name;
    const partner =
      this.#database.tables.find(
        (table) => table !== first && table.rows.length < 300 && table.columns.some(({ name }) => name === column),
      ) ?? first;
    const from = this.#pick([
      `${quote(first.name)} AS a JOIN ${quote(partner.name)} AS b USING (${quote(column)})`,
      `${quote(first.name)} AS a LEFT JOIN ${quote(partner.name)} AS b USING (${quote(column)})`,
      `${quote(first.name)} AS a NATURAL JOIN ${quote(partner.name)} AS b`,
      `${quote(first.name)} AS a, ${quote(partner.name)} AS b WHERE a.${quote(column)} = b.${quote(column)}`,
      `${quote(first.name)} AS a, ${quote(first.name)} AS b WHERE a.${quote(column)} < b.${quote(column)}`,
      `${quote(first.name)} AS a JOIN ${quote(partner.name)} AS b ON a.${quote(column)} = b.${quote(column)} JOIN ${quote(first.name)} AS c ON c.${quote(column)} = b.${quote(column)}`,
    ]);
    const own = fieldsOf(first, 'a');
    const items = this.#pick([() => ['COUNT(*)'], () => this.#items(own), () => [this.#aggregate(own)]])();
    return { sql: `SELECT ${items.join(', ')} FROM ${from}`, ordered: false };
  }

  /** Queries within queries: a limited table, a UNION as a table, a common table that is read twice. */
  #nested(): RandomStatement {
    const { sql, fields } = this.#from();
    const [first, second] = [this.#pick(fields).sql, this.#any(fields, 1)];
    const { tail, ordered } = this.#tail(2);
    return this.#pick([
      () => ({
        sql: `SELECT MAX(x), COUNT(y) FROM (SELECT ${first} AS x, ${second} AS y FROM ${sql} ORDER BY 1, 2 LIMIT 4) AS d`,
        ordered: true,
      }),
      () => ({
        sql: `SELECT x, COUNT(*) FROM (SELECT ${first} AS x FROM ${sql} UNION ALL SELECT ${this.#pick(fields).sql} FROM ${sql}) AS d GROUP BY x${tail}`,
        ordered,
      }),
      () => ({
        sql: `WITH d AS (SELECT ${first} AS x, ${second} AS y FROM ${sql}) SELECT COUNT(*) FROM d WHERE x = (SELECT MIN(x) FROM d) OR y IN (SELECT y FROM d WHERE x IS NOT NULL)`,
        ordered: true,
      }),
      () => ({
        sql: `SELECT CASE ${first} WHEN ${this.#pick(fields).sql} THEN 'same' WHEN NULL THEN 'none' ELSE ${second} END, 1 FROM ${sql}${tail}`,
        ordered,
      }),
      () => ({
        sql: `SELECT DISTINCT x, y FROM (SELECT ${first} AS x, ${this.#aggregate(fields)} AS y FROM ${sql} GROUP BY ${first}) AS d WHERE y IS NOT NULL${tail}`,
        ordered,
      }),
      () => ({
        sql: `SELECT AVG(x), SUM(x) / 3, ROUND(AVG(x) * 100.0 / 7, 2) FROM (SELECT ${this.#numeric(fields, 1)} AS x FROM ${sql}) AS d`,
        ordered: true,
      }),
    ])();
  }

  #windowed(): RandomStatement {
    const { sql, fields } = this.#from();
    const by = this.#pick(fields).sql;
    const part = this.#chance(0.5) ? `PARTITION BY ${this.#pick(fields).sql} ` : '';
    const call = this.#pick([
      `RANK() OVER (${part}ORDER BY ${by})`,
      `DENSE_RANK() OVER (${part}ORDER BY ${by} DESC)`,
      `COUNT(*) OVER (${part})`,
      `SUM(${this.#numeric(fields, 0)}) OVER (${part})`,
      `AVG(${this.#numeric(fields, 0)}) OVER (${part}ORDER BY ${by})`,
      `MAX(${by}) OVER (${part})`,
      `LAG(${by}) OVER (${part}ORDER BY ${by})`,
      `LEAD(${by}, 2) OVER (${part}ORDER BY ${by})`,
      `PERCENT_RANK() OVER (${part}ORDER BY ${by})`,
      `FIRST_VALUE(${by}) OVER (${part}ORDER BY ${by})`,
      `SUM(${this.#numeric(fields, 0)}) OVER (${part}ORDER BY ${by} RANGE UNBOUNDED PRECEDING)`,
    ]);
    const { tail, ordered } = this.#tail(2);
    return { sql: `SELECT ${by}, ${call} FROM ${sql}${this.#where(fields)}${tail}`, ordered };
  }

  #withoutTable(): RandomStatement {
    const items = Array.from({ length: 1 + this.#number(3) }, () => this.#any([], 3));
    return { sql: `SELECT ${items.join(', ')}`, ordered: true };
  }

  #comparison(): string {
    return this.#pick(['=', '<>', '<', '>', '<=', '>=', '!=', '<=>']);
  }

  #any(fields: Field[], depth: number): string {
    return this.#pick([
      () => this.#numeric(fields, depth),
      () => this.#numeric(fields, depth),
      () => this.#textual(fields, depth),
      () => this.#textual(fields, depth),
      () => this.#temporal(fields, depth),
      () => this.#mixed(fields, depth),
      () => this.#condition(fields, depth - 1),
    ])();
  }

  #field(fields: Field[], fits: (kind: Kind) => boolean): Field | null {
    const fitting = fields.filter(({ kind }) => fits(kind));
    return fitting.length ? this.#pick(fitting) : null;
  }

  #numeric(fields: Field[], depth: number): string {
    const leaf = () => {
      const field = this.#field(fields, isNumber);
      if (field && this.#chance(0.7)) return field.sql;
      return this.#pick([
        '0',
        '1',
        '2',
        '7',
        '10',
        '100',
        '0.1',
        '0.2',
        '0.3',
        '2.50',
        '4.35',
        '1e2',
        '-3',
        '1.005',
        '12345.678',
        '0.5',
      ]);
    };
    if (depth <= 0) return leaf();
    const number = () => this.#numeric(fields, depth - 1);
    const text = () => this.#textual(fields, depth - 1);
    const moment = () => this.#temporal(fields, depth - 1);
    return this.#pick([
      leaf,
      () => `(${number()} ${this.#pick(['+', '-', '*'])} ${number()})`,
      () => `(${number()} ${this.#pick(['+', '-', '*'])} ${number()})`,
      () => `${number()} / ${number()}`,
      () => `${number()} ${this.#pick(['DIV', '%', 'MOD'])} ${number()}`,
      () => `ROUND(${number()}, ${this.#pick(['0', '1', '2', '3', '-1'])})`,
      () => `ROUND(${number()})`,
      () => `${this.#pick(['FLOOR', 'CEIL', 'CEILING', 'ABS', 'SIGN'])}(${number()})`,
      () => `TRUNCATE(${number()}, ${this.#pick(['0', '1', '2'])})`,
      () => `CAST(${number()} AS ${this.#pick(['SIGNED', 'DECIMAL(10,2)', 'DECIMAL(12)', 'DOUBLE'])})`,
      () => `CAST(${text()} AS ${this.#pick(['SIGNED', 'UNSIGNED', 'DECIMAL(10,2)'])})`,
      () => `${this.#pick(['LENGTH', 'CHAR_LENGTH', 'ASCII'])}(${text()})`,
      () => `${this.#pick(['IFNULL', 'COALESCE', 'NULLIF', 'GREATEST', 'LEAST', 'MOD'])}(${number()}, ${number()})`,
      () => `IF(${this.#condition(fields, depth - 1)}, ${number()}, ${number()})`,
      () => `CASE WHEN ${this.#condition(fields, depth - 1)} THEN ${number()} ELSE ${number()} END`,
      () =>
        `${this.#pick(['YEAR', 'MONTH', 'DAY', 'DAYOFWEEK', 'WEEKDAY', 'DAYOFYEAR', 'QUARTER', 'WEEK', 'YEARWEEK', 'HOUR', 'MINUTE', 'TO_DAYS', 'WEEKOFYEAR'])}(${moment()})`,
      () => `${this.#pick(['WEEK', 'YEARWEEK'])}(${moment()}, ${this.#number(8)})`,
      () =>
        `EXTRACT(${this.#pick(['YEAR', 'MONTH', 'DAY', 'WEEK', 'QUARTER', 'HOUR', 'YEAR_MONTH', 'DAY_HOUR', 'DAY_MINUTE', 'HOUR_MINUTE', 'DAY_SECOND', 'MICROSECOND'])} FROM ${moment()})`,
      () => `DATEDIFF(${moment()}, ${moment()})`,
      () =>
        `TIMESTAMPDIFF(${this.#pick(['YEAR', 'MONTH', 'DAY', 'HOUR', 'WEEK', 'QUARTER', 'MINUTE'])}, ${moment()}, ${moment()})`,
      () => `${this.#pick(['LOCATE', 'INSTR'])}(${text()}, ${text()})`,
      () => `POSITION(${text()} IN ${text()})`,
      // FIELD is never NULL, but servers take it for so in an outer join.
      () => `FIELD(${this.#textual([], 0)}, ${text()}, 'abc')`.replace(/b\.`\w+`/g, "'b'"),
      () =>
        `UNIX_TIMESTAMP(${this.#pick(["'2018-03-01'", "TIMESTAMP '2021-01-03 10:20:30'", "'2000-12-31 23:59:58'"])})`,
      () => `-(${number()})`,
      () => `POWER(${number()}, 2)`,
    ])();
  }

  #textual(fields: Field[], depth: number): string {
    const leaf = () => {
      const field = this.#field(fields, (kind) => kind === 'text');
      if (field && this.#chance(0.75)) return field.sql;
      return this.#pick([
        "'a'",
        "'A '",
        "'abc'",
        "'12'",
        "'3.7 kg'",
        "'x y'",
        "''",
        "'%'",
        "'2.5'",
        "'-1.5'",
        "'Bob  '",
      ]);
    };
    if (depth <= 0) return leaf();
    const text = () => this.#textual(fields, depth - 1);
    const number = () => this.#numeric(fields, depth - 1);
    const count = () => String(1 + this.#number(6));
    return this.#pick([
      leaf,
      () => `CONCAT(${text()}, ${this.#pick([text, number, () => this.#temporal(fields, depth - 1)])()})`,
      () => `${this.#pick(['UPPER', 'LOWER', 'TRIM', 'LTRIM', 'RTRIM', 'REVERSE'])}(${text()})`,
      () => `${this.#pick(['LEFT', 'RIGHT'])}(${text()}, ${count()})`,
      () => `SUBSTRING(${text()}, ${this.#pick(['1', '2', '-3', '0'])}, ${count()})`,
      () => `SUBSTR(${text()} FROM ${count()})`,
      () => `REPLACE(${text()}, 'a', 'b')`,
      () => `${this.#pick(['LPAD', 'RPAD'])}(${this.#pick([text, number])()}, ${count()}, '*')`,
      () => `SUBSTRING_INDEX(${text()}, ' ', ${this.#pick(['1', '-1'])})`,
      () => `CONCAT_WS('-', ${text()}, ${this.#pick([text, number])()})`,
      () => `CAST(${number()} AS CHAR)`,
      () => `REPEAT(${text()}, 2)`,
      () => `NULLIF(${text()}, ${text()})`,
      () => `IF(${this.#condition(fields, depth - 1)}, ${text()}, ${text()})`,
      () => `${this.#pick(['IFNULL', 'COALESCE', 'GREATEST', 'LEAST'])}(${text()}, ${text()})`,
      () => `${this.#pick(['MONTHNAME', 'DAYNAME'])}(${this.#temporal(fields, depth - 1)})`,
      () =>
        `DATE_FORMAT(${this.#temporal(fields, depth - 1)}, '${this.#pick(['%Y-%m', '%M %e, %Y', '%d/%m/%y', '%W %D', '%H:%i:%s', '%j %U %u', '%V %X', '%v %x', '%h %p %b %c', '%T %r', '%a %k %l %f %w %%'])}')`,
      () => `FORMAT(${number()}, ${this.#number(3)})`,
    ])();
  }

  /** Where number and text meet. */
  #mixed(fields: Field[], depth: number): string {
    const number = () => this.#numeric(fields, depth - 1);
    const text = () => this.#textual(fields, depth - 1);
    const moment = () => this.#temporal(fields, depth - 1);
    const test = () => this.#condition(fields, depth - 1);
    return this.#pick([
      () => `IFNULL(${number()}, ${text()})`,
      () => `COALESCE(${number()}, ${text()})`,
      () => `IF(${test()}, ${number()}, ${text()})`,
      () => `CASE WHEN ${test()} THEN ${text()} ELSE ${number()} END`,
      () => `COALESCE(${moment()}, ${text()})`,
      () => `${text()} + ${number()}`,
      () => `NULLIF(${number()}, ${text()})`,
      () => `IF(${test()}, ${moment()}, ${number()})`,
      () => 'NULL',
    ])();
  }

  #temporal(fields: Field[], depth: number): string {
    const leaf = () => {
      const field = this.#field(fields, (kind) => kind === 'date' || kind === 'datetime');
      if (field && this.#chance(0.7)) return field.sql;
      return this.#pick([
        "'2018-03-01'",
        "'2000-12-31 23:59:58'",
        "'2016-02-29'",
        "DATE '2019-12-30'",
        "TIMESTAMP '2021-01-03 10:20:30'",
        "CAST('2012-01-01' AS DATE)",
      ]);
    };
    if (depth <= 0) return leaf();
    const moment = () => this.#temporal(fields, depth - 1);
    const unit = () => this.#pick(['DAY', 'MONTH', 'YEAR', 'WEEK', 'HOUR', 'QUARTER', 'MINUTE', 'SECOND', 'DAY']);
    return this.#pick([
      leaf,
      () => `DATE(${moment()})`,
      () => `LAST_DAY(${moment()})`,
      () => `${this.#pick(['DATE_ADD', 'DATE_SUB'])}(${moment()}, INTERVAL ${this.#number(40)} ${unit()})`,
      () => `${moment()} ${this.#pick(['+', '-'])} INTERVAL ${1 + this.#number(20)} ${unit()}`,
      () => `DATE_ADD(${moment()}, INTERVAL '1:30' ${this.#pick(['HOUR_MINUTE', 'MINUTE_SECOND'])})`,
      () => `DATE_ADD(${moment()}, INTERVAL '1-2' YEAR_MONTH)`,
      () => `FROM_UNIXTIME(${this.#number(2_000_000_000)})`,
      () => `STR_TO_DATE('${this.#pick(['2018-03-01', '2020-11-30', 'soon'])}', '%Y-%m-%d')`,
    ])();
  }

  #condition(fields: Field[], depth: number): string {
    const number = () => this.#numeric(fields, depth - 1);
    const text = () => this.#textual(fields, depth - 1);
    const not = () => this.#pick(['', '', 'NOT ']);
    if (depth > 0 && this.#chance(0.3)) {
      return this.#pick([
        () =>
          `(${this.#condition(fields, depth - 1)} ${this.#pick(['AND', 'OR', 'XOR'])} ${this.#condition(fields, depth - 1)})`,
        () => `NOT (${this.#condition(fields, depth - 1)})`,
      ])();
    }
    // Servers take rows with columns of an outer join for true comparisons only, which NULL then fails.
    const rows = fields.every(({ sql }) => sql.startsWith('a.'));
    const field = fields.length ? this.#pick(fields) : null;
    const value = field?.values.length ? this.#pick(field.values) : null;
    if (field && value !== null && this.#chance(0.5)) return this.#ofField(field, value);
    return this.#pick([
      () => `${number()} ${this.#comparison()} ${number()}`,
      () => `${text()} ${this.#comparison()} ${text()}`,
      () => `${number()} ${this.#comparison()} ${text()}`,
      () => `${number()} ${not()}BETWEEN ${number()} AND ${number()}`,
      () => `${number()} ${not()}IN (${number()}, ${number()})`,
      () => `${text()} ${not()}IN (${text()}, ${text()})`,
      () => `${text()} ${not()}LIKE ${this.#pick(["'%a%'", "'A_%'", "'%e'", "BINARY '%A%'", "'% %'"])}`,
      () =>
        `${text()} ${not()}REGEXP ${this.#pick(["'^[a-m]'", "'a|e$'", "'[0-9]+'", "BINARY '[A-Z]'", "'(?i)b'", "'[[:alpha:]]{3}'"])}`,
      () => `${text()} COLLATE utf8mb4_bin ${this.#comparison()} ${text()}`,
      () => `BINARY ${text()} ${this.#comparison()} ${text()}`,
      () => `${field?.sql ?? text()} IS ${not()}NULL`,
      () => `(${number()}) IS ${not()}${this.#pick(['TRUE', 'FALSE'])}`,
      ...(rows
        ? [
            () => `(${number()}, ${text()}) = (${number()}, ${text()})`,
            () => `(${number()}, ${text()}) ${not()}IN ((${number()}, ${text()}), (${number()}, ${text()}))`,
          ]
        : []),
    ])();
  }

  /** A field next to a value that it has, or nearly has. */
  #ofField({ sql, kind }: Field, value: string): string {
    if (isNumber(kind)) {
      return this.#pick([
        `${sql} ${this.#comparison()} ${value}`,
        `${sql} = ${literal(value)}`,
        `${sql} IN (${value}, 1)`,
        `${sql} * 1.5 > ${value}`,
      ]);
    }
    if (kind === 'text') {
      const upper = value.toUpperCase();
      return this.#pick([
        `${sql} ${this.#comparison()} ${literal(value)}`,
        `${sql} = ${literal(upper)}`,
        `${sql} = ${literal(`${value}  `)}`,
        `${sql} LIKE ${literal(`%${value.slice(0, 3)}%`)}`,
        `${sql} IN (${literal(value)}, 'x')`,
        `${sql} COLLATE utf8mb4_bin = ${literal(upper)}`,
        `BINARY ${sql} = ${literal(value)}`,
        `${sql} LIKE BINARY ${literal(`${value.slice(0, 2)}%`)}`,
      ]);
    }
    return this.#pick([
      `${sql} ${this.#comparison()} ${literal(value)}`,
      `${sql} BETWEEN ${literal(value)} AND '2020-01-01'`,
    ]);
  }
}

function fieldsOf({ columns, rows }: DumpTable, alias: string): Field[] {
  return columns.map(({ name, type }, index) => ({
    sql: `${alias}.${quote(name)}`,
    kind: kindOf(type),
    values: rows
      .slice(0, 20)
      .flatMap((row) => (row[index] === null || row[index] === undefined ? [] : [String(row[index])])),
  }));
}
