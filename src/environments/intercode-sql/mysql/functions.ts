/**
 * MySQL's scalar functions: the type of their result, and the SQLite expression for them. Names that begin with `mysql_` are functions of
 * our own (function-values.ts).
 */
import { type Argument, asDecimal, asDouble, asNumber, asText, coerced, comparedTexts, truth } from './convert.ts';
import { now } from './temporal-values.ts';
import {
  bigInteger,
  collationOf,
  commonType,
  date,
  datetime,
  decimal,
  double,
  integer,
  isApproximate,
  isExact,
  isNumeric,
  precisionOf,
  type SqlType,
  text,
  time,
} from './types.ts';

export type Definition = {
  least: number;
  most: number;
  type: (argumentTypes: SqlType[]) => SqlType;
  sql: (...argumentList: Argument[]) => string;
  /** Whether it compares texts, without case: texts that compare otherwise are refused. */
  caseless?: boolean;
};

const fixed = (type: SqlType) => () => type;
const first = (types: SqlType[]) => types[0] ?? text;
/** Text that is made of texts compares like the strictest of them. */
const madeText = (types: SqlType[]): SqlType => ({ ...text, ...collationOf(types) });
const read = asText;

/** A function of our own with the same arguments; text arguments come as MySQL would write them. */
const own = (
  name: string,
  least: number,
  most: number,
  type: SqlType | Definition['type'],
  argument: (argument: Argument) => string = read,
): Definition => {
  return {
    least,
    most,
    type: typeof type === 'function' ? type : fixed(type),
    sql: (...list) => `mysql_${name}(${list.map(argument).join(', ')})`,
  };
};
const caseless = (definition: Definition): Definition => ({ ...definition, caseless: true });

/** A function that both dialects share. */
const shared = (
  name: string,
  least: number,
  most: number,
  type: Definition['type'],
  argument: (argument: Argument) => string,
): Definition => {
  return { least, most, type, sql: (...list) => `${name}(${list.map(argument).join(', ')})` };
};

/** A count, place or mode: a whole number, or text that is read as one. */
const plainNumber = ({ sql, type }: Argument) => (type.kind === 'decimal' ? `mysql_double(${sql})` : sql);
/** A moment: text as it is, numbers by their digits. */
const asMoment = (argument: Argument) => (isNumeric(argument.type) ? asText(argument) : argument.sql);

/** First argument as text, the others as numbers. */
const textAndNumbers = (name: string, least: number, most: number): Definition => ({
  least,
  most,
  type: madeText,
  sql: (value, ...rest) => `mysql_${name}(${[asText(value!), ...rest.map(plainNumber)].join(', ')})`,
});
const padding = (name: string): Definition => ({
  least: 3,
  most: 3,
  type: madeText,
  sql: (value, length, filler) => `mysql_${name}(${asText(value!)}, ${plainNumber(length!)}, ${asText(filler!)})`,
});

/** Digits that ROUND and TRUNCATE leave, if they are written as a number; null if not. */
const writtenDigits = (digits: Argument | undefined): number | null =>
  digits === undefined ? 0 : /^(\(- )?\d+\)?$/.test(digits.sql) ? Number(digits.sql.replace(/[() ]/g, '')) : null;

function rounding(name: 'round' | 'truncate', least: number): Definition {
  return {
    least,
    most: 2,
    // The compiler sets the scale, which depends on the digits.
    type: ([operand]) => (operand?.kind === 'integer' || operand?.kind === 'decimal' ? operand : double),
    sql: (value, digits) => {
      const places = digits ? plainNumber(digits) : '0';
      if (value!.type.kind === 'decimal') return `mysql_decimal_${name}(${value!.sql}, ${places})`;
      if (value!.type.kind !== 'integer') return `mysql_${name}(${asDouble(value!)}, ${places})`;
      const isWhole = writtenDigits(digits) !== null && writtenDigits(digits)! >= 0;
      return isWhole
        ? `(${value!.sql})`
        : `mysql_decimal_integer(mysql_decimal_${name}(${asDecimal(value!)}, ${places}), 0)`;
    },
  };
}

