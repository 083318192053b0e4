/** UNION, INTERSECT and EXCEPT of two queries that are compiled already. */
import type { CompiledQuery } from './compiled.ts';
import { type Argument, coerced, compared, hidesEquals, quoteName, settled, shown } from './convert.ts';
import { distinctRows, rowKey } from './distinct.ts';
import { limitSql, placeOf } from './order.ts';
import { MysqlError } from './reader.ts';
import type { RelationColumn } from './scope.ts';
import type { Order, Query, SetOperation } from './syntax.ts';
import type { SqlType } from './types.ts';

/**
 * The rows of both arms together, in the types that they have in common.
 * @param name that no other part of the statement has
 */
export function setArms(
  query: SetOperation,
  left: CompiledQuery,
  right: CompiledQuery,
  columns: RelationColumn[],
  name: string,
): string {
  const arms = [arm(query.left, left, columns), arm(query.right, right, columns)] as const;
  const operator = `${query.operator}${query.all ? ' ALL' : ''}`;
  const isPlain = query.operator !== 'UNION' && !columns.some(({ type }) => hidesEquals(type));
  if (query.all || isPlain) return arms.join(` ${operator} `);
  const members = columns.map(({ type }, index) => ({ sql: `c${index + 1}`, type }));
  const rows = (sql: string) => `(${operand(columns, sql)} SELECT * FROM operand)`;
  const list = distinctRows(members, name).map((sql, index) => `${sql} AS ${quoteName(columns[index]!.name)}`);
  const select = `SELECT DISTINCT ${list.join(', ')} FROM`;
  // SQLite's own UNION would sort the rows; MySQL leaves them as they come.
  if (query.operator === 'UNION') return `${select} ${rows(arms.join(' UNION ALL '))}`;
  const key = rowKey(members);
  const others = `SELECT ${key} FROM ${rows(arms[1])}`;
  return `${select} ${rows(arms[0])} WHERE ${key} ${query.operator === 'INTERSECT' ? '' : 'NOT '}IN (${others})`;
}

/** Gives the columns of a query the names `c1`, `c2`, … */
const operand = (columns: unknown[], sql: string) =>
  `WITH operand(${columns.map((_, index) => `c${index + 1}`).join(', ')}) AS (${sql})`;

/** SQLite wants the arms of a recursive common table as they are. */
export function recursiveArms({ operator, all }: SetOperation, left: CompiledQuery, right: CompiledQuery): string {
  const kept = left.columns.every(({ type }, index) => {
    const other = right.columns[index]!.type;
    return type.kind === other.kind || [type.kind, other.kind].includes('null');
  });
  if (!kept) {
    throw new MysqlError(
      'A recursive common table whose columns change their type is not available in this environment',
    );
  }
  return `${left.sql} ${operator}${all ? ' ALL' : ''} ${right.sql}`;
}

/** An arm with columns of these types, fit to stand next to another one. */
function arm(query: Query, compiled: CompiledQuery, columns: RelationColumn[]): string {
  const list = compiled.columns.map(({ type: own }, index) => {
    const { name, type } = columns[index]!;
    return `${shown({ sql: member({ sql: `c${index + 1}`, type: own }, type), type })} AS ${quoteName(name)}`;
  });
  const isKept = list.every((item, index) => item === `c${index + 1} AS ${quoteName(columns[index]!.name)}`);
  const isPlain = query.kind === 'select' && !query.orderBy.length && !query.limit && !query.with.length;
  if (isKept && isPlain) return compiled.sql;
  return `SELECT ${list.join(', ')} FROM (${operand(columns, compiled.sql)} SELECT * FROM operand)`;
}

function member(argument: Argument, type: SqlType): string {
  const { kind, carried, scale, uneven } = argument.type;
  // MySQL writes them with digits that they do not show elsewhere, and cuts them where the column ends.
  const hasOtherDigits = kind === 'float' || (kind === 'decimal' && ((carried ?? 0) > (scale ?? 0) || uneven));
  if (type.kind === 'text' && hasOtherDigits) {
    throw new MysqlError(
      'A quotient, CASE of decimals or FLOAT in one column with a text is not available in this environment',
    );
  }
  const own = type.kind === 'decimal' ? { ...type, carried: carried ?? 0 } : type;
  return settled({ sql: coerced(argument, type), type: own });
}

/** A set operation with its ORDER BY and LIMIT. SQLite orders it by its columns as they are; for another order it becomes a table. */
export function setTail(query: SetOperation, columns: RelationColumn[], sql: string): string {
  const orders = query.orderBy.map((order) => ({ place: setPlace(order, columns), descending: order.descending }));
  const isPlain = orders.every(({ place }) => {
    const { type } = columns[place - 1]!;
    return compared({ sql: 'c', type }) === shown({ sql: 'c', type });
  });
  const order = orders.map(({ place, descending }) => {
    const { type } = columns[place - 1]!;
    return (
      (isPlain ? shown({ sql: String(place), type }) : compared({ sql: `c${place}`, type })) +
      (descending ? ' DESC' : '')
    );
  });
  const tail = [order.length ? `ORDER BY ${order.join(', ')}` : '', limitSql(query.limit)].filter(
    (clause) => clause !== '',
  );
  const names = columns.map((_, index) => `c${index + 1}`);
  const list = columns.map(({ name }, index) => `c${index + 1} AS ${quoteName(name)}`);
  const whole = isPlain
    ? sql
    : `SELECT ${list.join(', ')} FROM (WITH operand(${names.join(', ')}) AS (${sql}) SELECT * FROM operand)`;
  return [whole, ...tail].join(' ');
}

/** A set operation is ordered by its output columns, by name or place. */
function setPlace({ expression }: Order, columns: RelationColumn[]): number {
  const name = expression.kind === 'column' && expression.table === null ? expression.name.toLowerCase() : null;
  const place =
    placeOf(expression) ??
    columns.findIndex((column) => column.name.toLowerCase() === (name ?? expression.text.toLowerCase())) + 1;
  if (columns[place - 1]) return place;
  if (expression.kind === 'column' && expression.table !== null) {
    throw new MysqlError(`Table '${expression.table}' from one of the SELECTs cannot be used in global ORDER clause`);
  }
  throw new MysqlError(`Unknown column '${expression.text}' in 'order clause'`);
}
