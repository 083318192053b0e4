// Layer: words, without a store.
import { expect, it } from 'vitest';
import { comparePolicies } from '../../src/domain/improve/decide.ts';
import type { Sample } from '../../src/domain/run/evaluation.ts';
import { changeText, testText } from '../../src/report/improvement-text.ts';
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
