/** Values of functions on text. */
import { createHash } from 'node:crypto';

import { decoded, toDecimal } from './decimal.ts';
import { comparedForm, comparedLetters } from './fold.ts';
import { rounded } from './number-values.ts';
import {
  allAsIntegers,
  type Given,
  type Implementation,
  number,
  string,
  type Value,
  ValueError,
  whole,
} from './values.ts';

/** The most characters that a function makes out of few: MySQL gives NULL beyond its packet size, which is larger. */
const mostCharacters = 10_000;

function compareTexts(left: Given | undefined, right: Given | undefined): number {
  const [a, b] = [comparedForm(string(left)), comparedForm(string(right))];
  return a < b ? -1 : a > b ? 1 : 0;
}

const extremeOf =
  (sign: number): Implementation =>
  (...values) =>
    values.reduce((best, value) => (compareTexts(value, best) * sign > 0 ? value : best));

/** MAX (1) or MIN (-1) of texts. */
export const extremeText = (sign: number) => ({
  start: (): Value => null,
  step: (best: Value, value: Value): Value =>
    best === null || (value !== null && compareTexts(String(value), String(best)) * sign > 0) ? value : best,
  result: (best: Value) => best,
});

function substring(value: Given | undefined, position: Given | undefined, count?: Given): string {
  const characters = [...string(value)];
  const at = whole(position);
  if (at === 0) return '';
  const start = at > 0 ? at - 1 : characters.length + at;
  if (start < 0) return '';
  return characters.slice(start, count === undefined ? undefined : start + Math.max(0, whole(count))).join('');
}

function padded(
  value: Given | undefined,
  length: Given | undefined,
  filler: Given | undefined,
  left: boolean,
): string | null {
  if (whole(length) < 0) return null;
  const size = Math.min(whole(length), mostCharacters);
  const characters = [...string(value)];
  if (characters.length >= size) return characters.slice(0, size).join('');
  if (string(filler) === '') return '';
  const missing = size - characters.length;
  const fill = [...string(filler).repeat(Math.ceil(missing / [...string(filler)].length))].slice(0, missing).join('');
  return left ? fill + string(value) : string(value) + fill;
}

/** Characters before the place, and 1; 0 if the part is nowhere. */
function position(text: string, part: string, from: number): number {
  const letters = [...text];
  const bytes = (each: string) => Buffer.byteLength(each);
  const [form, wanted] = [text, part].map((each) => [...each].map(comparedLetters)) as [string[], string[]];
  if (from < 1) return 0;
  for (let start = from - 1; start + wanted.length <= form.length; start++) {
    // MySQL compares as many bytes as the part has.
    const isSame = wanted.every((letter, index) => letter === form[start + index]);
    if (isSame && bytes(letters.slice(start, start + wanted.length).join('')) === bytes(part)) return start + 1;
  }
  return 0;
}

function substringIndex(value: string, delimiter: string, count: number): string {
  if (delimiter === '' || count === 0) return '';
  const parts = value.split(delimiter);
  return (count > 0 ? parts.slice(0, count) : parts.slice(count)).join(delimiter);
}

