/**
 * Where MariaDB answers otherwise than MySQL 8. Each rule names statements by what stands in them, says why, and still compares: it accepts
 * no answer but the one that differs for its reason.
 */

export type KnownDifference = {
  rule: string;
  why: string;
  /** Statements that it can concern. */
  concerns: RegExp;
  /** Whether the answers differ for this reason alone: rows as they are printed, in the order in which they are compared. */
  explains(ours: string[], theirs: string[]): boolean;
};

/** Whether the rows are the same after a change to the text of each. */
const sameAfter = (change: (row: string) => string) => (ours: string[], theirs: string[]) =>
  ours.length === theirs.length && ours.map(change).join('\n') === theirs.map(change).join('\n');

const numbers = /-?\d+\.\d+(?:e[+-]\d+)?/g;

/** Whether all numbers with a fraction agree to a share of their size, and everything else is the same. */
const nearly = (share: number) => (ours: string[], theirs: string[]) => {
  const [own, other] = [ours.join('\n'), theirs.join('\n')];
  if (own.replace(numbers, '#') !== other.replace(numbers, '#')) return false;
  const [first, second] = [own.match(numbers) ?? [], other.match(numbers) ?? []];
  return first.every((text, index) => {
    const [a, b] = [Number(text), Number(second[index])];
    return Math.abs(a - b) <= share * Math.max(Math.abs(a), Math.abs(b), 1);
  });
};

export const knownDifferences: KnownDifference[] = [
  {
    rule: 'integer-as-decimal',
    why: 'MySQL 8 keeps an integer when it rounds to tens or changes the sign; MariaDB makes a decimal of it, which could hold one digit more.',
    concerns: /ROUND\(.*-1\)|-\(/,
    explains: sameAfter((row) => row.replace(/Decimal\('(-?\d+)'\)/g, '$1')),
  },
  {
    rule: 'distinct-constants',
    why: 'MariaDB reduces DISTINCT rows of constants to one row and then forgets OFFSET; MySQL 8 skips that row.',
    concerns: /^SELECT DISTINCT (?!.*\b[ab]\.`.* FROM).* (OFFSET 1|LIMIT \d, \d)$/,
    explains: (ours, theirs) => ours.length === 0 && theirs.length === 1,
  },
  {
    rule: 'time-of-a-date',
    why: 'MySQL reads the text of a date as digits of a time, as MINUTE does in both; MariaDB gives 0 for EXTRACT of a part of the day.',
    concerns: /EXTRACT\((HOUR_MINUTE|MICROSECOND|HOUR) FROM .*'\d{4}-\d\d-\d\d'/,
    explains: sameAfter((row) => row.replace(/\d+/g, '#')),
  },
  {
    rule: 'long-floats',
    why: 'MariaDB sends a column float(10,2) with six digits; MySQL 8 sends those that are declared, as recorded sessions show.',
    concerns: /SurfaceArea|GNP|\* FROM country/,
    explains: nearly(1e-5),
  },
  {
    rule: 'narrow-average',
    why: 'MariaDB counts fewer digits for the results of some functions than they have, and then keeps no average of them.',
    concerns: /AVG\((DISTINCT )?(TRUNCATE|YEARWEEK|ROUND|UNIX_TIMESTAMP|TO_DAYS|EXTRACT)/,
    explains: sameAfter((row) => row.replace(/Decimal\('[\d.]+'\)/g, '#')),
  },
  {
    rule: 'order-of-doubles',
    why: 'Sums of doubles depend on the order in which they are added, which neither server fixes.',
    concerns: /(SUM|AVG)\(/i,
    explains: nearly(1e-12),
  },
  {
    rule: 'digits-of-a-cast',
    why: 'MariaDB takes CAST(… AS CHAR) for a text without a fraction when it is added to a double; for MySQL 8 each text has its own digits.',
    concerns: /CAST\(.* AS CHAR\).* \+ /,
    explains: sameAfter((row) => row.replace(/-?\d+(\.\d+)?/g, '#')),
  },
  {
    rule: 'percent-rank',
    why: 'MariaDB gives PERCENT_RANK ten digits; MySQL 8 gives it all digits of a double.',
    concerns: /PERCENT_RANK\(\)/,
    explains: nearly(1e-9),
  },
  {
    rule: 'order-of-equals',
    why: 'Texts that differ only in case are equal, so that ORDER BY leaves them in any order.',
    concerns: /GROUP_CONCAT\(.*ORDER BY/,
    explains: sameAfter((row) => row.toLowerCase()),
  },
  {
    rule: 'kept-quotients',
    why: 'A plan that keeps a quotient in a table before it adds rounds it to the digits that are shown. Both servers do so in some plans.',
    concerns: /(SUM|AVG)\([^)]* \/ /,
    explains: nearly(1e-3),
  },
];
