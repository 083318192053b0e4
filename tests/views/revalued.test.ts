// Layer: pure view of pairs and branches.
import { expect, it } from 'vitest';
import type { RecordedPair } from '../../src/domain/pairs/pair.ts';
import { revaluedPairs } from '../../src/views/revalued.ts';
import { branchRow } from './branch-rows.ts';

/** A pair that these values selected. */
function pairOf(values: { chosen: number; rejected: number }): RecordedPair {
  const certificate = { verification: { values, outcomes: null } };
  return { nodeId: 's', chosenId: 'best', rejectedId: 'worst', certificate } as unknown as RecordedPair;
}

const again = (candidateId: string, changes: Parameters<typeof branchRow>[0] = {}) =>
  branchRow({ purpose: 're-estimate', candidateId, ...changes });

it('fresh outcomes are discounted by the steps until the end, like the values that they check', () => {
  // Both always succeed: one after 3 steps, the other after 6.
  const pair = pairOf({ chosen: 0.95 ** 2, rejected: 0.95 ** 5 });
  const rows = [again('best', { steps: 3 }), again('worst', { steps: 6 })];
  const revalued = revaluedPairs([pair], rows, [], 0.95)!;
  expect(revalued.meanFreshGap).toBeCloseTo(revalued.meanGap, 12);
  expect(revalued).toMatchObject({ pairs: 1, tied: 0, reversed: 0 });
  expect(revaluedPairs([pair], rows, [])).toMatchObject({ meanFreshGap: 0, tied: 1 });
});

it('equal values are a tie, whatever the order in which they were added', () => {
  const rewards = [0.1, 0.2, 0.3];
  const rows = [
    ...rewards.map((reward, rollout) => again('best', { reward, rollout })),
    ...rewards.toReversed().map((reward, rollout) => again('worst', { reward, rollout })),
  ];
  expect(revaluedPairs([pairOf({ chosen: 1, rejected: 0 })], rows, [])).toMatchObject({ tied: 1, reversed: 0 });
});

it('an action that has no rollouts ended its task, and keeps its value', () => {
  const rows = [again('worst', { success: true })];
  expect(revaluedPairs([pairOf({ chosen: 0.5, rejected: 0.2 })], rows, [])).toMatchObject({ pairs: 1, reversed: 1 });
});

it('a pair with an action whose rollouts all ended without an outcome was not valued again', () => {
  const rows = [again('best', { success: null }), again('worst', { success: false })];
  expect(revaluedPairs([pairOf({ chosen: 1, rejected: 0 })], rows, [])).toBeNull();
});
