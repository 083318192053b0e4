/**
 * How alike two short texts are, whatever the order of their words: the token set ratio of the library `thefuzz` (0.19), which the benchmark's
 * reward is defined by. Texts are compared as sets of words; the ratio of two texts is twice their longest common subsequence divided by both
 * lengths.
 */

/** @returns a whole number from 0 to 100 */
export function tokenSetRatio(one: string, other: string): number {
  if (one === other) return 100;
  const [words, others] = [wordsOf(one), wordsOf(other)];
  if (words.size === 0 || others.size === 0) return 0;
  const common = sortedText(words.intersection(others));
  const both = `${common} ${sortedText(words.difference(others))}`.trim();
  const otherBoth = `${common} ${sortedText(others.difference(words))}`.trim();
  return Math.max(ratio(common, both), ratio(common, otherBoth), ratio(both, otherBoth));
}

/** The library removes Latin-1's upper half, and nothing else that is not ASCII. */
function wordsOf(text: string): Set<string> {
  const plain = text
    .replace(/[\u0080-\u00ff]/g, '')
    .replace(/[^\p{L}\p{N}_]/gu, ' ')
    .toLowerCase();
  return new Set(plain.split(' ').filter((word) => word !== ''));
}

const sortedText = (words: Set<string>) => [...words].sort().join(' ');

function ratio(one: string, other: string): number {
  if (one === other) return one === '' ? 0 : 100;
  if (one === '' || other === '') return 0;
  return Math.round((200 * commonLength(one, other)) / (one.length + other.length));
}

/** Length of the longest common subsequence. */
function commonLength(one: string, other: string): number {
  let above = new Uint32Array(other.length + 1);
  for (const character of one) {
    const row = new Uint32Array(other.length + 1);
    for (let index = 0; index < other.length; index++)
      row[index + 1] = other[index] === character ? above[index]! + 1 : Math.max(above[index + 1]!, row[index]!);
    above = row;
  }
  return above[other.length]!;
}
