// Layer: pure views of steps and branches.
import { describe, expect, it } from 'vitest';
import { flips } from '../../src/views/flips.ts';
import { tieComparisons } from '../../src/views/tie-comparisons.ts';
import { branchRow, stepRow } from './branch-rows.ts';

describe('flips', () => {
  /** Four trajectories through one state: two took `left`, the others `right` and `back`. */
  const steps = ['left', 'left', 'right', 'back'].map((ownId, sample) =>
    stepRow({ trajectoryId: `t${sample}`, ownId, placebo: true }),
  );

  it('of the placebo are those of the action itself, once for each action of a state', () => {
    const placebos = [
      branchRow({ purpose: 'placebo', candidateId: 'left', success: true }),
      branchRow({ purpose: 'placebo', candidateId: 'right', success: false }),
      branchRow({ purpose: 'placebo', candidateId: 'back', success: false }),
    ];
    const { byPlacebo } = flips(steps, placebos);
    expect(byPlacebo.map(({ step, flipped }) => [step.ownId, flipped])).toEqual([
      ['left', true],
      ['right', false],
      ['back', false],
    ]);
  });

  it('by alternatives are those of the alternatives that the step itself branched', () => {
    const own = [stepRow({ ownId: 'left', branched: ['a'] }), stepRow({ ownId: 'right', branched: ['b'] })];
    const verified = [branchRow({ candidateId: 'a', success: false }), branchRow({ candidateId: 'b', success: true })];
    expect(flips(own, verified).byAlternatives.map(({ flipped }) => flipped)).toEqual([false, true]);
    expect(flips(own, verified).byPlacebo).toEqual([]);
  });
});

describe('comparisons for the mass on ties', () => {
  it('leave out the rollouts that are the scores: the gate chose both actions by these', () => {
    const screened = [
      ...[0, 1, 2].map((rollout) => branchRow({ purpose: 'screen', candidateId: 'own', rollout, success: false })),
      ...[0, 1, 2].map((rollout) => branchRow({ purpose: 'screen', candidateId: 'a', rollout, success: true })),
    ];
    const verified = [branchRow({ candidateId: 'a', success: false })];
    expect(tieComparisons([stepRow({})], [...screened, ...verified])).toEqual([]);
    const luck = branchRow({ purpose: 'placebo', candidateId: 'own', success: false });
    expect(tieComparisons([stepRow({})], [...screened, ...verified, luck])).toEqual([
      { alternative: { successes: 0, rollouts: 1 }, policy: { successes: 0, rollouts: 1 } },
    ]);
  });

  it('count rollouts once that several trajectories share', () => {
    const steps = [stepRow({ trajectoryId: 't1' }), stepRow({ trajectoryId: 't2' })];
    const rows = [branchRow({ candidateId: 'a' }), branchRow({ purpose: 'baseline', candidateId: 'own' })];
    expect(tieComparisons(steps, rows)).toHaveLength(1);
  });
});
