/** MySQL expressions to SQLite expressions, with their types. */
import { comparable, numeric, type Operand } from './compare.ts';
import { addInterval, compileCall } from './compile-call.ts';
import { type Compiled, type CompiledQuery, type Context, columnOf, combine } from './compiled.ts';
import { asDecimal, asDouble, asNumber, asText, coerced, decimalSql, quoteText, truth } from './convert.ts';
import { isCased } from './functions.ts';
import { MysqlError } from './reader.ts';
import { unknownColumn } from './scope.ts';
import type { ColumnExpression, Expression, Query } from './syntax.ts';
import * as types from './types.ts';

export function compileExpression(expression: Expression, context: Context): Compiled {
  const compile = (each: Expression) => compileExpression(each, context);
  const operand = (each: Expression): Operand => ({ compiled: scalar(compile(each)), expression: each });
  switch (expression.kind) {
    case 'column':
      return compileColumn(expression, context);
    case 'literal':
      return { sql: literalSql(expression), type: types.literalType(expression), bare: [], aggregated: false };
    case 'call':
      return expression.name === 'MOD' && expression.arguments.length === 2
        ? compileBinary({ operator: '%' }, operand(expression.arguments[0]!), operand(expression.arguments[1]!))
        : compileCall(expression, context, compileExpression);
    case 'collate':
      return compileCollate(expression.collation, scalar(compile(expression.operand)));
    case 'unary': {
      const inner = compile(expression.operand);
      switch (expression.operator) {
        case 'NOT':
          return combine(`(NOT ${truth(inner)})`, types.integer, [inner]);
        case 'BINARY':
          return combine(asText(inner), { ...types.text, collation: 'bytes' }, [inner]);
        case '~':
          throw new MysqlError('The operator ~ is not available in this environment');
        case '+':
          return inner;
        case '-':
          return negated(inner);
      }
      break;
    }
    case 'binary':
      if (expression.right.kind === 'interval' && (expression.operator === '+' || expression.operator === '-')) {
        const { amount, unit } = expression.right;
        return addInterval(compile(expression.left), compile(amount), unit, expression.operator === '-' ? '-' : '');
      }
      if (
        expression.operator in comparisonOperators &&
        (expression.left.kind === 'row' || expression.right.kind === 'row')
      )
        return compileRows(expression.operator, expression.left, expression.right, context);
      return compileBinary(expression, operand(expression.left), operand(expression.right));
    case 'between': {
      const [value, low, high] = [operand(expression.operand), operand(expression.low), operand(expression.high)];
      const [aboveLeft, aboveRight] = comparable('BETWEEN', value, low);
      const [belowLeft, belowRight] = comparable('BETWEEN', value, high);
      const sql = `(${aboveLeft} >= ${aboveRight} AND ${belowLeft} <= ${belowRight})`;
      return combine(expression.negated ? `(NOT ${sql})` : sql, types.integer, [
        value.compiled,
        low.compiled,
        high.compiled,
      ]);
    }
    case 'in':
      return compileIn(expression, context);
    case 'like':
      return compileLike(expression, scalar(compile(expression.operand)), scalar(compile(expression.pattern)));
    case 'is': {
      const inner = compile(expression.operand);
      const sql = expression.what === 'NULL' ? inner.sql : truth(inner);
      return combine(`(${sql} IS ${expression.negated ? 'NOT ' : ''}${expression.what})`, types.integer, [inner]);
    }
    case 'exists': {
      const query = context.compileSubquery(expression.query, context.scope);
      return ofQuery(`EXISTS (${query.sql})`, types.integer, query);
    }
    case 'subquery': {
      const query = context.compileSubquery(expression.query, context.scope);
      const type = query.columns[0]!.type;
      if (query.columns.length > 1)
        return ofQuery(`(${query.sql})`, { ...type, kind: 'null' }, query, query.columns.length);
      const sql = query.singleRow ? `(${query.sql})` : `(${named(query.sql)} SELECT mysql_single(value) FROM operand)`;
      return ofQuery(sql, type, query);
    }
    case 'quantified':
      return compileQuantified(expression, itemsOf(expression.operand, besideQuery(context))[0]!, context);
    case 'case': {
      const value = expression.operand && operand(expression.operand);
      const branches = expression.branches.map(({ when, result }) => ({
        when: operand(when),
        result: scalar(compile(result)),
      }));
      const otherwise = expression.otherwise && scalar(compile(expression.otherwise));
      const results = [...branches.map(({ result }) => result), ...(otherwise ? [otherwise] : [])];
      const type = types.commonType(results.map((each) => each.type));
      const parts = branches.map(({ when, result }) => {
        const test = value ? comparable('IN', value, when).join(' = ') : truth(when.compiled);
        return `WHEN ${test} THEN ${coerced(result, type)}`;
      });
      const sql = `CASE ${parts.join(' ')}${otherwise ? ` ELSE ${coerced(otherwise, type)}` : ''} END`;
      const used = [...(value ? [value.compiled] : []), ...branches.map(({ when }) => when.compiled), ...results];
      return combine(sql, type, used);
    }
    case 'cast':
      return compileCast(expression, scalar(compile(expression.operand)));
    case 'row':
      throw new MysqlError(`Operand should contain 1 column(s)`);
    case 'interval':
      throw new MysqlError('An INTERVAL has no value of its own; add it to a date or use DATE_ADD');
  }
}

