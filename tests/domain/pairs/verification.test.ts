// Layer: pure core.
import { describe, expect, it } from 'vitest';
import type { Ending } from '../../../src/domain/ending.ts';
import { isVerifiedSuccess, type Tally, tally, verdictOn } from '../../../src/domain/pairs/verification.ts';
import type { BranchResult } from '../../../src/domain/wire/branch.ts';

const branch = (
  success: boolean | null,
  ending: Ending = 'submitted',
  confirmed: boolean | null = null,
): BranchResult => ({
  ending,
  success,
  reward: success === null ? null : Number(success),
  confirmed,
});
const counts = (successes: number, rollouts: number, missing = 0): Tally => ({ successes, rollouts, missing });
const none = counts(0, 0);
const rule = (rollouts: number, baselineRollouts = rollouts) => ({
  rollouts,
  baselineRollouts,
  placeboRate: 0.1,
  confidence: 0.9,
  tieMass: 0.8,
  confirmOnVariants: true,
});

describe('a tally', () => {
  it('counts what the policy did, and puts faults aside as missing', () => {
    const branches = [
      branch(true),
      branch(false),
      // Cut at its length, refused, out of steps: the policy's own doing.
      branch(false, 'step-limit'),
      branch(false, 'token-limit'),
      branch(false, 'refused'),
      // The host's, the grader's, the network's.
      branch(null, 'environment-fault'),
      branch(null, 'model-fault'),
      branch(null, 'diverged'),
    ];
    expect(tally(branches)).toEqual(counts(1, 5, 3));
    expect(tally([])).toEqual(none);
  });

  it('puts a flagged success aside like a fault: it speaks neither for an action nor against it', () => {
    const flagged = { ...branch(true), auditFlags: ['tests-edited'] };
    expect(tally([branch(true), flagged, branch(false)])).toEqual(counts(1, 2, 1));
    expect(isVerifiedSuccess(flagged)).toBe(false);
    expect(isVerifiedSuccess({ ...branch(true), auditFlags: [] })).toBe(true);
    // Neither can it verify an alternative, nor show that the policy's own action fails.
    expect(verdictOn(tally([flagged]), none, rule(1)).verdict).toBe('rejected');
    expect(verdictOn(counts(8, 8), tally(Array(8).fill(flagged)), rule(8)).verdict).toBe('rejected');
    expect(verdictOn(counts(8, 8), tally(Array(8).fill(branch(false))), rule(8)).verdict).toBe('accepted');
  });

  it('takes a success that does not hold on variants of the data for none', () => {
    expect(isVerifiedSuccess(branch(true, 'submitted', false))).toBe(false);
    expect(isVerifiedSuccess(branch(true, 'submitted', true))).toBe(true);
    expect(isVerifiedSuccess(branch(true, 'submitted', null))).toBe(true);
    expect(isVerifiedSuccess(branch(false, 'submitted', null))).toBe(false);
    expect(isVerifiedSuccess(branch(null, 'model-fault'))).toBe(false);
    expect(tally([branch(true, 'submitted', false)])).toEqual(counts(0, 1));
  });
});

describe('the rule of the paper, one branch', () => {
  it('accepts a success and rejects a failure', () => {
    expect(verdictOn(counts(1, 1), none, rule(1, 0))).toEqual({ verdict: 'accepted', rule: 'once', posterior: null });
    expect(verdictOn(counts(0, 1), none, rule(1, 0))).toEqual({ verdict: 'rejected', rule: 'once', posterior: null });
  });

  it('waits while there is no branch, and rejects one that came to a fault', () => {
    expect(verdictOn(none, none, rule(1, 0)).verdict).toBe('continue');
    expect(verdictOn(counts(0, 0, 1), none, rule(1, 0)).verdict).toBe('rejected');
  });
});

describe('the rule of several rollouts', () => {
  it('accepts a clear difference and rejects none', () => {
    expect(verdictOn(counts(8, 8), counts(0, 8), rule(8))).toMatchObject({ verdict: 'accepted', rule: 'posterior' });
    expect(verdictOn(counts(4, 8), counts(4, 8), rule(8)).verdict).toBe('rejected');
    expect(verdictOn(counts(0, 8), counts(8, 8), rule(8)).verdict).toBe('rejected');
  });

  it('goes on while the rest could still decide, and stops early when it could not', () => {
    expect(verdictOn(counts(2, 2), counts(0, 2), rule(8)).verdict).toBe('continue');
    expect(verdictOn(none, none, rule(8)).verdict).toBe('continue');
    expect(verdictOn(counts(0, 7), counts(7, 7), rule(8)).verdict).toBe('rejected');
  });

  it('counts the missing against the pair, on both sides', () => {
    expect(verdictOn(counts(7, 7, 0), counts(0, 7, 0), rule(7)).verdict).toBe('accepted');
    const lost = verdictOn(counts(4, 4, 3), counts(0, 4, 3), rule(7));
    expect(lost.verdict).toBe('rejected');
    // A missing rollout of the alternative is a failure, one of the policy's action a success: the same as if they had been seen.
    expect(lost.posterior).toBeCloseTo(verdictOn(counts(4, 7), counts(3, 7), rule(7)).posterior!, 12);
  });
});
