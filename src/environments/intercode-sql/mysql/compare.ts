/** Comparisons between values of different types, by MySQL's rules. Source: MySQL 8.0 reference manual, "Type Conversion in Expression Evaluation". */
import type { Compiled } from './compiled.ts';
import { asDecimal, asNumber, comparedTexts, quoteText } from './convert.ts';
import { MysqlError } from './reader.ts';
import type { Expression } from './syntax.ts';
import { fixedDigits, isApproximate, isNumeric, isTemporal, type SqlType } from './types.ts';

/** An operand with its syntax, because literals are converted before the query runs. */
export type Operand = { compiled: Compiled; expression: Expression };

/**
 * SQL of both sides of a comparison, brought to one type.
 * @param operator `IN` also for CASE, and `BETWEEN`: neither knows fixed digits
 */
export function comparable(operator: string, left: Operand, right: Operand): [left: string, right: string] {
  const [a, b] = [left.compiled.type, right.compiled.type];
  if (isTemporal(a) || isTemporal(b)) {
    const isOfRow = [left, right].some(
      ({ compiled, expression }) => compiled.type.kind === 'text' && expression.kind !== 'literal',
    );
    return [temporal(left, b, isOfRow), temporal(right, a, isOfRow)];
  }
  if (a.kind === 'text' && b.kind === 'text') {
    const areBytes = a.collation === 'bytes' || b.collation === 'bytes';
    const [first, second] = areBytes ? [left.compiled, right.compiled] : [plain(left), plain(right)];
    return comparedTexts(first, second, ['=', '<=>', '<>', '!=', 'IN'].includes(operator));
  }
  if (isNumeric(a) && isNumeric(b)) return comparableNumbers(left, right, operator !== 'IN' && operator !== 'BETWEEN');
  if (a.kind === 'null' || b.kind === 'null') return [left.compiled.sql, right.compiled.sql];
  return [numeric(left), numeric(right)];
}

function comparableNumbers(left: Operand, right: Operand, knowsDigits: boolean): [left: string, right: string] {
  const kinds = [left.compiled.type, right.compiled.type];
  const digits = kinds.map(fixedDigits);
  if (knowsDigits && kinds.some(isApproximate) && !digits.includes(null)) {
    // Doubles with fixed digits are equal if these are. Source: MySQL 8.0, item_cmpfunc.cc, `compare_real_fixed`.
    const longest = Math.max(...digits.map(Number));
    return [`mysql_round(${numeric(left)}, ${longest})`, `mysql_round(${numeric(right)}, ${longest})`];
  }
  if (!kinds.some(({ kind }) => kind === 'decimal') || kinds.some(isApproximate))
    return [numeric(left), numeric(right)];
  if (kinds.some(({ kind }) => kind === 'integer')) {
    // No integer lies between such a literal and the double next to it, and SQLite compares integers and doubles exactly.
    const short = [left, right].find(
      ({ expression, compiled }) => isShortDecimal(expression) && compiled.type.kind === 'decimal',
    );
    if (short) return [written(left), written(right)];
  }
  return [asDecimal(left.compiled), asDecimal(right.compiled)];
}

const isShortDecimal = (expression: Expression) => expression.kind === 'literal' && expression.value.length <= 15;
const written = ({ compiled, expression }: Operand) =>
  expression.kind === 'literal' && compiled.type.kind === 'decimal' ? expression.value : compiled.sql;

/** A literal without the blanks at its end, which then need not be taken off for each row. */
function plain({ compiled, expression }: Operand): { sql: string; type: SqlType } {
  if (expression.kind !== 'literal') return compiled;
  return { sql: quoteText(expression.value.replace(/ +$/, '')), type: { ...compiled.type, padded: false } };
}

/** SQL that reads an operand as a number. */
export function numeric({ compiled, expression }: Operand): string {
  if (expression.kind === 'literal' && expression.type === 'string') {
    return String(Number.parseFloat(expression.value) || 0);
  }
  return asNumber(compiled);
}

/** SQL of an operand that is compared with another one of a type, one of them temporal. Text of a row that is no moment is NULL. */
function temporal({ compiled, expression }: Operand, other: SqlType, isOfRow: boolean): string {
  const { sql, type } = compiled;
  const isDay = type.kind === 'date' && (other.kind === 'datetime' || isOfRow);
  if (isDay) return `(${sql} || ' 00:00:00')`;
  if (isTemporal(type)) return isNumeric(other) ? asNumber(compiled) : sql;
  if (type.kind !== 'text') return type.kind === 'decimal' ? asNumber(compiled) : sql;
  if (expression.kind === 'literal') return quoteText(temporalLiteral(expression.value, other));
  return `${other.kind === 'time' ? 'mysql_time' : 'mysql_timestamp'}(${sql})`;
}

function temporalLiteral(value: string, type: SqlType): string {
  if (type.kind === 'time') return value;
  const match =
    /^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d*)?)?)?\s*$/.exec(value) ??
    /^(\d{4})(\d\d)(\d\d)$/.exec(value);
  if (!match || Number(match[2]) > 12 || Number(match[3]) > 31) {
    throw new MysqlError(`Incorrect ${type.kind.toUpperCase()} value: '${value}'`);
  }
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => (part ?? '0').padStart(2, '0'));
  const dayText = `${year}-${month}-${day}`;
  const timeText = `${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}`;
  if (type.kind === 'date') return timeText === '00:00:00' ? dayText : `${dayText} ${timeText}`;
  return `${dayText} ${timeText}`;
}
