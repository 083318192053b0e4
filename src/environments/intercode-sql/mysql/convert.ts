/** SQL that reads a value of one type as another, by MySQL's rules. */
import { encoded, toDecimal, zero } from './decimal.ts';
import { collationOf, isTemporal, type SqlType } from './types.ts';

export type Argument = { sql: string; type: SqlType };

export const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`;
export const quoteText = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** An exact number in a query. */
export const decimalSql = (digits: string) => quoteText(encoded(toDecimal(digits)));

/** Characters of a value as MySQL writes it: decimals with all their digits, whole doubles without a point. */
export function asText({ sql, type }: Argument): string {
  switch (type.kind) {
    case 'decimal':
      return `mysql_decimal_text(${sql}, ${type.scale ?? 0})`;
    case 'double':
    case 'float':
      return `mysql_double_text(${sql}, ${type.scale ?? -1}, ${type.kind === 'float' ? 6 : 17})`;
    case 'integer':
      return `CAST(${sql} AS TEXT)`;
    default:
      return sql;
  }
}

/** A number for SQLite's own operators: integers as they are, everything else as a double. Text counts up to its first character that is no digit. */
export function asNumber({ sql, type }: Argument): string {
  if (type.kind === 'decimal') return `mysql_double(${sql})`;
  if (type.kind === 'text') return `CAST(${sql} AS REAL)`;
  return isTemporal(type) ? `mysql_temporal_number(${sql})` : sql;
}

/** The same, and never an integer. */
export function asDouble(argument: Argument): string {
  const { kind } = argument.type;
  return kind === 'integer' || isTemporal(argument.type) ? `CAST(${asNumber(argument)} AS REAL)` : asNumber(argument);
}

/** An exact number (decimal.ts). */
export function asDecimal(argument: Argument): string {
  const { sql, type } = argument;
  if (type.kind === 'decimal' || type.kind === 'null') return sql;
  if (type.kind === 'integer' && /^-?\d+$/.test(sql)) return decimalSql(sql);
  return `mysql_decimal(${type.kind === 'text' ? sql : asNumber(argument)})`;
}

/** A condition: exact numbers are texts, of which none is false. */
export function truth({ sql, type }: Argument): string {
  return type.kind === 'decimal' ? `(${sql} <> '${zero}')` : sql;
}

/** A value as one of a column, or of branches, of this type. */
export function coerced(argument: Argument, type: SqlType): string {
  const from = argument.type.kind;
  if (from === 'null') return argument.sql;
  switch (type.kind) {
    case 'decimal':
      return asDecimal(argument);
    case 'double':
    case 'float':
      return from === 'float' || from === 'double' ? argument.sql : asDouble(argument);
    case 'datetime':
      return from === 'date' ? `(${argument.sql} || ' 00:00:00')` : argument.sql;
    case 'text':
      return asText(argument);
    default:
      return argument.sql;
  }
}

/** A value that is shown, in a place where SQLite tells rows apart. */
export function shown(argument: Argument): string {
  const { sql, type } = argument;
  return type.kind === 'text' ? `${sql} COLLATE ${type.collation ? 'BINARY' : 'NOCASE'}` : settled(argument);
}

/** A value by which rows are ordered: exact numbers as they are shown, text as MySQL orders it. */
export function compared(argument: Argument): string {
  const { sql, type } = argument;
  if (type.kind !== 'text' || type.collation) return grouped(argument);
  switch (type.letters) {
    case 'all':
    case 'accents':
      return `mysql_compared_form(${sql}) COLLATE BINARY`;
    case 'signs':
      return `UPPER(${unpadded(argument)}) COLLATE BINARY`;
    default:
      return grouped(argument);
  }
}

/** A value by which rows are told apart. SQLite may use an index for it more often than for their order. */
export function grouped(argument: Argument): string {
  const { type } = argument;
  if (type.kind !== 'text') return settled(argument);
  if (type.collation) return `${unpadded(argument)} COLLATE BINARY`;
  return type.letters === 'all' ? compared(argument) : `${unpadded(argument)} COLLATE NOCASE`;
}

/** Whether texts may be equal that SQLite takes for different, whatever collation it has. */
export const hidesEquals = ({ kind, padded, letters, collation }: SqlType) =>
  kind === 'text' && collation !== 'bytes' && ((padded ?? false) || (letters === 'all' && !collation));

/** An exact number with the digits that MySQL keeps of it in a table of its own. */
export function settled({ sql, type }: Argument): string {
  const isLonger = type.kind === 'decimal' && (type.carried ?? 0) > (type.scale ?? 0);
  return isLonger ? `mysql_decimal_round(${sql}, ${type.scale})` : sql;
}

export const settledType = (type: SqlType): SqlType =>
  type.kind === 'decimal' ? { ...type, carried: type.scale ?? 0, uneven: false } : type;

/**
 * Both sides of a comparison of texts, by the rules that the two have in common.
 * @param isEquality whether it asks only whether they are equal
 */
export function comparedTexts(left: Argument, right: Argument, isEquality: boolean): [left: string, right: string] {
  const common = collationOf([left.type, right.type]);
  const form = isEquality ? grouped : compared;
  const of = ({ sql, type }: Argument) => form({ sql, type: { ...type, ...common } });
  // SQLite obeys the collation on the left; on the right it may only stand in the way of an index.
  return [of(left), of(right).replace(/ COLLATE \w+$/, '')];
}

export function unpadded({ sql, type }: Argument): string {
  return type.kind === 'text' && type.padded && type.collation !== 'bytes' ? `RTRIM(${sql}, ' ')` : sql;
}
