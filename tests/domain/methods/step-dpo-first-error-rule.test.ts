// Layer: pure core.
import { describe, expect, it } from 'vitest';
import type { Ending } from '../../../src/domain/ending.ts';
import { correctionOf } from '../../../src/domain/methods/step-dpo-first-error-rule.ts';
import { type BranchedAction, correctedPair } from '../../../src/domain/pairs/rules.ts';
import type { Purpose } from '../../../src/domain/purpose.ts';
import type { BranchResult } from '../../../src/domain/wire/branch.ts';

const ended = (
  success: boolean | null,
  ending: Ending = 'submitted',
  confirmed: boolean | null = null,
): BranchResult => ({
  ending,
  success,
  reward: success === null ? null : Number(success),
  confirmed,
});
const [succeeded, failed] = [ended(true), ended(false)];

type Branches = { [purpose in Purpose]?: BranchResult[] };

const action = (candidateId: string, observation = candidateId, branches: Branches = {}) =>
  ({
    candidateId,
    source: 'policy',
    canonical: candidateId,
    reached: { observation, done: false, reward: null, success: null, mark: null },
    endedWith: null,
    outcomes: (purpose) => (branches[purpose] ?? []).map((result, rollout) => ({ rollout, ...result })),
  }) satisfies BranchedAction;

const wrong = action('wrong', 'a pit');

describe('what corrects the first wrong step', () => {
  const chosen = (...resamples: [string, BranchResult | null, string?][]) =>
    correctionOf(
      wrong,
      resamples.map(([id, completion, observation]) => ({ action: action(id, observation), completion })),
      'observation',
    );

  it('is the first action by number after which the policy succeeds', () => {
    expect(chosen(['a', failed], ['b', succeeded], ['c', succeeded])).toMatchObject({
      verdict: 'corrected',
      chosen: { candidateId: 'b' },
    });
  });

  it.each([
    ['a failure', failed],
    ['a fault', ended(null, 'model-fault')],
    ['a success that is written beside a fault', ended(true, 'environment-fault')],
    ['a success that does not hold on variants of the data', ended(true, 'submitted', false)],
    ['a completion that nobody knows', null],
  ])('is nothing after %s', (_what, completion) => {
    expect(chosen(['a', completion])).toEqual({ verdict: 'not-corrected', chosen: null });
  });

  it('is no action after which the agent reads what it read after the wrong one', () => {
    expect(chosen(['a', succeeded, 'a pit'])).toEqual({ verdict: 'not-corrected', chosen: null });
    expect(chosen(['a', succeeded, 'a pit'], ['b', succeeded]).chosen).toMatchObject({ candidateId: 'b' });
  });

  it('is not to be had where the policy drew nothing else', () => {
    expect(chosen()).toEqual({ verdict: 'no-alternative', chosen: null });
  });
});

describe('the pair of a wrong step and its correction', () => {
  const once = {
    rollouts: 1,
    baselineRollouts: 0,
    placeboRate: 0,
    confidence: 0.9,
    tieMass: 0.8,
    confirmOnVariants: true,
  };
  const sound = { ...once, rollouts: 8, baselineRollouts: 8 };
  const times = (count: number, result: BranchResult) => Array.from({ length: count }, () => result);

  it('is proven by one completion that succeeds', () => {
    const right = action('right', 'a room', { resample: [failed, succeeded] });
    expect(correctedPair(right, wrong, once, 'observation').pair).toMatchObject({
      chosen: right,
      rejected: wrong,
      rule: 'once',
      evidence: { chosen: { purpose: 'resample' } },
      chosenTally: { successes: 1, rollouts: 2 },
      rejectedTally: { rollouts: 0 },
    });
    expect(correctedPair(action('right', 'a room', { resample: [failed] }), wrong, once, 'observation').reason).toBe(
      'not-accepted',
    );
    expect(correctedPair(action('right', 'a pit', { resample: [succeeded] }), wrong, once, 'observation').reason).toBe(
      'same-state',
    );
  });

  it('under sound, is proven by fresh rollouts of both, whatever the completions were that found it', () => {
    const right = action('right', 'a room', { resample: times(20, succeeded), verify: times(8, succeeded) });
    const bad = action('wrong', 'a pit', { baseline: times(8, failed) });
    expect(correctedPair(right, bad, sound, 'observation').pair).toMatchObject({
      rule: 'posterior',
      evidence: { chosen: { purpose: 'verify', before: 6 } },
    });
    const lucky = action('right', 'a room', { resample: times(20, succeeded), verify: times(8, failed) });
    expect(correctedPair(lucky, bad, sound, 'observation').reason).toBe('not-accepted');
    expect(
      correctedPair(action('right', 'a room', { resample: times(20, succeeded) }), bad, sound, 'observation').reason,
    ).toBe('undecided');
  });
});
