// Layer: pure view of steps and branches.
import { describe, expect, it } from 'vitest';
import type { BranchPurpose } from '../../src/domain/purpose.ts';
import { fairRollouts, rolloutChance } from '../../src/views/fair-rollouts.ts';
import { runConfig } from '../helpers/store.ts';
import { branchRow, stepRow } from './branch-rows.ts';

const { options } = runConfig();
if (!('stopAtFirst' in options)) throw new Error('the options are those of CSO');

/** CSO with 5 % of the actions calibrated and a placebo at 10 % of the steps. */
const csoConfig = (changes: { stopAtFirst?: boolean } = {}) =>
  runConfig({
    options: {
      ...options,
      calibrationRate: 0.05,
      verification: { ...options.verification, placeboRate: 0.1 },
      ...changes,
    },
  });

const rowsOf = (purpose: BranchPurpose, count: number) =>
  Array.from({ length: count }, (_, rollout) => branchRow({ purpose, rollout }));

describe('the fair rollouts of an action', () => {
  const counted = (rows: ReturnType<typeof rowsOf>) =>
    Object.fromEntries(
      Map.groupBy(fairRollouts(csoConfig(), rows), ({ purpose }) => purpose)
        .entries()
        .map(([name, own]) => [name, own.length]),
    );

  it('are the first two of those that stop by their outcomes, and all that the seed drew', () => {
    expect(counted([...rowsOf('verify', 8)])).toEqual({ verify: 2 });
    expect(counted([...rowsOf('baseline', 6), ...rowsOf('placebo', 3), ...rowsOf('calibrate', 1)])).toEqual({
      baseline: 2,
      placebo: 3,
      calibrate: 1,
    });
  });

  it('are the values alone where these chose what was rolled out again', () => {
    expect(counted([...rowsOf('value', 5), ...rowsOf('verify', 2), ...rowsOf('re-estimate', 5)])).toEqual({ value: 5 });
    expect(counted([...rowsOf('resample', 1), ...rowsOf('re-estimate', 5)])).toEqual({ resample: 1 });
  });
});

describe('the chance that an action is rolled out', () => {
  const steps = [stepRow({ ownId: 'own', branched: ['first', 'second'] })];
  const chance = (id: string, purpose: BranchPurpose, config = csoConfig()) =>
    rolloutChance(config, steps)(id, rowsOf(purpose, 1));

  it('is 1 if it was sure', () => {
    expect(chance('first', 'verify')).toBe(1);
    expect(chance('own', 'baseline')).toBe(1);
    expect(chance('own', 'value')).toBe(1);
  });

  it('is that of both draws for the own action of a step where luck may be measured, whichever of them it was', () => {
    expect(chance('own', 'placebo')).toBeCloseTo(0.145, 12);
    expect(chance('own', 'calibrate')).toBeCloseTo(0.145, 12);
    expect(chance('another', 'calibrate')).toBeCloseTo(0.05, 12);
  });

  it('is unknown if outcomes of other actions decided', () => {
    const config = csoConfig({ stopAtFirst: true });
    expect(chance('first', 'verify', config)).toBe(1);
    expect(chance('second', 'verify', config)).toBeNull();
    expect(chance('second', 'calibrate', config)).toBeCloseTo(0.05, 12);
  });
});