/** FLOOR and CEILING give an integer, but a decimal if it might not fit. Source: MySQL 8.0, item_func.cc, `Item_func_int_val`. */
function wholeNumber(name: 'floor' | 'ceiling'): Definition {
  const type = ([operand]: SqlType[]): SqlType => {
    if (!operand || isApproximate(operand)) return { ...double, scale: 0 };
    if (operand.kind === 'integer') return operand;
    const [precision, scale] = [precisionOf(operand), operand.scale ?? 0];
    return precision + Number(scale > 0) + 1 - scale >= 20 ? decimal(0, precision - scale) : bigInteger;
  };
  return {
    least: 1,
    most: 1,
    type,
    sql: (value) => {
      if (value!.type.kind === 'integer') return `(${value!.sql})`;
      if (value!.type.kind !== 'decimal') return `${name === 'floor' ? 'FLOOR' : 'CEIL'}(${asDouble(value!)})`;
      const exact = `mysql_decimal_${name}(${value!.sql})`;
      return type([value!.type]).kind === 'decimal' ? exact : `mysql_decimal_integer(${exact}, 0)`;
    },
  };
}

/** Arguments brought to the type that they have in common. */
const inCommon = (list: Argument[]) => {
  const type = commonType(list.map((each) => each.type));
  return list.map((each) => coerced(each, type));
};

/** Texts compare as such even if numbers are among them; numbers by their value, as SQLite's MAX and MIN of several values do. */
const extreme = (name: 'greatest' | 'least'): Definition => ({
  least: 2,
  most: 99,
  type: commonType,
  caseless: true,
  sql: (...list) => {
    const isNumber = isNumeric(commonType(list.map(({ type }) => type)));
    const own = isNumber ? (name === 'greatest' ? 'MAX' : 'MIN') : `mysql_${name}_text`;
    return `${own}(${inCommon(list).join(', ')})`;
  },
});

const isEqual = (left: Argument, right: Argument): string => {
  if (left.type.kind === 'text' && right.type.kind === 'text') return comparedTexts(left, right, true).join(' = ');
  if (isExact(left.type, right.type) && isNumeric(left.type) && isNumeric(right.type))
    return `${asDecimal(left)} = ${asDecimal(right)}`;
  const areTexts = !isNumeric(left.type) && !isNumeric(right.type);
  return areTexts ? `${left.sql} = ${right.sql}` : `${asNumber(left)} = ${asNumber(right)}`;
};

/** A time of day, of which a date alone has none: text of such a form is read as digits of a time. */
const asClock = (argument: Argument) =>
  argument.type.kind === 'date' ? `(${argument.sql} || ' 00:00:00')` : asMoment(argument);
const clocks = (name: string, type: SqlType = integer) => own(name, 1, 1, type, asClock);
const moments = (name: string, least: number, most: number, type: SqlType = integer) =>
  own(name, least, most, type, asMoment);

/** Bytes have no case. */
const letterCase = (name: string): Definition => ({
  least: 1,
  most: 1,
  type: madeText,
  sql: (value) => (value!.type.collation === 'bytes' ? value!.sql : `mysql_${name}(${asText(value!)})`),
});

