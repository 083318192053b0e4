/** Writes a syntax tree as MySQL text again, fully parenthesised. */
import type { Expression, Limit, Order, Query, Select, SelectItem, TableReference, Window } from './syntax.ts';

export function printQuery(query: Query): string {
  const parts = [
    query.kind === 'select'
      ? printSelect(query)
      : `${operand(query.left)} ${query.operator}${query.all ? ' ALL' : ''} ${operand(query.right)}`,
  ];
  if (query.with.length) {
    const tables = query.with.map(
      ({ name, columns, query: inner }) => `${quoted(name)}${nameList(columns)} AS (${printQuery(inner)})`,
    );
    parts.unshift(`WITH ${query.recursive ? 'RECURSIVE ' : ''}${tables.join(', ')}`);
  }
  if (query.orderBy.length) parts.push(`ORDER BY ${orderList(query.orderBy)}`);
  if (query.limit) parts.push(printLimit(query.limit));
  return parts.join(' ');
}

/** An arm of a set operation; one with a tail of its own, or a set operation, needs parentheses. */
function operand(query: Query): string {
  const plain = query.kind === 'select' && !query.orderBy.length && !query.limit && !query.with.length;
  return plain ? printQuery(query) : `(${printQuery(query)})`;
}

function printSelect(select: Select): string {
  const parts = [`SELECT ${select.distinct ? 'DISTINCT ' : ''}${select.items.map(printItem).join(', ')}`];
  if (select.from) parts.push(`FROM ${printTable(select.from)}`);
  if (select.where) parts.push(`WHERE ${printExpression(select.where)}`);
  if (select.groupBy.length) parts.push(`GROUP BY ${list(select.groupBy)}`);
  if (select.having) parts.push(`HAVING ${printExpression(select.having)}`);
  return parts.join(' ');
}

function printItem(item: SelectItem): string {
  if (item.kind === 'star') return item.table === null ? '*' : `${quoted(item.table)}.*`;
  return printExpression(item.expression) + (item.alias === null ? '' : ` AS ${quoted(item.alias)}`);
}

function printTable(table: TableReference): string {
  switch (table.kind) {
    case 'table': {
      const name = (table.database === null ? '' : `${quoted(table.database)}.`) + quoted(table.name);
      return table.alias === null ? name : `${name} AS ${quoted(table.alias)}`;
    }
    case 'derived':
      return `(${printQuery(table.query)}) AS ${quoted(table.alias)}${nameList(table.columns)}`;
    case 'join': {
      const right = table.right.kind === 'join' ? `(${printTable(table.right)})` : printTable(table.right);
      const condition = table.on
        ? ` ON ${printExpression(table.on)}`
        : table.using.length
          ? ` USING ${nameList(table.using)}`
          : '';
      return `${printTable(table.left)} ${table.natural ? 'NATURAL ' : ''}${table.type} JOIN ${right}${condition}`;
    }
  }
}