/** Text of a double: `scale` digits, or as few as tell it apart if that is -1; `digits` significant ones at most. */
function doubleText(value: Given | undefined, scale: Given | undefined, digits: Given | undefined): string {
  const read = number(digits) < 17 ? Number(number(value).toPrecision(number(digits))) : number(value);
  if (number(scale) >= 0) return read.toFixed(number(scale));
  const magnitude = Math.abs(read);
  if (magnitude >= 1e15 || (magnitude < 1e-15 && magnitude > 0)) return read.toExponential().replace('e+', 'e');
  const [mantissa = '', exponent = '0'] = String(read).split('e-');
  if (exponent === '0') return String(Object.is(read, -0) ? '-0' : read);
  const [sign, figures] = [mantissa.startsWith('-') ? '-' : '', mantissa.replace(/[-.]/g, '')];
  return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${figures}`;
}

/** `digits` after the point, in groups of three before it. */
function formatted(value: string): string {
  const [whole_ = '', digits] = value.split('.');
  return whole_.replace(/\B(?=(\d{3})+$)/g, ',') + (digits === undefined ? '' : `.${digits}`);
}

const classes: { [name: string]: string } = {
  alpha: '\\p{L}',
  digit: '\\d',
  alnum: '\\p{L}\\p{N}',
  space: '\\s',
  upper: '\\p{Lu}',
  lower: '\\p{Ll}',
  punct: '\\p{P}',
  xdigit: '0-9A-Fa-f',
  blank: ' \\t',
};
const regularExpressions = new Map<string, RegExp>();

/** MySQL's regular expressions (ICU) in JavaScript's, as far as both mean the same. */
function regularExpression(pattern: string, isBinary: boolean): RegExp {
  const key = `${isBinary} ${pattern}`;
  const known = regularExpressions.get(key);
  if (known) return known;
  const [, options = '', body = ''] = /^(?:\(\?([ims]+)\))?([\s\S]*)$/.exec(pattern) ?? [];
  if (/\(\?[a-z-]*\)|\\[QEAZzGhHRX]|\[\[:[<>]:\]\]|[*+?}]\+|&&|--/.test(body)) {
    throw new ValueError('This form of a regular expression is not available in this environment');
  }
  const flags = new Set(['u', ...(isBinary ? '' : 'i'), ...options]);
  const source = body
    .replace(/\[:(\^?)(\w+):\]/g, (whole_, negated: string, name: string) =>
      negated || !classes[name] ? whole_ : classes[name],
    )
    // Characters that need no escape, and that JavaScript does not let one have.
    .replace(/\\([\s\S])/g, (whole_, letter: string) => (/[\w^$\\.*+?()[\]{}|/-]/.test(letter) ? whole_ : letter));
  try {
    const made = new RegExp(outsideOfClasses(source), [...flags].join(''));
    if (regularExpressions.size > 100) regularExpressions.clear();
    regularExpressions.set(key, made);
    return made;
  } catch {
    throw new ValueError('Illegal argument to a regular expression.');
  }
}

/** `\-` may stand only within brackets. */
function outsideOfClasses(source: string): string {
  return source.replace(/\[(?:[^\]\\]|\\.)*\]|\\-/gs, (part) => (part === '\\-' ? '-' : part));
}

function isLike(value: string, pattern: string, escapeCharacter: string): boolean {
  let source = '';
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index]!;
    if (character === escapeCharacter && index + 1 < characters.length) source += RegExp.escape(characters[++index]!);
    else if (character === '%') source += '[\\s\\S]*';
    else source += character === '_' ? '[\\s\\S]' : RegExp.escape(character);
  }
  return new RegExp(`^${source}$`, 'u').test(value);
}

export const textValues: { [name: string]: Implementation } = {
  ...allAsIntegers({
    length: (value) => Buffer.byteLength(string(value)),
    instr: (whole_, part, from = 1) => position(string(whole_), string(part), whole(from)),
    find_in_set: (value, list) =>
      string(list) === ''
        ? 0
        : string(list)
            .split(',')
            .findIndex((each) => compareTexts(each, value) === 0) + 1,
    ascii: (value) => Buffer.from(string(value))[0] ?? 0,
    strcmp: compareTexts,
    regexp: (value, pattern, isBinary) =>
      Number(regularExpression(string(pattern), whole(isBinary) === 1).test(string(value))),
    regexp_instr: (value, pattern, isBinary) => {
      const found = regularExpression(string(pattern), whole(isBinary) === 1).exec(string(value));
      return found ? [...string(value).slice(0, found.index)].length + 1 : 0;
    },
    like: (value, pattern, sign) => Number(isLike(string(value), string(pattern), string(sign))),
  }),
  decimal_text: (value, scale) => decoded(string(value)).toFixed(number(scale), 4),
  double_text: doubleText,
  decimal_format: (value, digits) =>
    formatted(decoded(string(value)).toFixed(Math.min(Math.max(whole(digits), 0), 30), 4)),
  regexp_substr: (value, pattern, isBinary) =>
    regularExpression(string(pattern), whole(isBinary) === 1).exec(string(value))?.[0] ?? null,
  regexp_replace: (value, pattern, isBinary, replacement) => {
    if (/[$\\]/.test(string(replacement)))
      throw new ValueError('Groups in a replacement are not available in this environment');
    const { source, flags } = regularExpression(string(pattern), whole(isBinary) === 1);
    return string(value).replace(new RegExp(source, `${flags}g`), () => string(replacement));
  },
  insert: (value, place, count, part) => {
    const letters = [...string(value)];
    const [start, length] = [whole(place), whole(count)];
    if (start < 1 || start > letters.length) return string(value);
    const end = length < 0 || start + length > letters.length ? letters.length : start - 1 + length;
    return letters.slice(0, start - 1).join('') + string(part) + letters.slice(end).join('');
  },
  hexadecimal: (value) => BigInt.asUintN(64, BigInt(value!)).toString(16).toUpperCase(),
  md5: (value) => createHash('md5').update(string(value)).digest('hex'),
  compared_form: (value) => comparedForm(string(value)),
  letters: (value) => comparedLetters(string(value)),
  upper: (value) =>
    string(value).replace(/./gsu, (letter) =>
      letter.toUpperCase().length === letter.length ? letter.toUpperCase() : letter,
    ),
  lower: (value) => string(value).toLowerCase(),
  double_format: (value, digits) => {
    const places = Math.min(Math.max(whole(digits), 0), 30);
    return formatted(toDecimal(rounded(value, places)).toFixed(places, 4));
  },
  substring,
  right: (value, count) => {
    const size = Math.max(0, whole(count));
    return size ? [...string(value)].slice(-size).join('') : '';
  },
  reverse: (value) => [...string(value)].reverse().join(''),
  repeat: (value, count) => {
    const times = Math.max(0, whole(count));
    if (times * string(value).length > mostCharacters)
      throw new ValueError(`REPEAT makes no more than ${mostCharacters} characters in this environment`);
    return string(value).repeat(times);
  },
  lpad: (value, length, filler) => padded(value, length, filler, true),
  rpad: (value, length, filler) => padded(value, length, filler, false),
  substring_index: (value, delimiter, count) => substringIndex(string(value), string(delimiter), whole(count)),
  greatest_text: extremeOf(1),
  least_text: extremeOf(-1),
};
