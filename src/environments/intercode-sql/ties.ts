/**
 * Queries with more than one right result: their LIMIT cuts rows that tie, such as `ORDER BY COUNT(*) LIMIT 1` where two groups are the largest.
 * MySQL and SQLite then give different rows, and both are right.
 */
import type { QueryResult } from './connection.ts';
import { parseStatement } from './mysql/parse-statement.ts';
import { printQuery } from './mysql/print.ts';
import type { Expression, Order, Select } from './mysql/syntax.ts';

export type RunQuery = (query: string) => QueryResult | Promise<QueryResult>;

/** Whether a LIMIT cuts rows that tie and differ, in the query or in a subquery that stands for itself. False also for one that does not run. */
export async function isTied(query: string, lenient: boolean, run: RunQuery): Promise<boolean> {
  for (const select of selectsIn(parsed(query, lenient))) {
    if (select.limit && !select.distinct && (await isCutAmongTies(select, select.limit, run))) return true;
  }
  return false;
}

/** Whether a query leaves the order of its rows open, at least among some of them. False for a statement that is no query. */
export function leavesOrderOpen(query: string, lenient: boolean): boolean {
  const statement = parsed(query, lenient);
  return statement?.kind === 'query' && statement.query.orderBy.length === 0;
}

async function isCutAmongTies(select: Select, limit: NonNullable<Select['limit']>, run: RunQuery): Promise<boolean> {
  const extra = select.orderBy.map(
    (order) => ({ kind: 'expression', expression: ordered(select, order), alias: null }) as const,
  );
  const rows = await run(printQuery({ ...select, limit: null }));
  const keyed = await run(printQuery({ ...select, items: [...select.items, ...extra], limit: null }));
  if (rows.kind !== 'rows' || keyed.kind !== 'rows') return false;
  const keys = rows.rows.map((row, index) => keyAfter(row, keyed.rows[index] ?? ''));
  const cut = Number(limit.count) + Number(limit.offset ?? 0);
  const key = keys[cut - 1];
  if (key === undefined || key === null || keys[cut] !== key) return false;
  return new Set(rows.rows.filter((_, index) => keys[index] === key)).size > 1;
}

/** What a row has after the cells of a shorter one; null if it is another row. */
function keyAfter(row: string, longer: string): string | null {
  const cells = row.replace(/,?\)$/, '');
  return longer.startsWith(cells) ? longer.slice(cells.length).replace(/^,/, '') : null;
}

/** What an item of ORDER BY stands for: a column of the result may be named by its place or its alias. */
function ordered({ items }: Select, { expression }: Order): Expression {
  const item = items.find(
    (each, index) =>
      each.kind === 'expression' &&
      ((expression.kind === 'literal' && expression.value === String(index + 1)) ||
        (expression.kind === 'column' && expression.table === null && isAlias(each.alias, expression.name))),
  );
  return item?.kind === 'expression' ? item.expression : expression;
}

const isAlias = (alias: string | null, name: string) => alias?.toLowerCase() === name.toLowerCase();

function selectsIn(node: unknown): Select[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'kind' in node && node.kind === 'select' ? [node as Select] : [];
  return [...own, ...Object.values(node).flatMap(selectsIn)];
}

function parsed(query: string, lenient: boolean) {
  try {
    return parseStatement(query, lenient);
  } catch {
    return null;
  }
}
