/** Rows as Python prints what mysql-connector returns: agents of the benchmark read this form, and rewards compare it. */
import { decoded } from './mysql/decimal.ts';
import { MysqlError } from './mysql/reader.ts';
import type { SqlType } from './mysql/types.ts';

export type Value = null | number | bigint | string | Uint8Array;

/**
 * A row as a Python tuple, e.g. `('a', 1, Decimal('2.50'), None)`.
 * @param values as queries give them: an exact number has its own form (mysql/decimal.ts)
 * @throws MysqlError for an integer that does not fit, which SQLite has made a double
 */
export function tupleText(values: Value[], types: SqlType[]): string {
  const cells = values.map((value, index) => cellText(value, types[index] ?? { kind: 'text', scale: null }));
  return cells.length === 1 ? `(${cells[0]},)` : `(${cells.join(', ')})`;
}

export function listText(rows: string[]): string {
  return `[${rows.join(', ')}]`;
}

function cellText(value: Value, type: SqlType): string {
  if (value === null) return 'None';
  switch (type.kind) {
    case 'integer':
      if (typeof value === 'number') throw new MysqlError('BIGINT value is out of range');
      return untyped(value);
    case 'decimal':
      return typeof value === 'string' ? `Decimal('${decimalText(value, type.scale ?? 0)}')` : untyped(value);
    case 'double':
      return typeof value === 'string' || value instanceof Uint8Array
        ? untyped(value)
        : floatText(shortened(Number(value), type.scale));
    case 'float':
      // A FLOAT without declared digits is sent with six significant ones.
      return typeof value === 'string' || value instanceof Uint8Array
        ? untyped(value)
        : floatText(type.scale === null ? Number(Number(value).toPrecision(6)) : shortened(Number(value), type.scale));
    case 'date':
    case 'datetime':
    case 'time':
      return typeof value === 'string' ? temporalText(value, type.kind) : untyped(value);
    default:
      return type.collation === 'bytes' && typeof value === 'string' ? untyped(Buffer.from(value)) : untyped(value);
  }
}

/** A value whose type does not follow from the query. */
function untyped(value: Exclude<Value, null>): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return floatText(value);
  if (typeof value === 'string') return stringText(value);
  const escapes = (letter: string) => `\\x${letter.charCodeAt(0).toString(16)}`;
  return `b${stringText(Buffer.from(value).toString('latin1')).replace(/[\x80-\xff]/g, escapes)}`;
}

/** Python's text of a decimal with so many digits: numbers below a millionth have an exponent. */
export function decimalText(value: string, scale: number): string {
  const fixed = decoded(value)
    .toFixed(scale, 4)
    .replace(/^-(?=[0.]*$)/, '');
  const [, sign = '', digits = ''] = /^(-?)0\.0*?(0|[1-9]\d*)$/.exec(fixed) ?? [];
  const leading = digits.length - scale;
  if (digits === '' || leading > -6) return fixed;
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${sign}${digits.charAt(0)}${fraction}E${leading - 1}`;
}

/** Fixed digits, rounded half away from zero by the printed form: 0.285 ends in a 5, whatever its binary form. */
function roundedText(value: number, scale: number): string {
  const printed = String(value);
  if (printed.includes('e') || !printed.includes('.')) return value.toFixed(scale);
  const exact = Number(`${Math.round(Math.abs(Number(`${printed}e${scale}`)))}e-${scale}`);
  return (Math.sign(value) * exact).toFixed(scale);
}

const shortened = (value: number, scale: number | null) => (scale === null ? value : Number(roundedText(value, scale)));

/** Python's repr of a float: the shortest digits that read back as the same number, always with a point or an exponent. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1e16 || magnitude < 1e-4)) {
    const [mantissa = '', exponent = ''] = value.toExponential().split('e');
    return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Python's repr of a string: single quotes, unless the text has single and no double ones. */
export function stringText(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value.replace(/[\\'\n\r\t\p{Cc}]/gu, (character) => {
    if (character === "'") return quote === "'" ? "\\'" : character;
    const short: { [character: string]: string } = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
    return short[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return quote + escaped + quote;
}

/** `datetime.date(2018, 3, 1)`, `datetime.datetime(2018, 3, 1, 10, 20)`; seconds of 0 are left out. */
function temporalText(value: string, kind: 'date' | 'datetime' | 'time'): string {
  if (kind === 'time') {
    const [hours = 0, minutes = 0, seconds = 0] = value.split(':').map(Number);
    return `datetime.timedelta(seconds=${hours * 3600 + minutes * 60 + seconds})`;
  }
  const match = /^(\d{4})-(\d\d?)-(\d\d?)(?:[ T](\d\d?):(\d\d?)(?::(\d\d?))?)?/.exec(value);
  if (!match) return stringText(value);
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  if (!year || !month || !day) return 'None';
  if (kind === 'date' && match[4] === undefined) return `datetime.date(${year}, ${month}, ${day})`;
  return `datetime.datetime(${year}, ${month}, ${day}, ${hour}, ${minute}${second ? `, ${second}` : ''})`;
}
