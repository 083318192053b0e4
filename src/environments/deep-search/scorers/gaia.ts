/**
 * GAIA's quasi-exact match (arXiv 2311.12983): numbers as numbers, lists element by element, texts without blanks and punctuation. In one thing it is
 * stricter than the published scorer, which takes an answer that is no number for infinity: where the gold answer is `inf`, any text would be right.
 */
import { asciiPunctuation } from './text.ts';

const pythonNumber =
  /^[+-]?(?:inf(?:inity)?|nan|(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?)$/i;

/** A text as Python's `float` reads it, digits of all scripts included; null if it is no number. */
function pythonFloat(text: string): number | null {
  const plain = text.trim().replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
  if (!pythonNumber.test(plain)) return null;
  const word = plain.toLowerCase().replace(/^[+-]/, '');
  if (word === 'nan') return Number.NaN;
  if (word.startsWith('inf')) return plain.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(plain.replaceAll('_', ''));
}

/** Digits of a script stand in tens, from 0 to 9. */
function digitValue(digit: string): number {
  let code = digit.codePointAt(0)!;
  if (code < 128) return code - 48;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - 1))) {
    code--;
    value++;
  }
  return value;
}

function isSameNumber(answer: string, gold: number): boolean {
  return pythonFloat(answer.replace(/[$%,]/g, '')) === gold;
}

const bare = (text: string) => text.replace(/\s/g, '').toLowerCase();
const barer = (text: string) => bare(text).replace(asciiPunctuation, '');

export function isGaiaAnswer(answer: string, gold: string): boolean {
  const number = pythonFloat(gold);
  if (number !== null) return isSameNumber(answer, number);
  if (!/[,;]/.test(gold)) return barer(answer) === barer(gold);
  const [given, wanted] = [answer.split(/[,;]/), gold.split(/[,;]/)];
  return (
    given.length === wanted.length &&
    wanted.every((element, index) => {
      const wantedNumber = pythonFloat(element);
      return wantedNumber === null ? bare(given[index]!) === bare(element) : isSameNumber(given[index]!, wantedNumber);
    })
  );
}
