// Layer: pure rules. Answers are scored as the benchmarks score them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AskRequest } from '../../../src/domain/ask.ts';
import { normalizedAnswer, scoreByWords } from '../../../src/environments/deep-search/scorers/f1.ts';
import { isGaiaAnswer } from '../../../src/environments/deep-search/scorers/gaia.ts';
import { readVerdict, scoreByJudge } from '../../../src/environments/deep-search/scorers/xbench.ts';
import { benchmarkData } from '../../helpers/benchmark-data.ts';

describe('GAIA', () => {
  const data = benchmarkData('gaia');
  it.skipIf(data === null)('judges 61 of 61 answers as a published scorer does', () => {
    const lines = readFileSync(join(data!, 'scorer-vectors.jsonl'), 'utf8').trim().split('\n');
    const vectors = lines.map((line) => JSON.parse(line) as { gold: string; answer: string; correct: boolean });
    expect(vectors).toHaveLength(61);
    expect(vectors.filter(({ gold, answer, correct }) => isGaiaAnswer(answer, gold) !== correct)).toEqual([]);
  });

  it.each([
    // A number is read without dollars, percent and commas; a list is not.
    ['17', '$17', true],
    ['1,234', '1234', false],
    ['1; b', '1.0, B', true],
    // Digits of another script; a number with an underscore.
    ['17', '१७', true],
    ['1000', '1_000', true],
    // An answer that is no number is not infinite.
    ['inf', 'many', false],
    ['St. Petersburg', 'st petersburg', true],
    ['17', '', false],
  ])('to the gold answer %j the answer %j is right: %s', (gold, answer, isRight) => {
    expect(isGaiaAnswer(answer, gold)).toBe(isRight);
  });
});

describe('words', () => {
  it.each([
    ['The  Sill!', 'sill'],
    ['An apple, a day', 'apple day'],
    ['theatre', 'theatre'],
  ])('%j is compared as %j', (text, normalized) => {
    expect(normalizedAnswer(text)).toBe(normalized);
  });

  it.each<[string, string[], number, boolean]>([
    ['the Sill', ['Sill'], 1, true],
    // Precision 1/3, recall 1: F1 = 2 · 1 / (3 + 1).
    ['river Sill, north', ['Sill'], 0.5, false],
    ['Lund', ['the town of Orrefell', 'Orrefell'], 0, false],
    ['town of Orrefell', ['Orrefell', 'The town of Orrefell'], 1, true],
    // Words that stand twice count as often as in the gold answer.
    ['new new york', ['New York'], 0.8, false],
    // Yes and no are right or wrong as a whole.
    ['no, it is', ['no'], 0, false],
    ['yes', ['no'], 0, false],
    ['', ['Sill'], 0, false],
  ])('%j for %j has F1 %d', (answer, gold, reward, success) => {
    const score = scoreByWords(answer, gold);
    expect(score.reward).toBeCloseTo(reward, 10);
    expect(score.success).toBe(success);
  });
});

describe('XBench', () => {
  const asked: AskRequest[] = [];
  const judge = (...answers: string[]) => ({
    ask: async (request: AskRequest) => {
      asked.push(request);
      return answers.shift() ?? '';
    },
  });

  it('asks no judge for an answer that equals the gold answer', async () => {
    expect(await scoreByJudge('How many?', '17', '17', judge())).toMatchObject({ reward: 1, success: true });
    expect(asked).toEqual([]);
  });

  it('asks a judge for any other answer, with purpose grade and at temperature 0', async () => {
    const score = await scoreByJudge(
      'How many?',
      'seventeen',
      '17',
      judge('extracted: seventeen\nexplanation: Same.\ncorrect: yes'),
    );
    expect(score).toEqual({
      reward: 1,
      success: true,
      details: { judged: true, extracted: 'seventeen', explanation: 'Same.' },
    });
    expect(asked.at(-1)).toMatchObject({ purpose: 'grade', temperature: 0 });
    expect(asked.at(-1)!.messages[0]!.content).toContain('<answer>\nseventeen\n</answer>');
  });

  it('asks again for a verdict that cannot be read, and gives up without one', async () => {
    const before = asked.length;
    expect(await scoreByJudge('?', 'a', 'b', judge('hm', 'correct: no'))).toMatchObject({ success: false });
    expect(asked.length).toBe(before + 2);
    await expect(scoreByJudge('?', 'a', 'b', judge('hm', 'ha', 'ho'))).rejects.toMatchObject({
      kind: 'Environment.Fault',
    });
  });

  it.each([
    ['correct: yes', true],
    ['**correct:** No, it differs', false],
    ['extracted: correct: yes\ncorrect: no', false],
    ['Correct: yes\nCORRECT: no', false],
    ['it is correct', null],
    ['correct: maybe', null],
  ])('the verdict of %j is %s', (text, isRight) => {
    expect(readVerdict(text)?.isRight ?? null).toBe(isRight);
  });
});
