/** Calls of functions: aggregates, window functions, and the scalar ones of functions.ts. */
import { type Compiled, type Context, combine } from './compiled.ts';
import { asDouble, asNumber, asText, coerced, compared, grouped, quoteText, shown } from './convert.ts';
import { findFunction, isNotOffered, windowFunctions } from './functions.ts';
import { MysqlError } from './reader.ts';
import type { CallExpression, Expression, Order } from './syntax.ts';
import { hasDate, hasTime, isUnitOfDays } from './temporal-values.ts';
import {
  averageType,
  bigInteger,
  commonType,
  date,
  datetime,
  decimal,
  double,
  isApproximate,
  type SqlType,
  sumType,
  text,
  time,
} from './types.ts';

type Compile = (expression: Expression, context: Context) => Compiled;

const spreads: { [name: string]: string } = {
  STD: 'stddev_pop',
  STDDEV: 'stddev_pop',
  STDDEV_POP: 'stddev_pop',
  STDDEV_SAMP: 'stddev_samp',
  VARIANCE: 'var_pop',
  VAR_POP: 'var_pop',
  VAR_SAMP: 'var_samp',
};

const aggregateNames = new Set(['COUNT', 'SUM', 'AVG', 'MIN', 'MAX', 'GROUP_CONCAT', ...Object.keys(spreads)]);
const intervalCalls: { [name: string]: '' | '-' } = {
  DATE_ADD: '',
  ADDDATE: '',
  DATE_SUB: '-',
  SUBDATE: '-',
  TIMESTAMPADD: '',
};

/** @throws MysqlError for an unknown function, a wrong number of arguments, or an aggregate where none may stand */
export function compileCall(call: CallExpression, context: Context, compile: Compile): Compiled {
  if (aggregateNames.has(call.name)) return compileAggregate(call, context, compile);
  if (call.name in windowFunctions && call.over) return compileWindow(call, context, compile);
  if (call.name in intervalCalls) return compileInterval(call, context, compile);
  if (call.name === 'DATABASE' || call.name === 'SCHEMA') {
    return { sql: quoteText(context.schema.database.toLowerCase()), type: text, bare: [], aggregated: false };
  }
  const definition = findFunction(call.name);
  if (!definition || call.over) throw unknownFunction(call, context);
  if (call.arguments.length < definition.least || call.arguments.length > definition.most) {
    throw new MysqlError(`Incorrect parameter count in the call to native function '${call.name}'`);
  }
  const list = call.arguments.map((each) => compile(each, context));
  // This function exists to return any of a group's values.
  if (call.name === 'ANY_VALUE') return { ...list[0]!, bare: [] };
  if (definition.caseless && list.some(({ type }) => type.collation)) {
    throw new MysqlError(`${call.name} of text that compares by its characters is not available in this environment`);
  }
  return combine(definition.sql(...list), resultType(call, definition.type(list.map(({ type }) => type))), list);
}

/** The type of a call, for functions whose arguments decide about it by what they say. */
function resultType({ name, arguments: [, second] }: CallExpression, type: SqlType): SqlType {
  const written = second?.kind === 'literal' ? second.value : null;
  if ((name === 'ROUND' || name === 'TRUNCATE') && (type.kind === 'decimal' || type.kind === 'double')) {
    if (second && !isWrittenNumber(second)) return type;
    const digits = second?.kind === 'literal' ? Math.min(Number(second.value), 30) : 0;
    if (type.kind === 'double') return { ...type, scale: digits };
    return decimal(digits, (type.precision ?? 10) - (type.scale ?? 0) + digits + 1);
  }
  if (name === 'STR_TO_DATE' && written !== null) {
    return !hasTime(written) ? date : hasDate(written) ? datetime : time;
  }
  return type;
}

const isWrittenNumber = (expression: Expression): boolean =>
  expression.kind === 'literal' || (expression.kind === 'unary' && expression.operand.kind === 'literal');