export const functions: { [name: string]: Definition } = {
  CONCAT: { least: 1, most: 99, type: madeText, sql: (...list) => `(${list.map(asText).join(' || ')})` },
  CONCAT_WS: own('concat_ws', 2, 99, madeText),
  LOWER: letterCase('lower'),
  UPPER: letterCase('upper'),
  LENGTH: own('length', 1, 1, integer),
  CHAR_LENGTH: shared('LENGTH', 1, 1, fixed(integer), read),
  SUBSTRING: textAndNumbers('substring', 2, 3),
  LEFT: {
    least: 2,
    most: 2,
    type: madeText,
    sql: (value, count) => `SUBSTR(${asText(value!)}, 1, MAX(${plainNumber(count!)}, 0))`,
  },
  RIGHT: textAndNumbers('right', 2, 2),
  TRIM: shared('TRIM', 1, 2, madeText, read),
  LTRIM: shared('LTRIM', 1, 2, madeText, read),
  RTRIM: shared('RTRIM', 1, 2, madeText, read),
  REPLACE: shared('REPLACE', 3, 3, madeText, read),
  INSTR: caseless(own('instr', 2, 2, integer)),
  LOCATE: {
    least: 2,
    most: 3,
    type: fixed(integer),
    caseless: true,
    sql: (part, whole, from) =>
      `mysql_instr(${asText(whole!)}, ${asText(part!)}${from ? `, ${plainNumber(from)}` : ''})`,
  },
  REVERSE: own('reverse', 1, 1, madeText),
  REPEAT: textAndNumbers('repeat', 2, 2),
  SPACE: { least: 1, most: 1, type: fixed(text), sql: (count) => `mysql_repeat(' ', ${plainNumber(count!)})` },
  LPAD: padding('lpad'),
  RPAD: padding('rpad'),
  SUBSTRING_INDEX: {
    least: 3,
    most: 3,
    type: madeText,
    sql: (value, part, count) => `mysql_substring_index(${asText(value!)}, ${asText(part!)}, ${plainNumber(count!)})`,
  },
  FIELD: caseless(own('field', 2, 99, integer)),
  FIND_IN_SET: caseless(own('find_in_set', 2, 2, integer)),
  ASCII: own('ascii', 1, 1, integer),
  FORMAT: {
    least: 2,
    most: 2,
    type: fixed(text),
    sql: (value, digits) =>
      isApproximate(value!.type)
        ? `mysql_double_format(${asDouble(value!)}, ${plainNumber(digits!)})`
        : `mysql_decimal_format(${asDecimal(value!)}, ${plainNumber(digits!)})`,
  },
  STRCMP: caseless(own('strcmp', 2, 2, integer)),
  REGEXP_REPLACE: {
    least: 3,
    most: 3,
    type: madeText,
    sql: (value, pattern, replacement) =>
      `mysql_regexp_replace(${asText(value!)}, ${asText(pattern!)}, ${isCased(value!, pattern!) ? 1 : 0}, ${asText(replacement!)})`,
  },
  REGEXP_SUBSTR: {
    least: 2,
    most: 2,
    type: madeText,
    sql: (value, pattern) =>
      `mysql_regexp_substr(${asText(value!)}, ${asText(pattern!)}, ${isCased(value!, pattern!) ? 1 : 0})`,
  },
  REGEXP_INSTR: {
    least: 2,
    most: 2,
    type: fixed(integer),
    sql: (value, pattern) =>
      `mysql_regexp_instr(${asText(value!)}, ${asText(pattern!)}, ${isCased(value!, pattern!) ? 1 : 0})`,
  },
  REGEXP_LIKE: {
    least: 2,
    most: 2,
    type: fixed(integer),
    sql: (value, pattern) =>
      `mysql_regexp(${asText(value!)}, ${asText(pattern!)}, ${isCased(value!, pattern!) ? 1 : 0})`,
  },

  ELT: {
    least: 2,
    most: 99,
    type: (types) => commonType([text, ...types.slice(1)]),
    sql: (place, ...list) => {
      const branches = list.map((each, index) => `WHEN ${index + 1} THEN ${asText(each)}`);
      return `CASE CAST(${asNumber(place!)} AS INTEGER) ${branches.join(' ')} END`;
    },
  },
  INSERT: {
    least: 4,
    most: 4,
    type: madeText,
    sql: (value, place, count, part) =>
      `mysql_insert(${asText(value!)}, ${plainNumber(place!)}, ${plainNumber(count!)}, ${asText(part!)})`,
  },
  HEX: {
    least: 1,
    most: 1,
    type: fixed(text),
    sql: (value) => (value!.type.kind === 'integer' ? `mysql_hexadecimal(${value!.sql})` : `HEX(${asText(value!)})`),
  },
  MD5: own('md5', 1, 1, text),

  ABS: {
    least: 1,
    most: 1,
    type: (types) => (isNumeric(first(types)) ? first(types) : double),
    sql: (value) => (value!.type.kind === 'decimal' ? `mysql_absolute(${value!.sql})` : `ABS(${asNumber(value!)})`),
  },
  ROUND: rounding('round', 1),
  TRUNCATE: rounding('truncate', 2),
  FLOOR: wholeNumber('floor'),
  CEILING: wholeNumber('ceiling'),
  POWER: shared('POW', 2, 2, fixed(double), asDouble),
  SQRT: own('sqrt', 1, 1, double, asDouble),
  EXP: shared('EXP', 1, 1, fixed(double), asDouble),
  LN: own('ln', 1, 1, double, asDouble),
  LOG: own('log', 1, 2, double, asDouble),
  LOG10: own('log10', 1, 1, double, asDouble),
  LOG2: own('log2', 1, 1, double, asDouble),
  SIN: shared('SIN', 1, 1, fixed(double), asDouble),
  COS: shared('COS', 1, 1, fixed(double), asDouble),
  TAN: shared('TAN', 1, 1, fixed(double), asDouble),
  RADIANS: shared('RADIANS', 1, 1, fixed(double), asDouble),
  DEGREES: shared('DEGREES', 1, 1, fixed(double), asDouble),
  SIGN: {
    least: 1,
    most: 1,
    type: fixed(integer),
    sql: (value) => (value!.type.kind === 'decimal' ? `mysql_sign(${value!.sql})` : `SIGN(${asNumber(value!)})`),
  },
  PI: { least: 0, most: 0, type: fixed({ kind: 'double', scale: 6 }), sql: () => 'PI()' },
  RAND: { least: 0, most: 1, type: fixed(double), sql: () => 'mysql_rand()' },
  GREATEST: extreme('greatest'),
  LEAST: extreme('least'),

  IF: {
    least: 3,
    most: 3,
    type: ([, ...types]) => commonType(types),
    sql: (test, ...values) => {
      const [yes, no] = inCommon(values);
      return `CASE WHEN ${truth(test!)} THEN ${yes} ELSE ${no} END`;
    },
  },
  IFNULL: { least: 2, most: 2, type: commonType, sql: (...list) => `IFNULL(${inCommon(list).join(', ')})` },
  COALESCE: {
    least: 1,
    most: 99,
    type: commonType,
    sql: (...list) => (list.length === 1 ? `(${list[0]!.sql})` : `COALESCE(${inCommon(list).join(', ')})`),
  },
  NULLIF: {
    least: 2,
    most: 2,
    type: first,
    sql: (left, right) => `CASE WHEN ${isEqual(left!, right!)} THEN NULL ELSE ${left!.sql} END`,
  },
  ISNULL: { least: 1, most: 1, type: fixed(integer), sql: (value) => `(${value!.sql} IS NULL)` },
  ANY_VALUE: { least: 1, most: 1, type: first, sql: (value) => `(${value!.sql})` },

  YEAR: moments('year', 1, 1),
  MONTH: moments('month', 1, 1),
  DAY: moments('day', 1, 1),
  HOUR: clocks('hour'),
  MINUTE: clocks('minute'),
  SECOND: clocks('second'),
  QUARTER: moments('quarter', 1, 1),
  WEEK: moments('week', 1, 2),
  YEARWEEK: moments('yearweek', 1, 2),
  WEEKOFYEAR: { least: 1, most: 1, type: fixed(integer), sql: (value) => `mysql_week(${asMoment(value!)}, 3)` },
  DATE: moments('date', 1, 1, date),
  TIME: clocks('time', time),
  TIMESTAMP: moments('timestamp', 1, 1, datetime),
  LAST_DAY: moments('last_day', 1, 1, date),
  DAYNAME: moments('dayname', 1, 1, text),
  MONTHNAME: moments('monthname', 1, 1, text),
  DAYOFWEEK: moments('dayofweek', 1, 1),
  WEEKDAY: moments('weekday', 1, 1),
  DAYOFYEAR: moments('dayofyear', 1, 1),
  TO_DAYS: moments('to_days', 1, 1),
  DATEDIFF: moments('datediff', 2, 2),
  DATE_FORMAT: moments('date_format', 2, 2, text),
  // The compiler sets the type, which depends on the format.
  STR_TO_DATE: own('str_to_date', 2, 2, datetime),
  TIMESTAMPDIFF: moments('timestampdiff', 3, 3, bigInteger),
  EXTRACT: {
    least: 2,
    most: 2,
    type: fixed(bigInteger),
    sql: (unit, value) => `mysql_extract(${unit!.sql}, ${asClock(value!)})`,
  },
  MAKEDATE: {
    least: 2,
    most: 2,
    type: fixed(date),
    sql: (year, day) => `mysql_makedate(${plainNumber(year!)}, ${plainNumber(day!)})`,
  },
  FROM_DAYS: { least: 1, most: 1, type: fixed(date), sql: (days) => `mysql_from_days(${plainNumber(days!)})` },
  TIME_TO_SEC: clocks('time_to_sec'),
  SEC_TO_TIME: {
    least: 1,
    most: 1,
    type: fixed(time),
    sql: (seconds) => `mysql_sec_to_time(${plainNumber(seconds!)})`,
  },
  UNIX_TIMESTAMP: {
    least: 0,
    most: 1,
    type: fixed(bigInteger),
    sql: (value) => `mysql_unix_timestamp(${value ? asMoment(value) : `'${now}'`})`,
  },
  FROM_UNIXTIME: {
    least: 1,
    most: 2,
    type: (types) => (types.length > 1 ? text : datetime),
    sql: (value, format) =>
      format
        ? `mysql_from_unixtime_format(${asNumber(value!)}, ${asText(format)})`
        : `mysql_from_unixtime(${asNumber(value!)})`,
  },
  NOW: { least: 0, most: 1, type: fixed(datetime), sql: () => `'${now}'` },
  CURDATE: { least: 0, most: 0, type: fixed(date), sql: () => `'${now.slice(0, 10)}'` },
  CURTIME: { least: 0, most: 1, type: fixed(time), sql: () => `'${now.slice(11)}'` },

  VERSION: { least: 0, most: 0, type: fixed(text), sql: () => `'8.0.33'` },
  USER: { least: 0, most: 0, type: fixed(text), sql: () => `'admin@localhost'` },
};