/** @throws MysqlError when a query of several columns stands where one value is needed */
function scalar(compiled: Compiled & { width?: number }): Compiled {
  if ((compiled.width ?? 1) > 1) throw new MysqlError('Operand should contain 1 column(s)');
  return compiled;
}

function literalSql(literal: Extract<Expression, { kind: 'literal' }>): string {
  switch (literal.type) {
    case 'string':
      return quoteText(literal.value);
    case 'boolean':
      return literal.value === 'TRUE' ? '1' : '0';
    case 'decimal':
      return decimalSql(literal.value);
    default:
      return literal.value;
  }
}

/** The clause decides which of tables, select items and outer queries a name is looked up in first. */
function compileColumn(reference: ColumnExpression, context: Context): Compiled {
  const { scope, clause, items } = context;
  const name = reference.name.toLowerCase();
  const item = reference.table === null ? items.get(name) : undefined;
  if (clause === 'order clause' && item !== undefined && context.aggregates !== 'inside')
    return itemOf(item, reference, clause);
  if (clause === 'having clause' && context.aggregates !== 'inside') {
    if (item !== undefined) return itemOf(item, reference, clause);
    const own = scope.own(reference, clause);
    const compiled = own && columnOf(own);
    const selected = [...items.values()].some((each) => each?.compiled.sql === compiled?.sql);
    if (compiled && (selected || context.groups.has(compiled.sql))) return compiled;
    const outer = scope.parent?.find(reference, clause);
    if (outer) return columnOf(outer);
    throw unknownColumn(reference, context.place ?? clause);
  }
  // In GROUP BY a select item decides between columns of the same name.
  const isDecided = clause === 'group statement' && item && scope.candidates(reference).length > 1;
  const own = isDecided ? null : scope.own(reference, clause);
  if (own) return columnOf(own);
  if (item?.compiled.aggregated && context.aggregates === 'inside')
    throw new MysqlError('Invalid use of group function');
  if (item !== undefined) return itemOf(item, reference, clause);
  const outer = scope.parent?.find(reference, clause);
  if (outer) return columnOf(outer);
  throw unknownColumn(reference, context.place ?? clause);
}

function itemOf(item: { compiled: Compiled } | null, reference: ColumnExpression, clause: string): Compiled {
  if (!item) throw new MysqlError(`Column '${reference.name}' in ${clause} is ambiguous`);
  return item.compiled;
}

const comparisonOperators: { [operator: string]: string } = {
  '=': '=',
  '<=>': 'IS',
  '>=': '>=',
  '>': '>',
  '<=': '<=',
  '<': '<',
  '<>': '<>',
  '!=': '<>',
};

function compileBinary({ operator }: { operator: string }, left: Operand, right: Operand): Compiled {
  const [a, b] = [left.compiled, right.compiled];
  const comparison = comparisonOperators[operator];
  if (comparison !== undefined) {
    const [first, second] = comparable(operator, left, right);
    return combine(`(${first} ${comparison} ${second})`, types.integer, [a, b]);
  }
  if (operator === 'AND' || operator === 'OR') {
    return combine(`(${truth(a)} ${operator} ${truth(b)})`, types.integer, [a, b]);
  }
  if (operator === 'XOR') {
    return combine(`((${numericTruth(a)} <> 0) <> (${numericTruth(b)} <> 0))`, types.integer, [a, b]);
  }
  return combine(arithmeticSql(operator, left, right), types.arithmeticType(operator, a.type, b.type), [a, b]);
}

const numericTruth = (compiled: Compiled) => (compiled.type.kind === 'decimal' ? truth(compiled) : asNumber(compiled));

const exactOperations: { [operator: string]: string } = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '%': 'remainder',
};

