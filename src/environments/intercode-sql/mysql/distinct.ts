/** Rows without repetition, where SQLite takes texts for different that MySQL takes for equal: by blanks at their end, or accents. */
import { type Argument, grouped, hidesEquals, quoteText, settled, settledType, shown } from './convert.ts';

/**
 * Columns after DISTINCT. Of equal rows the first one is shown, whose values take the place of those of the others.
 * @param name of the place, for which first rows are remembered
 */
export function distinctRows(columns: Argument[], name: string): string[] {
  if (!columns.some(({ type }) => hidesEquals(type))) return columns.map(shown);
  const values = columns.map(settled).join(', ');
  return columns.map(({ type }, index) => {
    const first = `mysql_first(${quoteText(name)}, ${index}, ${rowKey(columns)}, ${values})`;
    return shown({ sql: first, type: settledType(type) });
  });
}

/** Text that is the same for equal rows. */
export const rowKey = (columns: Argument[]) => `mysql_key(${columns.map(keyOf).join(', ')})`;

function keyOf(column: Argument): string {
  const { sql, type } = column;
  return type.kind === 'text' && !type.collation
    ? `mysql_compared_form(${sql})`
    : grouped(column).replace(/ COLLATE \w+$/, '');
}
