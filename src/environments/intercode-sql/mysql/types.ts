/** Static types of MySQL expressions: they decide how a value is compared, and how Python prints it. */
import { type Letters, textFacts } from '../column.ts';
import type { Expression } from './syntax.ts';

export type SqlType = {
  kind: 'integer' | 'decimal' | 'double' | 'float' | 'text' | 'date' | 'datetime' | 'time' | 'null';
  /** Digits after the point of a decimal, or of a double or float that was declared with digits; null if the value decides. */
  scale: number | null;
  /** Digits after the point that values of a decimal have before they are shown: MySQL divides in groups of nine. Absent: `scale`. */
  carried?: number;
  /** Decimal whose values have different numbers of digits, such as those of CASE. */
  uneven?: boolean;
  /** Most digits that an integer or decimal may have. Absent: those of an INT. */
  precision?: number;
  /** Integer of CAST … AS UNSIGNED: together with others it becomes a decimal. */
  unsigned?: boolean;
  /** Text whose values may end in blanks; comparisons ignore them. */
  padded?: boolean;
  /** Text that compares by its characters (`bin`: COLLATE …_bin) or by its bytes, blanks included (`bytes`: BINARY). Absent: without case. */
  collation?: 'bin' | 'bytes';
  /** How text is written. Absent: `plain`. */
  letters?: Letters;
};

export const integer: SqlType = { kind: 'integer', scale: null };
export const bigInteger: SqlType = { kind: 'integer', scale: null, precision: 19 };
export const double: SqlType = { kind: 'double', scale: null };
/** Text that is put together may end in blanks. */
export const text: SqlType = { kind: 'text', scale: null, padded: true };
export const date: SqlType = { kind: 'date', scale: null };
export const datetime: SqlType = { kind: 'datetime', scale: null };
export const time: SqlType = { kind: 'time', scale: null };
export const nullType: SqlType = { kind: 'null', scale: null };

const mostDigits = 65;
const mostScale = 30;
export const decimal = (scale: number, precision = 10 + scale, carried = scale): SqlType => {
  const shown = Math.min(Math.max(scale, 0), mostScale);
  return {
    kind: 'decimal',
    scale: shown,
    precision: Math.min(precision, mostDigits),
    carried: Math.max(carried, shown),
  };
};

/** MySQL adds this many digits when it divides. Source: MySQL 8.0, `div_precision_increment`. */
const divisionDigits = 4;

const integerDigits: { [base: string]: number } = {
  tinyint: 3,
  smallint: 5,
  mediumint: 7,
  int: 10,
  bigint: 19,
  year: 4,
  bit: 1,
};

/** Type of a column from its declaration, e.g. `decimal(19,4)`. */
export function declaredType(declaration: string): SqlType {
  const [, base = '', sizes = ''] = /^(\w+)(?:\(([\d,]+)\))?/.exec(declaration.toLowerCase()) ?? [];
  const digits = sizes.includes(',') ? Number(sizes.split(',')[1]) : null;
  switch (base) {
    case 'tinyint':
    case 'smallint':
    case 'mediumint':
    case 'int':
    case 'bigint':
    case 'year':
    case 'bit':
      return { ...integer, precision: integerDigits[base]! };
    case 'decimal':
    case 'numeric':
      return decimal(digits ?? 0, Number.parseInt(sizes, 10) || 10);
    case 'double':
    case 'real':
      return { kind: 'double', scale: digits };
    case 'float':
      return { kind: 'float', scale: digits };
    case 'date':
    case 'time':
      return { kind: base, scale: null };
    case 'datetime':
    case 'timestamp':
      return datetime;
    default:
      return { kind: 'text', scale: null };
  }
}

export const isNumeric = ({ kind }: SqlType) =>
  kind === 'integer' || kind === 'decimal' || kind === 'double' || kind === 'float';
export const isTemporal = ({ kind }: SqlType) => kind === 'date' || kind === 'datetime' || kind === 'time';
export const isApproximate = ({ kind }: SqlType) => kind === 'double' || kind === 'float' || kind === 'text';

export function literalType(literal: Extract<Expression, { kind: 'literal' }>): SqlType {
  switch (literal.type) {
    case 'string':
      return { ...text, ...textFacts([literal.value]) };
    case 'decimal': {
      const [whole = '', digits = ''] = literal.value.split('.');
      return decimal(digits.length, whole.replace(/^0+/, '').length + digits.length);
    }
    case 'double':
      return double;
    case 'null':
      return nullType;
    case 'boolean':
      return { ...integer, precision: 1 };
    default:
      return { ...integer, precision: literal.value.length };
  }
}

const scaleOf = ({ scale }: SqlType) => scale ?? 0;
const carriedOf = ({ kind, scale, carried }: SqlType) => (kind === 'decimal' ? (carried ?? scale ?? 0) : 0);
export const precisionOf = ({ precision }: SqlType) => precision ?? 10;
const wholeDigits = (type: SqlType) => precisionOf(type) - scaleOf(type);

/** Whether an operation on these is done with exact numbers that are no integers. */
export const isExact = (left: SqlType, right: SqlType) =>
  !isApproximate(left) && !isApproximate(right) && (left.kind === 'decimal' || right.kind === 'decimal');

