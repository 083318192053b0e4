/**
 * Whether chosen and rejected can be told apart without knowing the task: by length alone, or by the words of the thought alone. If so, DPO can win
 * by learning who wrote an action (expert or policy) instead of which action is right.
 *
 * Both classifiers are trained and judged on different task groups. Each has two figures. `auc` is over all sides. `pairedAuc` is the share of pairs
 * whose chosen side scores higher (ties half): DPO compares within a pair, so it can exploit this one. Ours.
 */
import { messageText } from '../domain/message.ts';
import type { Pair } from '../domain/pairs/pair.ts';
import { areaUnderCurve } from '../domain/statistics/area-under-curve.ts';
import { seededRandom, shuffled } from '../domain/statistics/random.ts';
import { splitThought } from '../domain/thought.ts';
import type { RowFinding } from './finding.ts';

export type Separation = { auc: number; pairedAuc: number };

export type AuthorshipReport = {
  /** By the text length of the whole action; null if there are too few pairs or groups to tell. */
  length: Separation | null;
  /** By the words of the thought; null if too few pairs have a thought on either side, or there are too few groups. */
  thoughtWords: Separation | null;
  /** Whether any figure is above `authorshipLimit`. */
  warning: boolean;
};

export const authorshipLimit = 0.8;
/** Below this many pairs, 8 of 10 right happens by luck in one export of twenty. */
const leastPairs = 20;
const mostFolds = 5;
const seed = 'crux/authorship';

type Sample<Feature> = { group: string; chosen: Feature; rejected: Feature };
/** Gives a side a score: the higher, the more it looks like a chosen side. */
type Classifier<Feature> = (feature: Feature) => number;
/** Each fold is counted once, and trains the classifiers of all other folds. */
type Trainer<Feature, Counts> = {
  count(samples: readonly Sample<Feature>[]): Generator<void, Counts>;
  train(counts: readonly Counts[]): Classifier<Feature>;
};
/** The words of a side in their order, each as its index in the vocabulary: there may be too many for texts. */
type Words = Uint32Array;

/** It can be left after each pair: pairs of whole trajectories hold millions of words. */
export function* authorship(pairs: readonly Pair[]): Generator<void, AuthorshipReport> {
  const lengths: Sample<number>[] = [];
  const thoughts: Sample<Words>[] = [];
  const vocabulary = new Map<string, number>();
  for (const { group, chosen, rejected } of pairs) {
    lengths.push({ group, chosen: textLength(chosen), rejected: textLength(rejected) });
    const words = [chosen, rejected].map((side) => thoughtWordsOf(side, vocabulary));
    if (words.some((own) => own.length > 0)) thoughts.push({ group, chosen: words[0]!, rejected: words[1]! });
    yield;
  }
  const length = yield* crossValidated(lengths, lengthTrainer);
  const thoughtWords = yield* crossValidated(thoughts, wordsTrainer(vocabulary.size));
  const warning = [length, thoughtWords].some(
    (found) => found !== null && Math.max(found.auc, found.pairedAuc) > authorshipLimit,
  );
  return { length, thoughtWords, warning };
}

export function authorshipFinding(report: AuthorshipReport): RowFinding[] {
  if (!report.warning) return [];
  return [
    {
      rule: 'pair/authorship',
      effect: 'warning',
      reason: `Chosen and rejected can be told apart without knowing the task (limit ${authorshipLimit}; length ${separationText(report.length)}, thought ${separationText(report.thoughtWords)}): DPO may learn who wrote an action. Try --thought drop, or let the policy rewrite the thoughts.`,
    },
  ];
}

export function separationText(found: Separation | null): string {
  return found === null
    ? 'too few pairs to tell'
    : `AUC ${found.auc.toFixed(2)}, within pairs ${found.pairedAuc.toFixed(2)}`;
}

