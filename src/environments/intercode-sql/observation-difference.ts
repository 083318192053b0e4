/** How our observation differs from the one that was recorded with MySQL. */

/** Differences in which both mean the same. */
export type ToleratedDifference =
  /** The same rows in another order, which the query leaves open. */
  | 'row-order'
  /** The recorder cut the result (at 10, 15, 25 or 30 rows); all of its rows are among ours. */
  | 'cut-recording'
  /** Both are errors, in different words. */
  | 'error-wording'
  /** Numbers that agree to twelve digits. */
  | 'decimal-digits'
  /** The recorder's connector gave some texts as bytes, which Python prints as `b'…'`. */
  | 'connector-text'
  /** This environment shows only the first rows of a long result; all of them are among the recorded ones. */
  | 'row-limit';

export const toleratedDifferences: ReadonlySet<string> = new Set<ToleratedDifference>([
  'row-order',
  'cut-recording',
  'error-wording',
  'decimal-digits',
  'connector-text',
  'row-limit',
]);

/** What the environment writes after a result of which it shows a part. */
const rowLimitNote = / \(only the first \d+ rows are shown\)$/;

const recordedRows = [10, 15, 20, 25, 30];

/** @returns true for equal texts; the class of a difference in which both mean the same; false if they do not */
export function sameObservation(ours: string, recorded: string): boolean | { difference: ToleratedDifference } {
  if (ours === recorded) return true;
  const asText = withoutBytes(recorded);
  if (ours === asText) return { difference: 'connector-text' };
  const shown = ours.replace(rowLimitNote, '');
  const isError = (text: string) => text.startsWith('Error executing query:');
  if (isError(ours) && isError(recorded)) return { difference: 'error-wording' };
  const [ownRows, theirRows] = [rowsOf(shown), rowsOf(asText)];
  if (!ownRows || !theirRows) return false;
  if (shown !== ours && isWithin(ownRows, theirRows)) return { difference: 'row-limit' };
  if (ownRows.length === theirRows.length) {
    if (isWithin(theirRows, ownRows)) return { difference: 'row-order' };
    const rounded = (rows: string[]) => rows.map(roundNumbers);
    return isWithin(rounded(theirRows), rounded(ownRows)) ? { difference: 'decimal-digits' } : false;
  }
  if (recordedRows.includes(theirRows.length) && ownRows.length > theirRows.length && isWithin(theirRows, ownRows)) {
    return { difference: 'cut-recording' };
  }
  return false;
}

function isWithin(part: string[], whole: string[]): boolean {
  const counts = new Map<string, number>();
  for (const row of whole) counts.set(row, (counts.get(row) ?? 0) + 1);
  return part.every((row) => {
    const left = counts.get(row) ?? 0;
    counts.set(row, left - 1);
    return left > 0;
  });
}

const roundNumbers = (row: string) => row.replace(/\d+\.\d+/g, (digits) => Number(digits).toPrecision(12));

/** Bytes that Python printed, as the texts that they are: the `b` goes, and `\\xc3\\xa9` becomes `é`. */
export function withoutBytes(text: string): string {
  return text.replace(/b?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/g, (printed) =>
    printed.startsWith('b') ? printed.slice(1).replace(/(?:\\x[89a-f][0-9a-f])+/g, decoded) : printed,
  );
}

const decoded = (escapes: string) => Buffer.from(escapes.replaceAll('\\x', ''), 'hex').toString();

/** Tuples of a printed Python list; null for other text. */
export function rowsOf(text: string): string[] | null {
  if (!text.startsWith('[') || !text.endsWith(']')) return null;
  const rows: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of text.slice(1, -1).matchAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[()]/g)) {
    if (token === '(' && depth++ === 0) start = index;
    else if (token === ')' && --depth === 0) rows.push(text.slice(start + 1, index + 2));
  }
  return rows;
}