/** Whether a pattern fits letters by their case. */
export const isCased = (value: Argument, pattern: Argument) =>
  collationOf([value.type, pattern.type]).collation !== undefined;

/** Other names for the same functions. */
const synonyms: { [name: string]: string } = {
  LCASE: 'LOWER',
  UCASE: 'UPPER',
  OCTET_LENGTH: 'LENGTH',
  CHARACTER_LENGTH: 'CHAR_LENGTH',
  SUBSTR: 'SUBSTRING',
  MID: 'SUBSTRING',
  POSITION: 'LOCATE',
  CEIL: 'CEILING',
  POW: 'POWER',
  DAYOFMONTH: 'DAY',
  CURRENT_TIMESTAMP: 'NOW',
  LOCALTIME: 'NOW',
  LOCALTIMESTAMP: 'NOW',
  SYSDATE: 'NOW',
  UTC_TIMESTAMP: 'NOW',
  CURRENT_DATE: 'CURDATE',
  UTC_DATE: 'CURDATE',
  CURRENT_TIME: 'CURTIME',
  CURRENT_USER: 'USER',
  SESSION_USER: 'USER',
};

/** Functions of MySQL that are none here. Source: MySQL 8.0 reference manual, "Built-In Function and Operator Reference". */
const notOffered = new Set(
  `ACOS ADDTIME AES_DECRYPT AES_ENCRYPT ASIN ATAN ATAN2 BENCHMARK BIN BIN_TO_UUID BIT_AND BIT_COUNT BIT_LENGTH BIT_OR BIT_XOR CHAR CHARSET
  COERCIBILITY COLLATION COMPRESS CONNECTION_ID CONV CONVERT_TZ COT CRC32 DEFAULT EXPORT_SET EXTRACTVALUE FOUND_ROWS FROM_BASE64 GET_FORMAT
  GET_LOCK GROUPING INET_ATON INET_NTOA INTERVAL IS_FREE_LOCK IS_UUID JSON_ARRAY JSON_ARRAYAGG JSON_CONTAINS JSON_EXTRACT JSON_KEYS
  JSON_LENGTH JSON_OBJECT JSON_OBJECTAGG JSON_TABLE JSON_UNQUOTE JSON_VALID JSON_VALUE LAST_INSERT_ID LOAD_FILE MAKETIME MAKE_SET
  MICROSECOND NAME_CONST OCT ORD PERIOD_ADD PERIOD_DIFF QUOTE RELEASE_LOCK ROW_COUNT SHA SHA1 SHA2 SLEEP SOUNDEX SUBTIME TIMEDIFF
  TIME_FORMAT TO_BASE64 TO_SECONDS UNCOMPRESS UNHEX UPDATEXML UTC_TIME UUID UUID_SHORT UUID_TO_BIN VALUES WEIGHT_STRING`.split(
    /\s+/,
  ),
);

export const isNotOffered = (name: string) => notOffered.has(name);

export function findFunction(name: string): Definition | null {
  return functions[synonyms[name] ?? name] ?? null;
}

/** Window functions that both dialects share, and the type of what they give. */
export const windowFunctions: { [name: string]: (types: SqlType[]) => SqlType } = {
  ROW_NUMBER: fixed(integer),
  RANK: fixed(integer),
  DENSE_RANK: fixed(integer),
  NTILE: fixed(integer),
  PERCENT_RANK: fixed(double),
  CUME_DIST: fixed(double),
  LAG: first,
  LEAD: first,
  FIRST_VALUE: first,
  LAST_VALUE: first,
  NTH_VALUE: first,
};
