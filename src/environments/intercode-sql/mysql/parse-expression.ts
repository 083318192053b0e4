/** Recursive descent over MySQL's operator precedence, lowest first: OR, XOR, AND, NOT, comparison, |, &, shifts, sums, products, ^, signs. */
import { MysqlError, type Reader } from './reader.ts';
import type { Expression, Order, Query, Window } from './syntax.ts';
import { isUnit } from './temporal-values.ts';

/** A call of a function that MySQL does not know. The message lacks the database's name, which the parser does not know. */
export class UnknownFunctionError extends MysqlError {
  readonly functionName: string;

  constructor(functionName: string) {
    super(`FUNCTION ${functionName} does not exist`);
    this.functionName = functionName;
  }
}

/** Functions whose name must touch the parenthesis. Source: MySQL 8.0 reference manual, "Function Name Parsing and Resolution". */
const touching = new Set(
  `ADDDATE BIT_AND BIT_OR BIT_XOR CAST COUNT CURDATE CURTIME DATE_ADD DATE_SUB EXTRACT GROUP_CONCAT MAX MID MIN NOW POSITION STD STDDEV
  STDDEV_POP STDDEV_SAMP SUBDATE SUBSTR SUBSTRING SUM SYSDATE TRIM VARIANCE VAR_POP VAR_SAMP`.split(/\s+/),
);

/** Reserved words that are also functions. */
const callableWords = new Set(
  `IF REPLACE LEFT RIGHT REPEAT INSERT CHAR DATABASE SCHEMA MOD VALUES RANK DENSE_RANK ROW_NUMBER LAG LEAD FIRST_VALUE LAST_VALUE
  NTH_VALUE NTILE CUME_DIST PERCENT_RANK CURRENT_DATE CURRENT_TIMESTAMP CURRENT_TIME LOCALTIME LOCALTIMESTAMP GROUPING CURRENT_USER`.split(
    /\s+/,
  ),
);
const withoutParentheses = new Set([
  'CURRENT_DATE',
  'CURRENT_TIMESTAMP',
  'CURRENT_TIME',
  'LOCALTIME',
  'LOCALTIMESTAMP',
  'CURRENT_USER',
]);

export function parseExpression(reader: Reader): Expression {
  return leftAssociative(reader, parseXor, (token) => (token === 'OR' || token === '||' ? 'OR' : null));
}

function parseXor(reader: Reader): Expression {
  return leftAssociative(reader, parseAnd, (token) => (token === 'XOR' ? 'XOR' : null));
}

function parseAnd(reader: Reader): Expression {
  return leftAssociative(reader, parseNot, (token) => (token === 'AND' || token === '&&' ? 'AND' : null));
}

function parseNot(reader: Reader): Expression {
  const start = reader.token.start;
  if (!reader.accept('NOT')) return parseComparison(reader);
  const operand = parseNot(reader);
  return { kind: 'unary', operator: 'NOT', operand, text: reader.textFrom(start) };
}

const comparisons = new Set(['=', '<=>', '>=', '>', '<=', '<', '<>', '!=']);

function parseComparison(reader: Reader): Expression {
  const start = reader.token.start;
  let left = parsePredicate(reader);
  for (;;) {
    const operator = reader.token.kind === 'symbol' && comparisons.has(reader.token.value) ? reader.token.value : null;
    if (operator !== null) {
      reader.next();
      const every = reader.isAny('ALL') ? true : reader.isAny('ANY', 'SOME') ? false : null;
      if (every !== null && reader.is('(', 1)) {
        reader.next();
        const query = parseSubquery(reader);
        left = { kind: 'quantified', operator, every, operand: left, query, text: reader.textFrom(start) };
      } else left = { kind: 'binary', operator, left, right: parsePredicate(reader), text: reader.textFrom(start) };
    } else if (reader.accept('IS')) {
      const negated = reader.accept('NOT');
      const what = reader.accept('NULL') || reader.accept('UNKNOWN') ? 'NULL' : reader.accept('TRUE') ? 'TRUE' : null;
      if (what === null) reader.expect('FALSE');
      left = { kind: 'is', negated, operand: left, what: what ?? 'FALSE', text: reader.textFrom(start) };
    } else return left;
  }
}