/** MySQL's `/` never drops digits; DIV does. Division by zero gives NULL in both dialects. */
function arithmeticSql(operator: string, left: Operand, right: Operand): string {
  const [a, b] = [left.compiled, right.compiled];
  const type = types.arithmeticType(operator, a.type, b.type);
  const exact = () => `${asDecimal(a)}, ${asDecimal(b)}`;
  const isDecimal = types.isExact(a.type, b.type);
  switch (operator) {
    case '/':
      return type.kind === 'decimal'
        ? `mysql_divide(${exact()}, ${type.carried})`
        : `(CAST(${numeric(left)} AS REAL) / ${numeric(right)})`;
    case 'DIV':
      return a.type.kind === 'integer' && b.type.kind === 'integer'
        ? `(${a.sql} / ${b.sql})`
        : `mysql_integer_quotient(${exact()})`;
    case '%':
      if (a.type.kind === 'integer' && b.type.kind === 'integer') return `(${a.sql} % ${b.sql})`;
      return isDecimal ? `mysql_remainder(${exact()})` : `mysql_mod(${numeric(left)}, ${numeric(right)})`;
    case '^':
      return `((${numeric(left)} | ${numeric(right)}) - (${numeric(left)} & ${numeric(right)}))`;
    case '*':
      if (isDecimal) return `mysql_multiply(${exact()}, ${type.carried})`;
      break;
    default:
      if (isDecimal && exactOperations[operator]) return `mysql_${exactOperations[operator]}(${exact()})`;
  }
  const sql = `(${numeric(left)} ${operator} ${numeric(right)})`;
  // SQLite makes a double of an integer that does not fit.
  if (type.kind !== 'integer' || !['+', '-', '*'].includes(operator)) return sql;
  if (type.unsigned) return `mysql_fitting_unsigned${sql}`;
  return types.precisionOf(type) > 18 ? `mysql_fitting${sql}` : sql;
}

function negated(operand: Compiled): Compiled {
  const { sql, type } = operand;
  if (type.kind === 'decimal') return combine(`mysql_negated(${sql})`, type, [operand]);
  return combine(
    `(- ${asNumber(operand)})`,
    types.isNumeric(type) ? type : type.kind === 'text' ? types.double : types.bigInteger,
    [operand],
  );
}

/** Collations that exist for the connection's characters, and how they compare; others are refused. */
const collations: { [name: string]: types.SqlType['collation'] | null } = {
  utf8mb4_bin: 'bin',
  utf8mb4_general_ci: null,
  utf8mb4_unicode_ci: null,
};

function compileCollate(name: string, operand: Compiled): Compiled {
  const collation = collations[name.toLowerCase()];
  if (collation === undefined) {
    throw new MysqlError(
      /^utf8mb4_\w+$/i.test(name)
        ? `The collation ${name} is not available in this environment`
        : /^(utf8(mb3)?|latin1|ascii|ucs2|utf16|utf32|cp125\d)_\w+$|^binary$/i.test(name)
          ? `COLLATION '${name}' is not valid for CHARACTER SET 'utf8mb4'`
          : `Unknown collation: '${name}'`,
    );
  }
  const type = { ...types.text, padded: operand.type.kind !== 'text' ? false : (operand.type.padded ?? false) };
  // The expression differs from its operand, also for GROUP BY, which tells expressions apart by their SQL.
  return combine(`(${asText(operand)})`, collation ? { ...type, collation } : type, [operand]);
}

function compileLike(expression: Extract<Expression, { kind: 'like' }>, value: Compiled, pattern: Compiled): Compiled {
  const not = expression.negated ? 'NOT ' : '';
  const isBinary = isCased(value, pattern);
  const escapeCharacter = expression.escape ?? '\\';
  const sql = () => {
    if (expression.regular) return `(${not}mysql_regexp(${asText(value)}, ${asText(pattern)}, ${isBinary ? 1 : 0}))`;
    if (isBinary) return `(${not}mysql_like(${asText(value)}, ${asText(pattern)}, ${quoteText(escapeCharacter)}))`;
    const escaping = escapeCharacter === '' ? '' : ` ESCAPE ${quoteText(escapeCharacter)}`;
    const hasAccents = types.collationOf([value.type, pattern.type]).letters === 'all';
    const [text, form] = [value, pattern].map((each) => (hasAccents ? `mysql_letters(${asText(each)})` : asText(each)));
    return `(${text} ${not}LIKE ${form}${escaping})`;
  };
  return combine(sql(), types.integer, [value, pattern]);
}

