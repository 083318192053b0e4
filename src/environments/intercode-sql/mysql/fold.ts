/** The letters that MySQL's collation utf8mb4_general_ci takes for the same: without case and accents. Its order is that of what is left. */

/** Latin, Greek and Cyrillic letters lose their accents; letters of other scripts are only equal to themselves. */
const scripts = /[\u0080-\u058f\u1e00-\u1fff]/g;
const known = new Map<string, string>();

function folded(letter: string): string {
  if (letter === 'ß') return 'S';
  const base = letter.normalize('NFD').charAt(0).toUpperCase();
  return base.length === 1 ? base : letter;
}

/** Text in the form in which MySQL compares it; blanks at the end do not count. */
export const comparedForm = (text: string): string =>
  comparedLetters(text.endsWith(' ') ? text.replace(/ +$/, '') : text);

const isAscii = /^[\0-\x7f]*$/;

/** The same with the blanks at the end, which count for LIKE. */
export function comparedLetters(text: string): string {
  if (isAscii.test(text)) return text.toUpperCase();
  const upper = text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
  return upper.replace(scripts, (letter) => {
    const form = known.get(letter) ?? folded(letter);
    known.set(letter, form);
    return form;
  });
}