function compileWindow(call: CallExpression, context: Context, compile: Compile): Compiled {
  const list = call.arguments.map((each) => compile(each, context));
  const over = windowSql(call, context, compile);
  const given = windowFunctions[call.name]!(list.map(({ type }) => type));
  const [value, offset, otherwise] = list;
  const type = otherwise ? commonType([given, otherwise.type]) : given;
  const values = [value && coerced(value, type), offset?.sql, otherwise && coerced(otherwise, type)];
  const isOffset = call.name === 'LAG' || call.name === 'LEAD';
  const argumentSql = isOffset ? values.filter((sql) => sql !== undefined) : list.map(({ sql }) => sql);
  return combine(`${call.name}(${argumentSql.join(', ')}) ${over.sql}`, type, [...list, ...over.parts]);
}

function unknownFunction(call: CallExpression, { schema }: Context): MysqlError {
  const name = call.text.slice(0, call.text.indexOf('(')).trim();
  if (isNotOffered(call.name)) return new MysqlError(`The function ${name} is not available in this environment`);
  return new MysqlError(`FUNCTION ${schema.database.toLowerCase()}.${name} does not exist`);
}

function compileAggregate(call: CallExpression, context: Context, compile: Compile): Compiled {
  if (!call.over && context.aggregates !== 'allowed') throw new MysqlError('Invalid use of group function');
  const inner: Context = call.over ? context : { ...context, aggregates: 'inside' };
  const list = call.arguments.map((each) => compile(each, inner));
  // Without tables of its own it would aggregate over the query around it, which is not allowed at its place.
  const isOuter = !context.scope.relations.length && list.some(({ bare }) => bare.length > 0);
  if (isOuter) throw new MysqlError('Invalid use of group function');
  const over = call.over && windowSql(call, context, compile);
  const [sql, type] = aggregateSql(call, list, over ? ` ${over.sql}` : '', inner, compile);
  if (over) return combine(sql, type, [...list, ...over.parts]);
  // Names of outer queries stay bare: the aggregate does not cover them.
  const outer = list.flatMap(({ bare }) => bare).filter(({ resolved }) => resolved.scope !== context.scope);
  return { sql, type, bare: outer, aggregated: true };
}

/** @param over the window, as it follows each of the aggregates that the value is made of; empty without one */
function aggregateSql(
  call: CallExpression,
  list: Compiled[],
  over: string,
  context: Context,
  compile: Compile,
): [sql: string, type: SqlType] {
  const distinct = call.distinct ? 'DISTINCT ' : '';
  const operand = list[0];
  const count = { ...bigInteger, precision: 18 };
  if (call.name === 'COUNT') {
    if (call.star) return [`COUNT(*)${over}`, count];
    if (list.length > 1)
      return [`COUNT(${distinct}mysql_tuple(${list.map(({ sql }) => sql).join(', ')}))${over}`, count];
  }
  if (!operand || (list.length > 1 && call.name !== 'GROUP_CONCAT')) {
    throw new MysqlError(`Incorrect parameter count in the call to native function '${call.name}'`);
  }
  switch (call.name) {
    case 'COUNT':
      return [`COUNT(${distinct}${grouped(operand)})${over}`, count];
    case 'SUM':
      return [sumSql(operand, distinct, over), sumType(operand.type)];
    case 'AVG': {
      const type = averageType(operand.type);
      const [sum, rows] = [sumSql(operand, distinct, over), `COUNT(${distinct}${operand.sql})${over}`];
      return [
        isApproximate(operand.type) ? `(${sum} / ${rows})` : `mysql_average(${sum}, ${rows}, ${type.carried})`,
        type,
      ];
    }
    case 'MIN':
    case 'MAX': {
      const { kind, letters, collation } = operand.type;
      const isOwn = kind === 'text' && !collation && letters !== undefined && letters !== 'plain';
      if (isOwn && over)
        throw new MysqlError(`${call.name} of such texts over a window is not available in this environment`);
      const name = isOwn ? `mysql_${call.name.toLowerCase()}_text` : call.name;
      return [`${name}(${isOwn ? operand.sql : shown(operand)})${over}`, operand.type];
    }
    case 'GROUP_CONCAT': {
      const value = list.length > 1 ? `(${list.map(asText).join(' || ')})` : asText(operand);
      const order = call.orderBy.length ? ` ORDER BY ${orderSql(call.orderBy, context, compile).sql}` : '';
      const values = `json_group_array(${value}${order}) FILTER (WHERE ${value} IS NOT NULL)${over}`;
      const form = call.distinct ? (list.some(({ type }) => type.collation) ? 'bytes' : 'letters') : '';
      return [`mysql_join(NULLIF(${values}, '[]'), ${quoteText(call.separator ?? ',')}, '${form}')`, text];
    }
    default:
      return [`mysql_${spreads[call.name]}(${asDouble(operand)})${over}`, double];
  }
}