function compileIn(expression: Extract<Expression, { kind: 'in' }>, context: Context): Compiled {
  const not = expression.negated ? 'NOT ' : '';
  const left = itemsOf(expression.operand, Array.isArray(expression.list) ? context : besideQuery(context));
  const leftParts = left.map(({ compiled }) => compiled);
  if (!Array.isArray(expression.list)) {
    const query = compileMembers(expression.list, context);
    const sql = comparedRows(left, `${not}IN`, query);
    return combine(sql, types.integer, [...leftParts, ofQuery('', types.nullType, query)]);
  }
  const rows = expression.list.map((each) => itemsOf(each, context));
  for (const row of rows) sameWidth(left, row);
  const parts = [...leftParts, ...rows.flat().map(({ compiled }) => compiled)];
  const pairs = rows.map((row) => comparable(rows.length > 1 ? 'IN' : '=', left[0]!, row[0]!));
  const isPlain = left.length === 1 && new Set(pairs.map(([first]) => first)).size === 1;
  const sql = isPlain
    ? `(${pairs[0]![0]} ${not}IN (${pairs.map(([, second]) => second).join(', ')}))`
    : `(${not}(${rows.map((row) => rowComparison('=', left, row)).join(' OR ')}))`;
  return combine(sql, types.integer, parts);
}

/** What stands next to a query has a place of its own for MySQL. */
const besideQuery = (context: Context): Context => ({ ...context, place: 'IN/ALL/ANY subquery' });

/** The operands of a row; a value is a row of one. */
function itemsOf(expression: Expression, context: Context): Operand[] {
  const items = expression.kind === 'row' ? expression.items : [expression];
  return items.map((item) => ({ compiled: scalar(compileExpression(item, context)), expression: item }));
}

function sameWidth(left: unknown[], right: unknown[]): void {
  if (left.length !== right.length) throw new MysqlError(`Operand should contain ${left.length} column(s)`);
}

/** Rows are equal if all items are; of different ones the first item that differs decides. */
function rowComparison(operator: string, left: Operand[], right: Operand[]): string {
  const compare = (sign: string, index: number) => {
    const [first, second] = comparable(sign, left[index]!, right[index]!);
    return `${first} ${comparisonOperators[sign]} ${second}`;
  };
  const all = (sign: string) => `(${left.map((_, index) => compare(sign, index)).join(' AND ')})`;
  if (operator === '=' || operator === '<=>') return all(operator);
  if (operator === '<>' || operator === '!=') return `(NOT ${all('=')})`;
  const from = (index: number): string => {
    if (index === left.length - 1) return compare(operator, index);
    return `(${compare(operator.slice(0, 1), index)} OR (${compare('=', index)} AND ${from(index + 1)}))`;
  };
  return from(0);
}

/** A row next to the rows of a query, of which each column gets the type in which it compares. */
function comparedRows(left: Operand[], operator: string, query: CompiledQuery): string {
  sameWidth(left, query.columns);
  const names = query.columns.map((_, index) => `c${index + 1}`);
  const pairs = left.map((each, index) => comparable('=', each, memberOf(names[index]!, query.columns[index]!.type)));
  const isPlain = pairs.every(([, second], index) => second === names[index]);
  const members = isPlain
    ? query.sql
    : `WITH operand(${names.join(', ')}) AS (${query.sql}) SELECT ${pairs.map(([, second]) => second).join(', ')} FROM operand`;
  const row = pairs.map(([first]) => first).join(', ');
  return `(${left.length > 1 ? `(${row})` : row} ${operator} (${members}))`;
}

/** A column of a query that is compared. */
function memberOf(name: string, type: types.SqlType): Operand {
  return {
    compiled: { sql: name, type, bare: [], aggregated: false },
    expression: { kind: 'column', database: null, table: null, name, text: name },
  };
}

/** Comparison of rows, which may be written or come from a query. */
function compileRows(operator: string, left: Expression, right: Expression, context: Context): Compiled {
  const [row, query] = left.kind === 'row' ? [left, right] : [right, left];
  if (query.kind !== 'subquery') {
    const [first, second] = [itemsOf(left, context), itemsOf(right, context)];
    sameWidth(first, second);
    return combine(
      rowComparison(operator, first, second),
      types.integer,
      [...first, ...second].map(({ compiled }) => compiled),
    );
  }
  const compiled = context.compileSubquery(query.query, context.scope);
  const items = itemsOf(row, context);
  sameWidth(items, compiled.columns);
  if (!compiled.singleRow || !['=', '<=>', '<>', '!='].includes(operator)) {
    throw new MysqlError('A row next to a query of several rows is available in this environment with IN only');
  }
  const sql = comparedRows(items, comparisonOperators[operator]!, compiled);
  return combine(sql, types.integer, [...items.map((each) => each.compiled), ofQuery('', types.nullType, compiled)]);
}

