/**
 * Porter's stemmer for English (M. F. Porter, "An algorithm for suffix stripping", 1980), in the variant that its author recommends and Lucene
 * uses: `bli` becomes `ble`, `logi` becomes `log`, and words of one or two letters stay.
 */

const consonant = '[^aeiou]';
const vowel = '[aeiouy]';
const consonants = `${consonant}[^aeiouy]*`;
const vowels = `${vowel}[aeiou]*`;

/** The measure of a stem: how often vowels are followed by consonants in it. */
const isMeasured = new RegExp(`^(?:${consonants})?${vowels}${consonants}`);
const isMeasuredOnce = new RegExp(`^(?:${consonants})?${vowels}${consonants}(?:${vowels})?$`);
const isMeasuredTwice = new RegExp(`^(?:${consonants})?${vowels}${consonants}${vowels}${consonants}`);
const hasVowel = new RegExp(`^(?:${consonants})?${vowel}`);
/** Consonant, vowel, consonant at the end, the last of which is not w, x or y. */
const endsShort = new RegExp(`^${consonants}${vowel}[^aeiouwxy]$`);

const second: [suffix: string, replacement: string][] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['logi', 'log'],
];
const third: [suffix: string, replacement: string][] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];
const fourth = /^(.+?)(al|ance|ence|er|ic|able|ible|ant|ement|ment|ent|ou|ism|ate|iti|ous|ive|ize)$/;

/** @param word in lower case */
export function stemOf(word: string): string {
  if (word.length < 3) return word;
  // A y that begins a word is a consonant; in upper case no rule takes it for a vowel.
  const isYFirst = word.startsWith('y');
  let stem = isYFirst ? `Y${word.slice(1)}` : word;
  if (/(?:ss|i)es$/.test(stem)) stem = stem.slice(0, -2);
  else if (/[^s]s$/.test(stem)) stem = stem.slice(0, -1);
  stem = withoutPast(stem);
  if (stem.endsWith('y') && hasVowel.test(stem.slice(0, -1))) stem = `${stem.slice(0, -1)}i`;
  stem = replaced(replaced(stem, second), third);
  stem = withoutEnd(stem);
  if (stem.endsWith('e')) {
    const rest = stem.slice(0, -1);
    if (isMeasuredTwice.test(rest) || (isMeasuredOnce.test(rest) && !endsShort.test(rest))) stem = rest;
  }
  if (stem.endsWith('ll') && isMeasuredTwice.test(stem)) stem = stem.slice(0, -1);
  return isYFirst ? `y${stem.slice(1)}` : stem;
}

function withoutPast(word: string): string {
  if (word.endsWith('eed')) return isMeasured.test(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = /(?:ed|ing)$/.exec(word);
  const stem = word.slice(0, suffix?.index ?? 0);
  if (!hasVowel.test(stem)) return word;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/([^aeiouylsz])\1$/.test(stem)) return stem.slice(0, -1);
  return endsShort.test(stem) ? `${stem}e` : stem;
}

/** The longest suffix decides, whether or not its stem is long enough. */
function replaced(word: string, rules: readonly [suffix: string, replacement: string][]): string {
  const rule = rules.find(([suffix]) => word.endsWith(suffix));
  if (!rule) return word;
  const stem = word.slice(0, -rule[0].length);
  return isMeasured.test(stem) ? stem + rule[1] : word;
}

function withoutEnd(word: string): string {
  const found = fourth.exec(word);
  if (found) return isMeasuredTwice.test(found[1]!) ? found[1]! : word;
  const beforeIon = /^(.+?[st])ion$/.exec(word)?.[1];
  return beforeIon && isMeasuredTwice.test(beforeIon) ? beforeIon : word;
}