function parsePredicate(reader: Reader): Expression {
  const start = reader.token.start;
  const operand = parseBitOr(reader);
  const negated = reader.is('NOT') && ['IN', 'BETWEEN', 'LIKE', 'REGEXP', 'RLIKE'].some((word) => reader.is(word, 1));
  if (negated) reader.next();
  if (reader.accept('IN')) {
    if (reader.is('(') && startsQuery(reader, 1)) {
      return { kind: 'in', negated, operand, list: parseSubquery(reader), text: reader.textFrom(start) };
    }
    reader.expect('(');
    const list = reader.list(() => parseExpression(reader));
    reader.expect(')');
    return { kind: 'in', negated, operand, list, text: reader.textFrom(start) };
  }
  if (reader.accept('BETWEEN')) {
    const low = parseBitOr(reader);
    reader.expect('AND');
    return { kind: 'between', negated, operand, low, high: parsePredicate(reader), text: reader.textFrom(start) };
  }
  if (reader.isAny('LIKE', 'REGEXP', 'RLIKE')) {
    const regular = reader.next().value !== 'LIKE';
    const pattern = parseBitOr(reader);
    let escapeCharacter: string | null = null;
    if (!regular && reader.accept('ESCAPE')) {
      if (reader.token.kind !== 'string') reader.fail();
      escapeCharacter = reader.next().value;
    }
    return { kind: 'like', negated, regular, operand, pattern, escape: escapeCharacter, text: reader.textFrom(start) };
  }
  return operand;
}

const symbols =
  (...accepted: string[]) =>
  (token: string) =>
    accepted.includes(token) ? token : null;

const parseBitOr = (reader: Reader): Expression => leftAssociative(reader, parseBitAnd, symbols('|'));
const parseBitAnd = (reader: Reader): Expression => leftAssociative(reader, parseShift, symbols('&'));
const parseShift = (reader: Reader): Expression => leftAssociative(reader, parseSum, symbols('<<', '>>'));
const parseSum = (reader: Reader): Expression => leftAssociative(reader, parseProduct, symbols('+', '-'));
const parseProduct = (reader: Reader): Expression =>
  leftAssociative(reader, parsePower, (token) => (token === 'MOD' ? '%' : symbols('*', '/', '%', 'DIV')(token)));
const parsePower = (reader: Reader): Expression => leftAssociative(reader, parseSign, symbols('^'));

function leftAssociative(
  reader: Reader,
  operand: (reader: Reader) => Expression,
  operatorOf: (token: string) => string | null,
): Expression {
  const start = reader.token.start;
  let left = operand(reader);
  for (;;) {
    const { kind, value } = reader.token;
    const operator = kind === 'word' || kind === 'symbol' ? operatorOf(value) : null;
    if (operator === null) return left;
    reader.next();
    left = { kind: 'binary', operator, left, right: operand(reader), text: reader.textFrom(start) };
  }
}

function parseSign(reader: Reader): Expression {
  const start = reader.token.start;
  for (const operator of ['-', '+', '~', '!', 'BINARY'] as const) {
    if (reader.accept(operator)) {
      const operand = parseSign(reader);
      return { kind: 'unary', operator: operator === '!' ? 'NOT' : operator, operand, text: reader.textFrom(start) };
    }
  }
  let operand = parsePrimary(reader);
  while (reader.accept('COLLATE')) {
    if (reader.token.kind !== 'word' && reader.token.kind !== 'string') reader.fail();
    const { kind, text, value } = reader.next();
    operand = { kind: 'collate', operand, collation: kind === 'word' ? text : value, text: reader.textFrom(start) };
  }
  return operand;
}

/** The largest BIGINT, and the largest one without a sign. */
const [biggest, biggestUnsigned] = [2n ** 63n - 1n, 2n ** 64n - 1n];