/** A query on the right of IN, ANY or ALL. */
function compileMembers(query: Query, context: Context): CompiledQuery {
  if (query.limit) {
    throw new MysqlError(`This version of MySQL doesn't yet support 'LIMIT & IN/ALL/ANY/SOME subquery'`);
  }
  return context.compileSubquery(query, context.scope);
}

/** `= ANY` is IN and `<> ALL` is NOT IN. The others ask whether a row exists for which the comparison holds, or fails. */
function compileQuantified(
  expression: Extract<Expression, { kind: 'quantified' }>,
  left: Operand,
  context: Context,
): Compiled {
  const query = compileMembers(expression.query, context);
  const column = query.columns[0]!;
  if (query.columns.length > 1) throw new MysqlError('Operand should contain 1 column(s)');
  const [first, second] = comparable(expression.operator, left, memberOf('value', column.type));
  const comparison = `${first} ${comparisonOperators[expression.operator]} ${second}`;
  const sql = expression.every
    ? `(NOT EXISTS (${named(query.sql)} SELECT 1 FROM operand WHERE (${comparison}) IS NOT TRUE))`
    : `(EXISTS (${named(query.sql)} SELECT 1 FROM operand WHERE ${comparison}))`;
  return combine(sql, types.integer, [left.compiled, ofQuery('', types.nullType, query)]);
}

/** Gives the only column of a query the name `value`. */
const named = (sql: string) => `WITH operand(value) AS (${sql})`;

/** An expression made of a query: it uses whatever that query uses of the queries around it. */
function ofQuery(sql: string, type: types.SqlType, query: CompiledQuery, width = 1): Compiled & { width: number } {
  return { ...combine(sql, type, [{ sql: query.sql, type, bare: query.outer, aggregated: false }]), width };
}

function compileCast(expression: Extract<Expression, { kind: 'cast' }>, operand: Compiled): Compiled {
  const [first, second] = expression.size.map(Number);
  const of = (sql: string, type: types.SqlType) => combine(sql, type, [operand]);
  const moment = types.isNumeric(operand.type) ? asText(operand) : operand.sql;
  const clock = operand.type.kind === 'date' ? `(${moment} || ' 00:00:00')` : moment;
  switch (expression.type) {
    case 'SIGNED':
    case 'UNSIGNED':
      return of(integerSql(operand, expression.type === 'UNSIGNED'), {
        ...types.bigInteger,
        ...(expression.type === 'UNSIGNED' && { unsigned: true }),
      });
    case 'DECIMAL':
    case 'DEC': {
      const [precision, scale] = [first ?? 10, second ?? 0];
      return of(`mysql_decimal_fit(${asDecimal(operand)}, ${precision}, ${scale})`, types.decimal(scale, precision));
    }
    case 'DOUBLE':
    case 'REAL':
      return of(asDouble(operand), types.double);
    case 'FLOAT':
      return of(`mysql_single_precision(${asDouble(operand)})`, { kind: 'float', scale: null });
    case 'DATE':
      return of(`mysql_date(${moment})`, types.date);
    case 'DATETIME':
      return of(`mysql_timestamp(${moment})`, types.datetime);
    case 'TIME':
      return of(`mysql_time(${clock})`, types.time);
    case 'YEAR':
      if (types.isTemporal(operand.type)) return of(`mysql_year(${moment})`, types.integer);
      break;
    case 'CHAR':
    case 'NCHAR':
    case 'BINARY': {
      const text = asText(operand);
      const padded = first === undefined && operand.type.kind === 'text' ? (operand.type.padded ?? false) : true;
      const sql = first === undefined ? `CAST(${text} AS TEXT)` : `SUBSTR(${text}, 1, ${first})`;
      return of(sql, { ...types.text, padded, ...(expression.type === 'BINARY' && { collation: 'bytes' }) });
    }
  }
  throw new MysqlError(`CAST AS ${expression.type} is not available in this environment`);
}

function integerSql({ sql, type }: Compiled, isUnsigned: boolean): string {
  const sign = isUnsigned ? 1 : 0;
  switch (type.kind) {
    case 'integer':
      return isUnsigned ? `mysql_unsigned(${sql})` : `CAST(${sql} AS INTEGER)`;
    case 'decimal':
      return `mysql_decimal_integer(${sql}, ${sign})`;
    case 'text':
      return `mysql_text_integer(${sql}, ${sign})`;
    case 'double':
    case 'float':
      return `mysql_double_integer(${sql}, ${sign})`;
    default:
      return asNumber({ sql, type });
  }
}
