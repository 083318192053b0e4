/**
 * MySQL's exact numbers. SQLite has none, so a query carries them as texts that sort as their numbers do: comparisons, ORDER BY, GROUP BY,
 * DISTINCT, MIN and MAX need no function of ours. Equal numbers have equal texts, whatever digits they were written with.
 */
import { BigNumber } from 'bignumber.js';

/** A copy with its own settings: no exponents in its texts. */
export const Decimal = BigNumber.clone({ EXPONENTIAL_AT: 1e9 });
export type Decimal = BigNumber;

/** The text of 0. */
export const zero = '1';
/** Added to exponents, so that they have three digits and no sign. */
const bias = 500;
/** Sorts after every digit: of two negative numbers the one with more digits is the smaller. */
const end = ':';

/** `0`, `1` or `2` for the sign, the exponent of ten, the digits. Exponent and digits of a negative number are complements to nine. */
export function encoded(value: Decimal): string {
  if (value.isZero()) return zero;
  const digits = value.c!.map((part, index) => (index ? String(part).padStart(14, '0') : String(part))).join('');
  const body = String(value.e! + bias).padStart(3, '0') + digits.replace(/0+$/, '');
  return value.isPositive() ? `2${body}` : `0${complement(body)}${end}`;
}

export function decoded(text: string): Decimal {
  if (text === zero) return new Decimal(0);
  const isNegative = text.startsWith('0');
  const body = isNegative ? complement(text.slice(1, -1)) : text.slice(1);
  return new Decimal(`${isNegative ? '-' : ''}${body.charAt(3)}.${body.slice(4)}e${Number(body.slice(0, 3)) - bias}`);
}

const complement = (digits: string) => digits.replace(/\d/g, (digit) => String(9 - Number(digit)));

/** A number, or the number at the beginning of a text; 0 if there is none. A double counts as it is printed. */
export function toDecimal(value: number | bigint | string): Decimal {
  if (typeof value !== 'string') return new Decimal(String(value));
  return new Decimal(/^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/.exec(value)?.[1] ?? 0);
}

/** Rounds half away from zero. `digits` may be negative. */
export function roundedTo(value: Decimal, digits: number): Decimal {
  return value.shiftedBy(digits).integerValue(BigNumber.ROUND_HALF_UP).shiftedBy(-digits);
}

export function truncatedTo(value: Decimal, digits: number): Decimal {
  return value.shiftedBy(digits).integerValue(BigNumber.ROUND_DOWN).shiftedBy(-digits);
}

/** A quotient cut after so many digits, as MySQL cuts it; null for a division by zero. */
export function quotient(left: Decimal, right: Decimal, digits: number): Decimal | null {
  return right.isZero() ? null : left.shiftedBy(digits).idiv(right).shiftedBy(-digits);
}
