/** Values of functions on numbers: doubles, and exact numbers in their form for SQLite (decimal.ts). */
import { type Decimal, decoded, encoded, quotient, roundedTo, toDecimal, truncatedTo } from './decimal.ts';
import { type Given, type Implementation, nearest, number, string, type Value, ValueError, whole } from './values.ts';

const bigint = { least: -(2n ** 63n), most: 2n ** 63n - 1n };
const maximumUnsigned = 2n ** 64n - 1n;

/** An operation on exact numbers; other arguments follow. */
const exact =
  (operation: (left: Decimal, right: Decimal, ...rest: Given[]) => Decimal | null): Implementation =>
  (left, right, ...rest) => {
    const result = operation(decoded(string(left)), decoded(string(right)), ...rest);
    return result && encoded(result);
  };

function integerOf(value: Decimal): bigint {
  const read = BigInt(value.toFixed(0));
  if (read < bigint.least || read > bigint.most) throw new ValueError('BIGINT value is out of range');
  return read;
}

/** Rounds a double at a decimal digit as MySQL does: in binary, with the middle to the even one. */
export function rounded(value: Given | undefined, digits: Given | undefined): number {
  return scaled(number(value), whole(digits), nearest);
}

function scaled(value: number, digits: number, round: (value: number) => number): number {
  const factor = 10 ** Math.abs(digits);
  if (!Number.isFinite(value)) return value;
  const result = digits < 0 ? round(value / factor) * factor : round(value * factor) / factor;
  return Number.isFinite(result) ? result : value;
}

/** CAST … AS SIGNED of text: its leading digits. Beyond the limits it wraps around, as in MySQL. */
function leadingInteger(value: Given | undefined, isUnsigned: boolean): bigint {
  const [, sign = '', digits = '0'] = /^\s*([+-]?)(\d+)/.exec(string(value)) ?? [];
  const read = BigInt(digits);
  if (sign === '-') return signed(read > 2n ** 63n ? bigint.least : -read, isUnsigned);
  return signed(read > maximumUnsigned ? maximumUnsigned : read, isUnsigned);
}

function signed(value: bigint, isUnsigned: boolean): bigint {
  if (isUnsigned && (value < 0n || value > bigint.most)) {
    throw new ValueError('UNSIGNED numbers beyond BIGINT are not available in this environment');
  }
  return BigInt.asIntN(64, value);
}

function clipped(value: bigint): bigint {
  return value < bigint.least ? bigint.least : value > bigint.most ? bigint.most : value;
}

/** CAST … AS DECIMAL: the largest number with so many digits takes the place of a larger one. */
function fitted(value: Decimal, precision: Given | undefined, scale: Given | undefined): Decimal {
  const result = roundedTo(value, number(scale));
  const limit = toDecimal('1')
    .shiftedBy(number(precision) - number(scale))
    .minus(toDecimal('1').shiftedBy(-number(scale)));
  if (result.abs().lte(limit)) return result;
  return result.isNegative() ? limit.negated() : limit;
}

const positive = (value: Given | undefined, operation: (value: number) => number) =>
  number(value) <= 0 ? null : operation(number(value));

export const numberValues: { [name: string]: Implementation } = {
  decimal: (value) => encoded(toDecimal(value!)),
  double: (value) => decoded(string(value)).toNumber(),
  single_precision: (value) => Math.fround(number(value)),
  add: exact((left, right) => left.plus(right)),
  subtract: exact((left, right) => left.minus(right)),
  multiply: exact((left, right, digits) => truncatedTo(left.times(right), number(digits))),
  divide: exact((left, right, digits) => quotient(left, right, number(digits))),
  remainder: exact((left, right) => (right.isZero() ? null : left.minus(quotient(left, right, 0)!.times(right)))),
  integer_quotient: (left, right) => {
    const result = quotient(decoded(string(left)), decoded(string(right)), 0);
    return result && integerOf(result);
  },
  negated: (value) => encoded(decoded(string(value)).negated()),
  absolute: (value) => encoded(decoded(string(value)).abs()),
  sign: (value) => BigInt(decoded(string(value)).comparedTo(0) ?? 0),
  decimal_round: (value, digits) => encoded(roundedTo(decoded(string(value)), whole(digits))),
  decimal_truncate: (value, digits) => encoded(truncatedTo(decoded(string(value)), whole(digits))),
  decimal_floor: (value) => encoded(decoded(string(value)).integerValue(3)),
  decimal_ceiling: (value) => encoded(decoded(string(value)).integerValue(2)),
  decimal_fit: (value, precision, scale) => encoded(fitted(decoded(string(value)), precision, scale)),
  decimal_integer: (value, isUnsigned) =>
    signed(clipped(BigInt(decoded(string(value)).toFixed(0, 4))), whole(isUnsigned) === 1),
  text_integer: (value, isUnsigned) => leadingInteger(value, whole(isUnsigned) === 1),
  double_integer: (value, isUnsigned) => signed(clipped(BigInt(nearest(number(value)))), whole(isUnsigned) === 1),
  unsigned: (value) => signed(BigInt(value!), true),
  average: (sum, count, digits) => {
    const result = quotient(decoded(string(sum)), toDecimal(count!), number(digits));
    return result && encoded(result);
  },

  round: rounded,
  truncate: (value, digits) => scaled(number(value), whole(digits), Math.trunc),
  mod: (left, right) => (number(right) === 0 ? null : number(left) % number(right)),
  sqrt: (value) => (number(value) < 0 ? null : Math.sqrt(number(value))),
  ln: (value) => positive(value, Math.log),
  log: (first, second) => {
    if (second === undefined) return positive(first, Math.log);
    if (number(first) <= 0 || number(second) <= 0 || number(first) === 1) return null;
    return Math.log(number(second)) / Math.log(number(first));
  },
  log10: (value) => positive(value, Math.log10),
  log2: (value) => positive(value, Math.log2),
};

/** Sum of exact numbers, also over the frame of a window. */
export const exactSum = {
  start: () => ({ sum: toDecimal('0'), count: 0 }),
  step: ({ sum, count }: { sum: Decimal; count: number }, value: Value) =>
    value === null ? { sum, count } : { sum: sum.plus(decoded(String(value))), count: count + 1 },
  inverse: ({ sum, count }: { sum: Decimal; count: number }, value: Value) =>
    value === null ? { sum, count } : { sum: sum.minus(decoded(String(value))), count: count - 1 },
  result: ({ sum, count }: { sum: Decimal; count: number }): Value => (count ? encoded(sum) : null),
};

/** Sum of doubles one after the other: SQLite's own SUM corrects what they lose. */
export const plainSum = {
  start: () => ({ sum: 0, count: 0 }),
  step: ({ sum, count }: { sum: number; count: number }, value: Value) =>
    value === null ? { sum, count } : { sum: sum + Number(value), count: count + 1 },
  inverse: ({ sum, count }: { sum: number; count: number }, value: Value) =>
    value === null ? { sum, count } : { sum: sum - Number(value), count: count - 1 },
  result: ({ sum, count }: { sum: number; count: number }): Value => (count ? sum : null),
};