/** What may stand right before a text: its character set, or X or B for bytes. */
function readIntroducer(reader: Reader): void {
  const { value } = reader.token;
  if (['N', '_UTF8MB4', '_UTF8MB3', '_UTF8'].includes(value)) reader.next();
  else if (['X', 'B', '_BINARY'].includes(value) || /^_[A-Z]\w*$/.test(value))
    throw new MysqlError('Literals of bytes and of other character sets are not available in this environment');
}

function parsePrimary(reader: Reader): Expression {
  const { token } = reader;
  const start = token.start;
  const literal = (type: Extract<Expression, { kind: 'literal' }>['type'], value: string): Expression => {
    return { kind: 'literal', type, value, text: reader.textFrom(start) };
  };
  if (token.kind === 'number') {
    reader.next();
    if (/^0x/i.test(token.value)) throw new MysqlError('Hexadecimal numbers are not available in this environment');
    if (/^\d+$/.test(token.value) && BigInt(token.value) > biggest) {
      if (BigInt(token.value) <= biggestUnsigned)
        throw new MysqlError('UNSIGNED numbers beyond BIGINT are not available in this environment');
      return literal('decimal', token.value);
    }
    return literal(/e/i.test(token.value) ? 'double' : token.value.includes('.') ? 'decimal' : 'integer', token.value);
  }
  if (token.kind === 'word' && reader.peek().kind === 'string' && reader.peek().start === token.end) {
    readIntroducer(reader);
  }
  if (reader.token.kind === 'string') {
    let value = '';
    while (reader.token.kind === 'string') value += reader.next().value;
    return literal('string', value);
  }
  if (token.kind === 'variable') throw new MysqlError('Variables are not available in this environment');
  if (reader.is('(')) {
    if (startsQuery(reader, 1)) {
      return { kind: 'subquery', query: parseSubquery(reader), text: reader.textFrom(start) };
    }
    reader.next();
    const items = reader.list(() => parseExpression(reader));
    reader.expect(')');
    return items.length === 1 ? items[0]! : { kind: 'row', items, text: reader.textFrom(start) };
  }
  if (reader.accept('NULL')) return literal('null', 'NULL');
  if (reader.isAny('TRUE', 'FALSE')) return literal('boolean', reader.next().value);
  if (reader.is('EXISTS') && reader.is('(', 1)) {
    reader.next();
    return { kind: 'exists', query: parseSubquery(reader), text: reader.textFrom(start) };
  }
  if (reader.accept('CASE')) return parseCase(reader, start);
  if (reader.isAny('CAST', 'CONVERT') && reader.is('(', 1)) return parseCast(reader, start);
  if (reader.isAny('DATE', 'TIMESTAMP', 'TIME') && reader.peek().kind === 'string') {
    const type = reader.next().value === 'TIMESTAMP' ? 'DATETIME' : token.value;
    const { text, value } = reader.next();
    const operand: Expression = { kind: 'literal', type: 'string', value, text };
    return { kind: 'cast', operand, type, size: [], text: reader.textFrom(start) };
  }
  if (reader.accept('INTERVAL')) {
    const amount = parseBitOr(reader);
    return { kind: 'interval', amount, unit: parseUnit(reader), text: reader.textFrom(start) };
  }
  if (token.kind === 'word' && withoutParentheses.has(token.value) && !reader.is('(', 1)) {
    reader.next();
    return call(token.value, reader.textFrom(start));
  }
  if (token.kind === 'word' && reader.is('(', 1) && (reader.isIdentifier() || callableWords.has(token.value)))
    return parseCall(reader);
  return parseColumn(reader);
}

/** A unit of time, perhaps in the longer form of TIMESTAMPDIFF. */
function parseUnit(reader: Reader): string {
  const unit = reader.token.value.replace(/^SQL_TSI_/, '');
  if (reader.token.kind !== 'word' || !isUnit(unit)) reader.fail();
  reader.next();
  return unit;
}

