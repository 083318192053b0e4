/** How the numbers of a scoring endpoint become scores in [0, 1]. */

/** Servers, by what they are asked for: src/models/scoring/apis.ts says how each is asked. */
export const scoringApis = [
  'vllm-pooling',
  'vllm-classify',
  'vllm-score',
  'sglang-classify',
  'sglang-reward',
  'tei-predict',
] as const;

export type ScoringApi = (typeof scoringApis)[number];

/**
 * `probability`: the number itself, which must lie in [0, 1]. `sigmoid`: 1 / (1 + e^−x) of a logit. `softmax`: the share of one class among the logits
 * of all.
 */
export const scoringRules = ['probability', 'sigmoid', 'softmax'] as const;

export type ScoringRule = (typeof scoringRules)[number];

/** How a conversation is written for a server that takes text. */
export const textForms = ['plain', 'chatml'] as const;

export type TextForm = (typeof textForms)[number];

/** Of a trained PRM behind a scoring endpoint. */
export type ScoringSettings = {
  api: ScoringApi;
  rule: ScoringRule;
  /** The good class among several numbers: its place from 0, or its label if the server gives labels; null if there is one number. */
  class: number | string | null;
  text: TextForm;
  /** Text behind each of the assistant's messages, the action included, for PRMs that score at such marks; null for none. */
  stepTag: string | null;
};

/** What a server said about an action. */
export type ScoringNumbers = {
  /** One for each class; null for what is no finite number. */
  numbers: (number | null)[];
  /** Of the numbers; absent if the server gives none. */
  labels?: string[];
};

/** Why there is no score. It stays missing: no other number takes its place. */
export type MissingScore =
  /** Several numbers, and `class` names none of them. */
  | 'no-class'
  /** Softmax over a single class is always 1 and says nothing. */
  | 'one-class'
  /** NaN, infinite, or no number at all. */
  | 'not-a-number'
  /** A probability outside [0, 1]. */
  | 'out-of-range';

/** Whether a server gives the softmax of its model's numbers, whatever it is asked for. */
export function isSoftmaxed(api: ScoringApi): boolean {
  return api === 'sglang-classify';
}

/** Servers compute in 32 bits or fewer: 1.0000001 is 1. */
const tolerance = 1e-6;

/** @returns the score in [0, 1], or why it is missing */
export function scoreOf(
  { numbers, labels }: ScoringNumbers,
  { api, rule, class: good }: Pick<ScoringSettings, 'api' | 'rule' | 'class'>,
): number | MissingScore {
  if ((rule === 'softmax' || isSoftmaxed(api)) && numbers.length < 2) return 'one-class';
  const index = typeof good === 'string' ? (labels ?? []).indexOf(good) : (good ?? (numbers.length === 1 ? 0 : -1));
  if (index < 0 || index >= numbers.length) return 'no-class';
  const number = numbers[index] ?? null;
  if (number === null) return 'not-a-number';
  switch (rule) {
    case 'probability':
      if (number < -tolerance || number > 1 + tolerance) return 'out-of-range';
      return Math.min(1, Math.max(0, number));
    case 'sigmoid':
      return 1 / (1 + Math.exp(-number));
    case 'softmax':
      return shareOf(number, numbers);
  }
}

function shareOf(number: number, numbers: readonly (number | null)[]): number | MissingScore {
  const logits = numbers.filter((logit) => logit !== null);
  if (logits.length < numbers.length) return 'not-a-number';
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - number), 0);
  return 1 / total;
}

/** For people: labelled if they have labels, with few digits. */
export function numbersText({ numbers, labels }: ScoringNumbers): string {
  return numbers
    .map(
      (number, index) =>
        `${labels ? `${labels[index]} ` : ''}${number === null ? 'NaN' : Number(number.toPrecision(4))}`,
    )
    .join(', ');
}

/** Settings of scoring in words, for certificates and summaries, e.g. `vllm-pooling, softmax of class 1`. */
export function scoringText({ api, rule, class: good, text, stepTag }: ScoringSettings): string {
  const written = `${text === 'plain' ? '' : `, ${text}`}${stepTag === null ? '' : `, step tag ${JSON.stringify(stepTag)}`}`;
  return `${api}, ${rule}${good === null ? '' : ` of class ${good}`}${written}`;
}
