/**
 * Whether a server answers with the weights that a training made, judged by the log-probabilities of texts that it is forced to say. Ours [D]: no paper
 * has it. All distances are root mean squares over the texts, in nats a token.
 *
 * For a text of `n` tokens let `s` be what the server says (the mean of two answers), `a` and `b` what the trainer measured with the trained and with
 * the base weights, each divided by `n`. If the server has the base too, `b` is what the server says of it, and `e = b + (a - b by the trainer)`;
 * otherwise `e = a`.
 *
 *     noise = |first answer - second answer|        change = |a - b by the trainer|
 *
 * 1. `|s - a| ≤ max(3 noise, tolerance)`: it is the candidate, or a model close to it. This finds a foreign model, another tokenizer or template.
 * 2. The change can be seen at all: `change > 3 noise`, and without a served base `change > |s - a| / 1.5`. Otherwise `no-change`.
 * 3. `|s - b| > 3 noise` and `|s - e| < |s - b|`: it is not the base. This finds old weights, and an adapter that is not applied.
 *
 * Squares, because an offset between the arithmetic of trainer and server, the same for all texts or at random, then favours neither side of
 * the last comparison.
 */
import type { CanaryFinding } from './rounds.ts';

/** Log-probabilities of one text: sums over the tokens of its completion, in nats. */
export type MeasuredText = {
  tokens: number;
  /** By the trainer, with the base and with the trained weights. */
  before: number;
  after: number;
  /** By the server, asked for the same twice. */
  first: number;
  second: number;
  /** By the server, with the base; null if it has only one model. */
  base: number | null;
};

/** How far apart two implementations of one model may be, by the precision of their weights, in nats a token. Ours. */
export const tolerances = { float32: 0.002, float16: 0.02, bfloat16: 0.05 } as const;
export type Precision = keyof typeof tolerances;

/** `base`: it answers as the base does. `foreign`: as neither of them. */
export type Judgement = { verdict: 'passed' | 'no-change' | 'base' | 'foreign'; change: number } & {
  [figure in 'distance' | 'distanceToBase' | 'noise']: NonNullable<CanaryFinding[figure]>;
};

/** In multiples of the noise: what is further away is no chance. */
const certain = 3;
/** A change that is smaller than the disagreement of trainer and server by this factor cannot be attributed. */
const attributable = 1.5;

/** @param texts at least one, each with at least one token; all with `base`, or none */
export function judgeServed(texts: readonly MeasuredText[], tolerance: number): Judgement {
  const rows = texts.map((text) => {
    const { tokens, before, after, first, second } = text;
    const said = (first + second) / 2;
    const base = text.base ?? before;
    return { tokens, said, first, second, before, after, base, expected: base + after - before };
  });
  const distanceOf = (one: keyof (typeof rows)[0], other: keyof (typeof rows)[0]) =>
    Math.sqrt(rows.reduce((sum, row) => sum + ((row[one] - row[other]) / row.tokens) ** 2, 0) / rows.length);
  const noise = distanceOf('first', 'second');
  const distance = distanceOf('said', 'after');
  const distanceToBase = distanceOf('said', 'base');
  const change = distanceOf('after', 'before');
  const figures = { distance, distanceToBase, noise, change };
  const least = certain * noise;
  const isNearer = distanceOf('said', 'expected') < distanceToBase;

  if (distance > Math.max(least, tolerance))
    return { verdict: distanceToBase <= Math.max(least, tolerance) ? 'base' : 'foreign', ...figures };
  const isServed = texts.every(({ base }) => base !== null);
  if (change <= least || (!isServed && change <= distance / attributable)) return { verdict: 'no-change', ...figures };
  return { verdict: distanceToBase > least && isNearer ? 'passed' : 'base', ...figures };
}