function call(name: string, text: string): Extract<Expression, { kind: 'call' }> {
  return {
    kind: 'call',
    name,
    arguments: [],
    star: false,
    distinct: false,
    orderBy: [],
    separator: null,
    over: null,
    text,
  };
}

/** Words that begin the call of a window function, so that MySQL misses what follows them. */
const windowWords = [
  'RANK',
  'DENSE_RANK',
  'PERCENT_RANK',
  'CUME_DIST',
  'ROW_NUMBER',
  'NTILE',
  'LAG',
  'LEAD',
  'FIRST_VALUE',
  'LAST_VALUE',
  'NTH_VALUE',
];

function parseColumn(reader: Reader): Expression {
  const start = reader.token.start;
  if (!reader.lenient && reader.isAny(...windowWords)) reader.fail(reader.peek());
  const names = [reader.identifier()];
  while (names.length < 3 && reader.accept('.')) names.push(reader.identifierAfterDot());
  const name = names.pop()!;
  return {
    kind: 'column',
    name,
    table: names.pop() ?? null,
    database: names.pop() ?? null,
    text: reader.textFrom(start),
  };
}

function parseCase(reader: Reader, start: number): Expression {
  const operand = reader.is('WHEN') ? null : parseExpression(reader);
  const branches: { when: Expression; result: Expression }[] = [];
  while (reader.accept('WHEN')) {
    const when = parseExpression(reader);
    reader.expect('THEN');
    branches.push({ when, result: parseExpression(reader) });
  }
  if (!branches.length) reader.fail();
  const otherwise = reader.accept('ELSE') ? parseExpression(reader) : null;
  reader.expect('END');
  return { kind: 'case', operand, branches, otherwise, text: reader.textFrom(start) };
}

const castTypes = new Set([
  'SIGNED',
  'UNSIGNED',
  'CHAR',
  'NCHAR',
  'BINARY',
  'DATE',
  'DATETIME',
  'TIME',
  'DECIMAL',
  'DEC',
  'DOUBLE',
  'FLOAT',
  'REAL',
  'YEAR',
  'JSON',
]);

/** CAST(x AS type), CONVERT(x, type), CONVERT(x USING charset) */
function parseCast(reader: Reader, start: number): Expression {
  const isCast = reader.next().value === 'CAST';
  reader.expect('(');
  const operand = parseExpression(reader);
  let type = 'CHAR';
  const size: string[] = [];
  if (!isCast && reader.accept('USING')) type = characterSet(reader);
  else {
    reader.expect(isCast ? 'AS' : ',');
    if (reader.token.kind !== 'word' || !castTypes.has(reader.token.value)) reader.fail();
    type = reader.next().value;
    if (type === 'SIGNED' || type === 'UNSIGNED') reader.accept('INTEGER') || reader.accept('INT');
    if (reader.accept('(')) {
      size.push(...reader.list(() => reader.next().value));
      reader.expect(')');
    }
    if (reader.accept('CHARACTER', 'SET') || reader.accept('CHARSET')) type = characterSet(reader);
  }
  reader.expect(')');
  return { kind: 'cast', operand, type, size, text: reader.textFrom(start) };
}

/** The type of text in a character set: those of Unicode hold the same characters, and BINARY holds bytes. */
function characterSet(reader: Reader): 'CHAR' | 'BINARY' {
  const name = reader.next().value.toLowerCase();
  if (['utf8mb4', 'utf8mb3', 'utf8'].includes(name)) return 'CHAR';
  if (name === 'binary') return 'BINARY';
  throw new MysqlError(`The character set ${name} is not available in this environment`);
}

