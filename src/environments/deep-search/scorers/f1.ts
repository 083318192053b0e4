/** Exact match and F1 of the words, as the official script of HotpotQA computes them (arXiv 1809.09600). MuSiQue uses the same, over all answers. */
import type { Score } from './score.ts';
import { asciiPunctuation } from './text.ts';

export function normalizedAnswer(text: string): string {
  return text
    .toLowerCase()
    .replace(asciiPunctuation, '')
    .replace(/\b(?:a|an|the)\b/g, ' ')
    .split(/\s+/)
    .filter(Boolean)
    .join(' ');
}

/** Answers that are right or wrong as a whole. */
const wholeAnswers = new Set(['yes', 'no', 'noanswer']);

export function f1(answer: string, gold: string): number {
  const [given, wanted] = [normalizedAnswer(answer), normalizedAnswer(gold)];
  if (given !== wanted && (wholeAnswers.has(given) || wholeAnswers.has(wanted))) return 0;
  const [words, goldWords] = [given.split(' '), wanted.split(' ')];
  const left = new Map<string, number>();
  for (const word of goldWords) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of words) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    common++;
  }
  return (2 * common) / (words.length + goldWords.length);
}

/** The best match with any of the right answers: F1 is the reward, an exact match is success. */
export function scoreByWords(answer: string, answers: readonly string[]): Score {
  const isExact = answers.some((gold) => normalizedAnswer(gold) === normalizedAnswer(answer));
  const best = Math.max(...answers.map((gold) => f1(answer, gold)));
  return { reward: isExact ? 1 : best, success: isExact, details: { em: Number(isExact), f1: best } };
}
