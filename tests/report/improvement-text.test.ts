// Layer: words, without a store.
import { expect, it } from 'vitest';
import { comparePolicies } from '../../src/domain/improve/decide.ts';
import type { Sample } from '../../src/domain/run/evaluation.ts';
import { baseText, canaryText, changeText, lossTexts, testText } from '../../src/report/improvement-text.ts';
import type { ImprovementView } from '../../src/views/improvement.ts';

const samples = (groups: number, outcome: Sample['outcome']) =>
  Array.from(
    { length: groups },
    (_, index) => ({ taskId: `task-${index}`, group: `group-${index}`, outcome }) as Sample,
  );
const same = comparePolicies(samples(8, 'success'), samples(8, 'success'));

it('a chance stands beside the difference with what it speaks against', () => {
  expect(changeText(same)).toBe('+0.0 points (p = 0.004 against a loss above 2.0 points)');
  const gain = comparePolicies(samples(5, 'failure'), samples(5, 'success'), 0);
  expect(changeText(gain)).toBe('+100.0 points (p = 0.031 against no gain)');
  const { threshold: _, ...earlier } = gain;
  expect(changeText(earlier)).toBe('+100.0 points (p = 0.031)');
});

it('the test of an improvement that promoted nobody compares no policy with itself', () => {
  const success = { value: 0.163, interval: { lower: 0.103, upper: 0.221 } };
  const test = { start: { runId: 'a', success }, final: { runId: 'b', success }, comparison: same };
  const view = (round: number) => ({ test, policy: { round } }) as ImprovementView;
  expect(testText(view(0))).toBe(
    '16.3 % (10.3 to 22.1): of the policy that it began with, because no candidate was promoted',
  );
  expect(testText(view(1))).toContain('16.3 % (10.3 to 22.1) before, 16.3 % (10.3 to 22.1) after: +0.0 points');
  expect(testText({ ...view(1), test: null })).toBeNull();
});

it('what faults took from the figures of a round and of the test is said, and nothing where nothing is missing', () => {
  const success = { value: 0.5, interval: null };
  const whole = { tasks: 200, of: 200, missing: {} };
  const rest = { tasks: 80, of: 200, missing: { 'environment-fault': 118, 'model-fault': 2 } };
  const round = (number: number, outcomes: typeof whole | typeof rest, lost: number, missing: number) => ({
    round: number,
    collected: { losses: { of: 100, lost, kinds: { 'Model.Exhausted': lost } } },
    evaluated: { success, outcomes },
    decision: { comparison: { ...same, tasks: 70, missing } },
  });
  const tested = (outcomes: typeof whole | typeof rest) => ({ runId: 'a', success, outcomes });
  const view = (...history: object[]) =>
    ({ history, test: { start: tested(whole), final: tested(rest), comparison: same } }) as unknown as ImprovementView;
  expect(lossTexts(view(round(1, whole, 0, 0), round(2, rest, 30, 130)))).toEqual([
    'round 2: 30 of 100 trajectories to learn from lost (Model.Exhausted 30)',
    'round 2: success over 80 of 200 validation tasks (120 samples lost: environment-fault 118, model-fault 2)',
    'round 2: decided over 70 tasks with an outcome on both sides',
    'test after: success over 80 of 200 test tasks (120 samples lost: environment-fault 118, model-fault 2)',
  ]);
  expect(lossTexts({ ...view(round(1, whole, 0, 0)), test: null })).toEqual([]);
});

it('a base is named with the beginning of its hash, if there is one', () => {
  expect(baseText({ base: { from: 'models/base', hash: '7b587134fe61' } })).toBe('models/base (7b587134)');
  expect(baseText({ base: { from: 'hub/base', hash: null } })).toBe('hub/base');
});

it('a canary says what was compared of the chat template, if its version compared it', () => {
  const named = { verdict: 'named', distance: null, distanceToBase: null, noise: null } as const;
  expect(canaryText(named)).toBe('known by name and folder alone');
  expect(canaryText({ ...named, template: 'same' })).toMatch(/alone; renders chats as the trainer does$/);
  expect(canaryText({ ...named, template: 'not-compared' })).toMatch(/; the chat template was not compared$/);
});