function parseCall(reader: Reader): Expression {
  const name = reader.next();
  if (!reader.lenient && touching.has(name.value) && reader.token.start !== name.end) {
    // MySQL then reads the name as that of a stored function, which takes neither * nor DISTINCT.
    if (reader.is('*', 1) || reader.is('DISTINCT', 1)) reader.fail(reader.peek());
    throw new UnknownFunctionError(name.text);
  }
  reader.expect('(');
  const result = call(name.value, '');
  if (reader.accept('*')) {
    if (name.value !== 'COUNT') reader.fail();
    result.star = true;
  } else if (!reader.is(')')) {
    result.distinct = reader.accept('DISTINCT');
    if (name.value === 'EXTRACT') parseExtract(reader, result);
    else if (name.value === 'TRIM') parseTrim(reader, result);
    else if (name.value === 'TIMESTAMPDIFF' || name.value === 'TIMESTAMPADD') {
      result.arguments.push({ kind: 'literal', type: 'string', value: parseUnit(reader), text: '' });
      reader.expect(',');
      result.arguments.push(...reader.list(() => parseExpression(reader)));
    } else if (name.value === 'POSITION') {
      result.arguments.push(parseBitOr(reader));
      reader.expect('IN');
      result.arguments.push(parseExpression(reader));
    } else result.arguments.push(...reader.list(() => parseExpression(reader)));
    if (['SUBSTRING', 'SUBSTR', 'MID'].includes(name.value) && reader.accept('FROM')) {
      result.arguments.push(parseExpression(reader));
      if (reader.accept('FOR')) result.arguments.push(parseExpression(reader));
    }
    if (name.value === 'GROUP_CONCAT') {
      if (reader.accept('ORDER', 'BY')) result.orderBy = parseOrder(reader);
      if (reader.accept('SEPARATOR')) result.separator = reader.next().value;
    }
  }
  reader.expect(')');
  if (reader.accept('OVER')) result.over = parseWindow(reader);
  result.text = reader.textFrom(name.start);
  return result;
}

function parseExtract(reader: Reader, result: Extract<Expression, { kind: 'call' }>): void {
  const unit = parseUnit(reader);
  reader.expect('FROM');
  result.arguments.push({ kind: 'literal', type: 'string', value: unit, text: unit }, parseExpression(reader));
}

/** TRIM([BOTH | LEADING | TRAILING] [characters FROM] text) becomes TRIM, LTRIM or RTRIM of text and characters. */
function parseTrim(reader: Reader, result: Extract<Expression, { kind: 'call' }>): void {
  if (reader.accept('LEADING')) result.name = 'LTRIM';
  else if (reader.accept('TRAILING')) result.name = 'RTRIM';
  else reader.accept('BOTH');
  const first = parseExpression(reader);
  if (reader.accept('FROM')) result.arguments.push(parseExpression(reader), first);
  else result.arguments.push(first);
}

export function parseOrder(reader: Reader): Order[] {
  return reader.list(() => {
    const expression = parseExpression(reader);
    const descending = reader.accept('DESC');
    if (!descending) reader.accept('ASC');
    return { expression, descending };
  });
}

function parseWindow(reader: Reader): Window {
  reader.expect('(');
  const partitionBy = reader.accept('PARTITION', 'BY') ? reader.list(() => parseExpression(reader)) : [];
  const orderBy = reader.accept('ORDER', 'BY') ? parseOrder(reader) : [];
  const words: string[] = [];
  const frameWords = ['ROWS', 'RANGE', 'BETWEEN', 'UNBOUNDED', 'PRECEDING', 'FOLLOWING', 'CURRENT', 'ROW', 'AND'];
  while (!reader.is(')')) {
    if (reader.token.kind !== 'number' && !reader.isAny(...frameWords)) reader.fail();
    words.push(reader.next().value);
  }
  reader.expect(')');
  return { partitionBy, orderBy, frame: words.join(' ') };
}

/** Whether a query begins at this distance, perhaps within further parentheses. */
export function startsQuery(reader: Reader, distance: number): boolean {
  let position = distance;
  while (reader.is('(', position)) position++;
  return reader.is('SELECT', position) || (position === distance && reader.is('WITH', position));
}

/** `(` query `)` */
export function parseSubquery(reader: Reader): Query {
  reader.expect('(');
  const query = reader.parseQuery();
  reader.expect(')');
  return query;
}