/** Sums of integers are SQLite's own; exact numbers and doubles have functions of ours. */
function sumSql(operand: Compiled, distinct: string, over: string): string {
  if (operand.type.kind === 'decimal') return `mysql_sum(${distinct}${operand.sql})${over}`;
  if (isApproximate(operand.type)) return `mysql_plain_sum(${distinct}${asNumber(operand)})${over}`;
  return `mysql_decimal(SUM(${distinct}${asNumber(operand)})${over})`;
}

function orderSql(orders: Order[], context: Context, compile: Compile): { sql: string; parts: Compiled[] } {
  const parts = orders.map(({ expression }) => compile(expression, context));
  return {
    sql: parts.map((part, index) => compared(part) + (orders[index]!.descending ? ' DESC' : '')).join(', '),
    parts,
  };
}

function windowSql(call: CallExpression, context: Context, compile: Compile): { sql: string; parts: Compiled[] } {
  const { partitionBy, orderBy, frame } = call.over!;
  const partitions = partitionBy.map((each) => compile(each, context));
  const order = orderSql(orderBy, context, compile);
  const clauses = [
    partitions.length ? `PARTITION BY ${partitions.map(grouped).join(', ')}` : '',
    orderBy.length ? `ORDER BY ${order.sql}` : '',
    frame,
  ];
  return {
    sql: `OVER (${clauses.filter((clause) => clause !== '').join(' ')})`,
    parts: [...partitions, ...order.parts],
  };
}

/** DATE_ADD(date, INTERVAL amount unit) and its kin; a plain number of days may stand for the interval. */
function compileInterval(call: CallExpression, context: Context, compile: Compile): Compiled {
  const [first, second, third] = call.arguments;
  if (!first || !second)
    throw new MysqlError(`Incorrect parameter count in the call to native function '${call.name}'`);
  const sign = intervalCalls[call.name]!;
  if (call.name === 'TIMESTAMPADD') {
    if (!third || first.kind !== 'literal')
      throw new MysqlError(`Incorrect parameter count in the call to native function '${call.name}'`);
    return addInterval(compile(third, context), compile(second, context), first.value, sign);
  }
  const amount = second.kind === 'interval' ? second.amount : second;
  return addInterval(
    compile(first, context),
    compile(amount, context),
    second.kind === 'interval' ? second.unit : 'DAY',
    sign,
  );
}

export function addInterval(moment: Compiled, amount: Compiled, unit: string, sign: '' | '-'): Compiled {
  const isDate = moment.type.kind === 'date';
  const type = isDate || moment.type.kind === 'datetime' ? (isDate && isUnitOfDays(unit) ? date : datetime) : text;
  if (moment.type.kind === 'time')
    throw new MysqlError('Intervals on a time of day are not available in this environment');
  if (unit.endsWith('MICROSECOND')) throw new MysqlError('Parts of a second are not available in this environment');
  const value = moment.type.kind === 'integer' || moment.type.kind === 'decimal' ? asText(moment) : moment.sql;
  // A number is read by its digits, so that 1.5 HOUR_MINUTE is an hour and five minutes; for one part it is rounded, but for seconds.
  const isWritten = unit.includes('_') || unit === 'SECOND';
  const count =
    amount.type.kind !== 'decimal'
      ? amount.sql
      : isWritten
        ? asText(amount)
        : `mysql_decimal_integer(${amount.sql}, 0)`;
  return combine(`mysql_add_interval(${value}, ${count}, ${quoteText(unit)}, ${sign}1)`, type, [moment, amount]);
}
