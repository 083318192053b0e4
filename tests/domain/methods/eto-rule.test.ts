// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { betterByOutcome, contrastVerdict } from '../../../src/domain/methods/eto-rule.ts';

describe('two trajectories', () => {
  const ended = (reward: number | null, auditFlags: string[] | null = null) => ({
    ...{ reward, success: reward === null ? null : reward === 1, confirmed: null, auditFlags },
  });

  it('are compared by their final rewards', () => {
    expect(contrastVerdict(ended(1, []), ended(0), 0)).toBe('expert-better');
    expect(contrastVerdict(ended(0), ended(1), 0)).toBe('policy-better');
    expect(contrastVerdict(ended(null), ended(1), 0)).toBe('unknown');
  });

  it('are not compared if either is a flagged success', () => {
    expect(contrastVerdict(ended(1, ['tests-edited']), ended(0), 0)).toBe('flagged');
    expect(contrastVerdict(ended(0), ended(1, ['tests-edited']), 0)).toBe('flagged');
  });
});

describe('a success that does not hold on variants of the data', () => {
  const [confirmed, coincidental, failed] = [true, false, null].map((held) => ({
    ...{ reward: held === null ? 0 : 1, success: held !== null, confirmed: held, auditFlags: null },
  }));

  it('is never preferred, whoever had it', () => {
    expect(contrastVerdict(coincidental!, failed!, 0)).toBe('coincidental');
    expect(contrastVerdict(failed!, coincidental!, 0)).toBe('coincidental');
    expect(contrastVerdict(confirmed!, failed!, 0)).toBe('expert-better');
  });

  it('has the reward of one that holds: nothing tells which was luck', () => {
    expect(contrastVerdict(confirmed!, coincidental!, 0)).toBe('equal');
  });
});

describe('final rewards', () => {
  it('prefer the higher one, whoever has it', () => {
    expect(betterByOutcome({ expert: 1, policy: 0.5 }, 0)).toBe('expert-better');
    expect(betterByOutcome({ expert: 0, policy: 0.5 }, 0)).toBe('policy-better');
  });

  it('are equal unless they differ by more than the gap', () => {
    expect(betterByOutcome({ expert: 0.5, policy: 0.5 }, 0)).toBe('equal');
    expect(betterByOutcome({ expert: 0.5, policy: 0.25 }, 0.25)).toBe('equal');
    expect(betterByOutcome({ expert: 0.5, policy: 0.25 }, 0.2)).toBe('expert-better');
    // As binary fractions 0.4 − 0.3 is more than 0.1.
    expect(betterByOutcome({ expert: 0.4, policy: 0.3 }, 0.1)).toBe('equal');
  });

  it('say nothing where one is unknown: unknown is not zero', () => {
    expect(betterByOutcome({ expert: 1, policy: null }, 0)).toBe('unknown');
    expect(betterByOutcome({ expert: null, policy: 0 }, 0)).toBe('unknown');
  });
});
