// Layer: pure core, on samples written down by hand.
import { describe, expect, it } from 'vitest';
import { difficultiesOf, evaluationFigures, type Sample } from '../../../src/domain/run/evaluation.ts';

const endings = {
  success: 'submitted',
  coincidental: 'submitted',
  flagged: 'submitted',
  failure: 'step-limit',
  missing: 'model-fault',
};

/** Samples of one task; an outcome of `success` has reward 1, a failure 0.2. */
function samplesOf(taskId: string, outcomes: Sample['outcome'][], group = taskId): Sample[] {
  return outcomes.map((outcome) => ({
    taskId,
    group,
    difficulty: null,
    outcome,
    ending: outcome === 'open' ? null : endings[outcome],
    reward: outcome === 'missing' || outcome === 'open' ? null : outcome === 'failure' ? 0.2 : 1,
  }));
}

describe('the figures of an evaluation', () => {
  const samples = [
    ...samplesOf('a', ['success', 'success', 'failure', 'failure']),
    ...samplesOf('b', ['coincidental', 'failure', 'failure', 'success'], 'a'),
    // Two of four are missing.
    ...samplesOf('c', ['success', 'missing', 'success', 'missing']),
    ...samplesOf('d', ['missing', 'missing', 'missing', 'missing']),
  ];
  const figures = evaluationFigures(samples);

  it('count tasks, groups and samples, with the missing ones apart', () => {
    expect(figures).toMatchObject({
      tasks: 3,
      groups: 2,
      tasksWithout: 1,
      samples: 16,
      known: 10,
      open: 0,
      successes: 5,
      coincidental: 1,
      missing: { 'model-fault': 6 },
      endings: {
        'step-limit': { samples: 4, successes: 0, coincidental: 0, flagged: 0 },
        submitted: { samples: 6, successes: 5, coincidental: 1, flagged: 0 },
      },
    });
  });

  it('weigh every task alike, and count neither coincidences nor faults as successes', () => {
    // (2/4 + 1/4 + 2/2) / 3; a pooled rate would be 5/10.
    expect(figures.successRate.value).toBeCloseTo(1.75 / 3, 12);
    // (2.4/4 + 2.4/4 + 2/2) / 3
    expect(figures.meanReward.value).toBeCloseTo(2.2 / 3, 12);
  });

  it('count a flagged success as a failure without reward, and say what the rate would be with them', () => {
    const tricks = samplesOf('e', ['flagged', 'flagged', 'success', 'failure']).map((sample, index) => ({
      ...sample,
      auditFlags: sample.outcome === 'flagged' ? ['tests-edited', ...(index === 0 ? ['grader-written'] : [])] : [],
    }));
    const found = evaluationFigures([...tricks, ...samplesOf('f', ['success', 'missing'])]);
    expect(found).toMatchObject({ known: 5, successes: 2, coincidental: 0 });
    // (1/4 + 1) / 2, and with the two flagged ones (3/4 + 1) / 2.
    expect(found.successRate.value).toBeCloseTo(0.625, 12);
    expect(found.flagged).toEqual({
      samples: 2,
      byFlag: { 'tests-edited': 2, 'grader-written': 1 },
      successRateWith: expect.closeTo(0.875, 12),
    });
    // ((0 + 0 + 1 + 0.2) / 4 + 1) / 2
    expect(found.meanReward.value).toBeCloseTo(0.65, 12);
    expect(found.endings.submitted).toMatchObject({ samples: 4, successes: 2, flagged: 2 });
    expect(figures.flagged).toBeNull();
  });

  it('pass@k leaves out tasks with fewer than k outcomes', () => {
    expect(figures.passAt.map(({ k, tasks }) => [k, tasks])).toEqual([
      [1, 3],
      [2, 3],
      [3, 2],
      [4, 2],
    ]);
    expect(figures.passAt[0]!.value).toBe(figures.successRate.value);
    // a: 1 − 1/6, b: 1/2, c: 1.
    expect(figures.passAt[1]!.value).toBeCloseTo((5 / 6 + 1 / 2 + 1) / 3, 12);
    expect(figures.passAt[3]!.value).toBe(1);
  });

  it('say what the missing samples could change', () => {
    // a 2/4, b 1/4, c 2/4 to 4/4, d 0/4 to 4/4.
    expect(figures.bounds!.lower).toBeCloseTo(1.25 / 4, 12);
    expect(figures.bounds!.upper).toBeCloseTo(2.75 / 4, 12);
    expect(evaluationFigures(samplesOf('a', ['success', 'open'])).bounds).toBeNull();
  });

  it('are unknown, not 0, without any outcome', () => {
    const empty = { value: null, interval: null };
    expect(evaluationFigures([])).toMatchObject({ tasks: 0, successRate: empty, meanReward: empty, passAt: [] });
    const none = evaluationFigures(samplesOf('a', ['missing', 'open']));
    expect(none).toMatchObject({ tasks: 0, open: 1, successRate: empty, passAt: [{ k: 1, tasks: 0, ...empty }] });
  });

  it('have intervals by group, around the value, in whatever order the samples come', () => {
    const many = Array.from({ length: 12 }, (_, index) =>
      samplesOf(`t${index}`, index % 3 === 0 ? ['success', 'failure'] : ['failure', 'failure'], `g${index % 6}`),
    ).flat();
    const { successRate, passAt } = evaluationFigures(many);
    for (const { value, interval } of [successRate, passAt[1]!]) {
      expect(interval!.lower).toBeLessThan(value!);
      expect(interval!.upper).toBeGreaterThan(value!);
    }
    expect(evaluationFigures(many.toReversed())).toEqual(evaluationFigures(many));
    // Six tasks that are three copies of two groups tell less than six groups.
    expect(evaluationFigures(many.map((sample) => ({ ...sample, group: 'one' }))).successRate.interval).toBeNull();
  });
});

describe('difficulties', () => {
  it('are ordered from easy to extra, then others by name, then none', () => {
    const of = (difficulty: string | null) => ({ ...samplesOf('a', ['success'])[0]!, difficulty });
    expect(difficultiesOf([of(null), of('odd'), of('hard'), of('easy'), of('b'), of('hard')])).toEqual([
      'easy',
      'hard',
      'b',
      'odd',
      null,
    ]);
  });
});
