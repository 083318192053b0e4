// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { type ScoringSettings, scoreOf, scoringText } from '../../../src/domain/run/scoring.ts';

const settings = (changes: Partial<ScoringSettings>): ScoringSettings => ({
  api: 'vllm-pooling',
  rule: 'probability',
  class: null,
  text: 'plain',
  stepTag: null,
  ...changes,
});

describe('a score', () => {
  it.each([
    ['a probability as it is', [0.3], {}, 0.3],
    ['a bound', [1], {}, 1],
    ['a probability that 32 bits made too large', [1.0000001], {}, 1],
    ['the probability of the good class by its place', [0.2, 0.8], { class: 1 }, 0.8],
    ['the sigmoid of a logit', [0], { rule: 'sigmoid' }, 0.5],
    ['the sigmoid of the logit of a class', [5, 0], { rule: 'sigmoid', class: 1 }, 0.5],
    ['the softmax of a class', [Math.log(1), Math.log(3)], { rule: 'softmax', class: 1 }, 0.75],
    ['the softmax of large logits, which must not overflow', [1000, 1000], { rule: 'softmax', class: 0 }, 0.5],
    ['the sigmoid of a logit far below', [-1000], { rule: 'sigmoid' }, 0],
  ] as const)('is %s', (_what, numbers, changes, score) => {
    expect(scoreOf({ numbers: [...numbers] }, settings(changes))).toBeCloseTo(score, 6);
  });

  it('is that of the good label, wherever it stands', () => {
    const by = settings({ class: 'good' });
    expect(scoreOf({ numbers: [0.9, 0.1], labels: ['good', 'bad'] }, by)).toBe(0.9);
    expect(scoreOf({ numbers: [0.9, 0.1], labels: ['bad', 'good'] }, by)).toBe(0.1);
  });
});

describe('a score is missing, never a number', () => {
  it.each([
    ['out-of-range', 'a probability above 1', [1.2], {}],
    ['out-of-range', 'a logit that is taken for a probability', [-3.4], {}],
    ['not-a-number', 'NaN', [null], {}],
    ['not-a-number', 'NaN in place of a logit', [null], { rule: 'sigmoid' }],
    ['not-a-number', 'NaN among the other logits', [null, 2], { rule: 'softmax', class: 1 }],
    ['no-class', 'several numbers and no class', [0.2, 0.8], {}],
    ['no-class', 'a class beyond the last', [0.2, 0.8], { class: 2 }],
    ['no-class', 'a label where the server gives none', [0.2, 0.8], { class: 'good' }],
    ['no-class', 'no number', [], {}],
    ['one-class', 'softmax over one class', [3], { rule: 'softmax', class: 0 }],
    ['one-class', "SGLang's answer after an error of its own", [1], { api: 'sglang-classify' }],
  ] as const)('as %s: %s', (missing, _what, numbers, changes) => {
    expect(scoreOf({ numbers: [...numbers] }, settings(changes))).toBe(missing);
  });
});

it('is described for certificates by all that decides it', () => {
  expect(scoringText(settings({}))).toBe('vllm-pooling, probability');
  expect(scoringText(settings({ rule: 'softmax', class: 1, stepTag: '<extra_0>', text: 'chatml' }))).toBe(
    'vllm-pooling, softmax of class 1, chatml, step tag "<extra_0>"',
  );
});