export function printExpression(expression: Expression): string {
  const not = 'negated' in expression && expression.negated ? 'NOT ' : '';
  switch (expression.kind) {
    case 'column':
      return [expression.database, expression.table, expression.name]
        .filter((name) => name !== null)
        .map(quoted)
        .join('.');
    case 'literal':
      return expression.type === 'string' ? string(expression.value) : expression.value;
    case 'call':
      return printCall(expression);
    case 'unary':
      return `(${expression.operator} ${printExpression(expression.operand)})`;
    case 'binary':
      return `(${printExpression(expression.left)} ${expression.operator} ${printExpression(expression.right)})`;
    case 'between':
      return `(${printExpression(expression.operand)} ${not}BETWEEN ${printExpression(expression.low)} AND ${printExpression(expression.high)})`;
    case 'in': {
      const members = Array.isArray(expression.list) ? list(expression.list) : printQuery(expression.list);
      return `(${printExpression(expression.operand)} ${not}IN (${members}))`;
    }
    case 'like': {
      const word = expression.regular ? 'REGEXP' : 'LIKE';
      const tail = expression.escape === null ? '' : ` ESCAPE ${string(expression.escape)}`;
      return `(${printExpression(expression.operand)} ${not}${word} ${printExpression(expression.pattern)}${tail})`;
    }
    case 'is':
      return `(${printExpression(expression.operand)} IS ${not}${expression.what})`;
    case 'exists':
      return `EXISTS (${printQuery(expression.query)})`;
    case 'subquery':
      return `(${printQuery(expression.query)})`;
    case 'quantified':
      return `(${printExpression(expression.operand)} ${expression.operator} ${expression.every ? 'ALL' : 'ANY'} (${printQuery(expression.query)}))`;
    case 'case': {
      const branches = expression.branches.map(
        ({ when, result }) => `WHEN ${printExpression(when)} THEN ${printExpression(result)}`,
      );
      const value = expression.operand ? `${printExpression(expression.operand)} ` : '';
      const otherwise = expression.otherwise ? ` ELSE ${printExpression(expression.otherwise)}` : '';
      return `CASE ${value}${branches.join(' ')}${otherwise} END`;
    }
    case 'cast':
      return `CAST(${printExpression(expression.operand)} AS ${expression.type}${expression.size.length ? `(${expression.size.join(', ')})` : ''})`;
    case 'collate':
      return `(${printExpression(expression.operand)} COLLATE ${expression.collation})`;
    case 'interval':
      return `INTERVAL ${printExpression(expression.amount)} ${expression.unit}`;
    case 'row':
      return `(${list(expression.items)})`;
  }
}

function printCall(call: Extract<Expression, { kind: 'call' }>): string {
  const order = call.orderBy.length ? ` ORDER BY ${orderList(call.orderBy)}` : '';
  const separator = call.separator === null ? '' : ` SEPARATOR ${string(call.separator)}`;
  const [first, second] = call.arguments;
  if (call.name === 'EXTRACT' && first?.kind === 'literal' && second)
    return `EXTRACT(${first.value} FROM ${printExpression(second)})`;
  const isTrim = ['TRIM', 'LTRIM', 'RTRIM'].includes(call.name) && first && second;
  if (isTrim) {
    const side = { TRIM: 'BOTH', LTRIM: 'LEADING', RTRIM: 'TRAILING' }[call.name];
    return `TRIM(${side} ${printExpression(second)} FROM ${printExpression(first)})`;
  }
  const isUnitCall = call.name.startsWith('TIMESTAMP') && first?.kind === 'literal' && call.arguments.length === 3;
  const printed = isUnitCall
    ? [first.value, ...call.arguments.slice(1).map(printExpression)].join(', ')
    : list(call.arguments);
  const inner = call.name === 'POSITION' ? call.arguments.map(printExpression).join(' IN ') : printed;
  return `${call.name}(${call.star ? '*' : `${call.distinct ? 'DISTINCT ' : ''}${inner}${order}${separator}`})${call.over ? printWindow(call.over) : ''}`;
}

function printWindow({ partitionBy, orderBy, frame }: Window): string {
  const parts = [
    partitionBy.length ? `PARTITION BY ${list(partitionBy)}` : '',
    orderBy.length ? `ORDER BY ${orderList(orderBy)}` : '',
    frame,
  ];
  return ` OVER (${parts.filter((part) => part !== '').join(' ')})`;
}

const list = (expressions: Expression[]) => expressions.map(printExpression).join(', ');
const orderList = (orders: Order[]) =>
  orders.map(({ expression, descending }) => printExpression(expression) + (descending ? ' DESC' : '')).join(', ');
const printLimit = ({ count, offset }: Limit) => `LIMIT ${count}${offset === null ? '' : ` OFFSET ${offset}`}`;
const nameList = (names: string[]) => (names.length ? `(${names.map(quoted).join(', ')})` : '');
const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``;
const string = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