/** @returns null with fewer than `leastPairs` samples or two groups */
function* crossValidated<Feature, Counts>(
  samples: readonly Sample<Feature>[],
  { count, train }: Trainer<Feature, Counts>,
): Generator<void, Separation | null> {
  const groups = shuffled([...new Set(samples.map((sample) => sample.group))].sort(), seededRandom(seed));
  if (samples.length < leastPairs || groups.length < 2) return null;
  const foldOf = new Map(groups.map((group, index) => [group, index % mostFolds]));
  const folds: Sample<Feature>[][] = groups.slice(0, mostFolds).map(() => []);
  for (const sample of samples) folds[foldOf.get(sample.group)!]!.push(sample);
  const counts: Counts[] = [];
  for (const fold of folds) counts.push(yield* count(fold));
  let wins = 0;
  let weightedArea = 0;
  for (const [index, held] of folds.entries()) {
    const score = train(counts.filter((_, other) => other !== index));
    const chosen: number[] = [];
    const rejected: number[] = [];
    for (const sample of held) {
      const [right, wrong] = [score(sample.chosen), score(sample.rejected)];
      wins += right > wrong ? 1 : right === wrong ? 0.5 : 0;
      chosen.push(right);
      rejected.push(wrong);
      yield;
    }
    // Scores of different folds come from different classifiers: areas are averaged, scores never pooled.
    weightedArea += areaUnderCurve(chosen, rejected)! * held.length;
  }
  return { auc: round(weightedArea / samples.length), pairedAuc: round(wins / samples.length) };
}

/** Longer or shorter, whichever most chosen sides of the training pairs are. */
const lengthTrainer: Trainer<number, number> = {
  *count(samples) {
    let longer = 0;
    for (const { chosen, rejected } of samples) {
      longer += Math.sign(chosen - rejected);
      yield;
    }
    return longer;
  },
  train(counts) {
    const direction = Math.sign(counts.reduce((sum, longer) => sum + longer, 0));
    return (length) => direction * length;
  },
};

/** Multinomial naive Bayes with add-one smoothing, over words. A side's score is its mean log ratio, so that its length does not count. */
function wordsTrainer(vocabulary: number): Trainer<Words, { chosen: Uint32Array; rejected: Uint32Array }> {
  return {
    *count(samples) {
      const counts = { chosen: new Uint32Array(vocabulary), rejected: new Uint32Array(vocabulary) };
      for (const sample of samples) {
        for (const side of ['chosen', 'rejected'] as const) for (const word of sample[side]) counts[side][word]! += 1;
        yield;
      }
      return counts;
    },
    train(counts) {
      const chosen = added(counts.map((fold) => fold.chosen));
      const rejected = added(counts.map((fold) => fold.rejected));
      const known = chosen.reduce((sum, count, word) => sum + (count + rejected[word]! > 0 ? 1 : 0), 0);
      const [chosenTotal, rejectedTotal] = [total(chosen) + known, total(rejected) + known];
      const ratios = new Float64Array(vocabulary);
      for (const [word, count] of chosen.entries()) {
        // A word that no training pair has says nothing.
        if (count + rejected[word]! === 0) continue;
        ratios[word] = Math.log((count + 1) / chosenTotal) - Math.log((rejected[word]! + 1) / rejectedTotal);
      }
      return (words) => (words.length === 0 ? 0 : words.reduce((sum, word) => sum + ratios[word]!, 0) / words.length);
    },
  };
}

/** The sums of numbers at the same place. @param arrays at least one, all of the same length */
function added([first, ...others]: readonly Uint32Array[]): Uint32Array {
  const sums = first!.slice();
  for (const array of others) for (const [index, count] of array.entries()) sums[index]! += count;
  return sums;
}

function total(counts: Uint32Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function textLength(messages: Pair['chosen']): number {
  return messages.reduce((sum, message) => sum + (message.role === 'assistant' ? messageText(message).length : 0), 0);
}

/** @param vocabulary gets the words that are new to it */
function thoughtWordsOf(messages: Pair['chosen'], vocabulary: Map<string, number>): Words {
  const indices: number[] = [];
  for (const message of messages) {
    if (message.role !== 'assistant') continue;
    for (const word of splitThought(message)
      .thought.toLowerCase()
      .match(/[\p{L}\p{N}']+/gu) ?? []) {
      const known = vocabulary.get(word);
      if (known === undefined) vocabulary.set(word, vocabulary.size);
      indices.push(known ?? vocabulary.size - 1);
    }
  }
  return Uint32Array.from(indices);
}

/** Six digits: enough to read, and the same bytes on every machine. */
function round(value: number): number {
  return Number(value.toFixed(6));
}
