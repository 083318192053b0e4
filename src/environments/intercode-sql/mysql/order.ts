/** GROUP BY, ORDER BY and LIMIT. */
import { type Argument, compared, grouped } from './convert.ts';
import type { Expression, Limit } from './syntax.ts';

/** A whole number stands for the select item at that place. */
export function placeOf(expression: Expression): number | null {
  return expression.kind === 'literal' && expression.type === 'integer' ? Number(expression.value) : null;
}

export const groupedBy = (group: Argument): string => noPlace(grouped(group));

/** A number that stands alone would be a place for SQLite. */
const noPlace = (sql: string) => (/^[\s()\d-]*$/.test(sql) ? `(${sql} + 0)` : sql);

/** What an output is ordered by: its place, or what counts of it. */
export function orderedBy(output: Argument, place: number): string {
  const sql = noPlace(compared(output));
  return place && sql.startsWith(output.sql) ? place + sql.slice(output.sql.length) : sql;
}

export function limitSql(limit: Limit | null): string {
  if (!limit) return '';
  return `LIMIT ${limit.count}${limit.offset === null ? '' : ` OFFSET ${limit.offset}`}`;
}