export function arithmeticType(operator: string, left: SqlType, right: SqlType): SqlType {
  if (['|', '&', '^', '<<', '>>', 'DIV'].includes(operator)) return bigInteger;
  if (isApproximate(left) || isApproximate(right)) return doubleOf(operator, left, right);
  if (operator === '/') return dividedType(left, right);
  const [scales, carried] = [[scaleOf(left), scaleOf(right)] as const, [carriedOf(left), carriedOf(right)] as const];
  const precision =
    operator === '*'
      ? precisionOf(left) + precisionOf(right)
      : operator === '%'
        ? Math.max(precisionOf(left), precisionOf(right))
        : Math.max(...scales) + Math.max(wholeDigits(left), wholeDigits(right)) + 1;
  if (!isExact(left, right))
    return { ...integer, precision, ...((left.unsigned || right.unsigned) && { unsigned: true }) };
  return operator === '*'
    ? decimal(scales[0] + scales[1], precision, Math.min(carried[0] + carried[1], mostScale))
    : decimal(Math.max(...scales), precision, Math.max(...carried));
}

/** Digits after the point that are the same for all values; null if each value has its own. */
export const fixedDigits = ({ kind, scale }: SqlType) =>
  isApproximate({ kind, scale }) ? scale : kind === 'null' ? null : (scale ?? 0);

/** A double of numbers with fixed digits has fixed digits too, such as those of a column `float(10,2)`. */
function doubleOf(operator: string, left: SqlType, right: SqlType): SqlType {
  const [first, second] = [fixedDigits(left), fixedDigits(right)];
  if (first === null || second === null) return double;
  const longer = Math.max(first, second);
  const scale = operator === '/' ? longer + divisionDigits : operator === '*' ? first + second : longer;
  return scale > mostScale ? double : { kind: 'double', scale };
}

const inGroups = (digits: number) => Math.ceil(digits / 9) * 9;

/** Digits after the point of a quotient. Source: MySQL 8.0, strings/decimal.cc, `do_div_mod`. */
function quotientDigits(left: number, right: number): number {
  const [first, second] = [inGroups(left), inGroups(right)];
  const added = Math.max(0, divisionDigits - (first - left + second - right));
  return inGroups(first + second + added);
}

function dividedType(left: SqlType, right: SqlType): SqlType {
  return decimal(
    scaleOf(left) + divisionDigits,
    precisionOf(left) + scaleOf(right) + divisionDigits,
    quotientDigits(carriedOf(left), carriedOf(right)),
  );
}

/** Type of SUM: exact numbers add up to decimals, everything else to doubles. */
export function sumType(operand: SqlType): SqlType {
  if (isApproximate(operand)) return { kind: 'double', scale: operand.scale };
  return decimal(scaleOf(operand), precisionOf(operand) + 22, carriedOf(operand));
}

export function averageType(operand: SqlType): SqlType {
  if (isApproximate(operand))
    return { kind: 'double', scale: operand.scale === null ? null : operand.scale + divisionDigits };
  return decimal(
    scaleOf(operand) + divisionDigits,
    precisionOf(operand) + divisionDigits,
    quotientDigits(carriedOf(operand), 0),
  );
}

/** Type of a column that takes values of all these types: branches of CASE, arms of UNION. */
export function commonType(types: SqlType[]): SqlType {
  const present = types.filter(({ kind }) => kind !== 'null');
  const first = present[0];
  if (!first) return nullType;
  if (present.every(isNumeric)) return commonNumber(present);
  if (present.every(({ kind }) => kind === first.kind && kind !== 'text')) return first;
  if (present.every(({ kind }) => kind === 'date' || kind === 'datetime')) return datetime;
  return {
    kind: 'text',
    scale: null,
    padded: present.some(({ padded }) => padded),
    ...collationOf(present),
  };
}

function commonNumber(types: SqlType[]): SqlType {
  const scales = types.map(({ scale }) => scale);
  if (types.every(({ kind }) => kind === 'float'))
    return { kind: 'float', scale: scales.includes(null) ? null : Math.max(...scales.map(Number)) };
  if (types.some(isApproximate)) {
    const digits = types.map(fixedDigits);
    return { kind: 'double', scale: digits.includes(null) ? null : Math.max(...digits.map(Number)) };
  }
  const whole = Math.max(...types.map(wholeDigits));
  const unsigned = types.filter((type) => type.unsigned).length;
  if (types.every(({ kind }) => kind === 'integer') && (!unsigned || unsigned === types.length)) {
    return { ...integer, precision: whole, ...(unsigned && { unsigned: true }) };
  }
  const scale = Math.max(...types.map(scaleOf));
  const isUneven = types.some((type) => type.uneven || scaleOf(type) !== scale);
  return { ...decimal(scale, whole + scale, Math.max(...types.map(carriedOf))), ...(isUneven && { uneven: true }) };
}

/** How texts compare that meet, or that text is made of: by the strictest collation, with all letters that any of them has. */
export function collationOf(types: SqlType[]): Pick<SqlType, 'collation' | 'letters'> {
  const strict = (['bytes', 'bin'] as const).find((each) => types.some(({ collation }) => collation === each));
  const has = (...given: (Letters | undefined)[]) => types.some(({ letters }) => given.includes(letters));
  const letters = has('all', 'accents') ? 'all' : has('signs') ? 'signs' : null;
  return { ...(strict && { collation: strict }), ...(letters && { letters }) };
}
