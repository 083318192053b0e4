// Layer: pure core.
import { describe, expect, it } from 'vitest';
import type { NumberedResult } from '../../../src/domain/branch.ts';
import { decisionOn, decisionsOn, roundsOf } from '../../../src/domain/pairs/decision.ts';
import { tally } from '../../../src/domain/pairs/verification.ts';

const rule = (rollouts: number, baselineRollouts = rollouts) => ({
  ...{ rollouts, baselineRollouts, placeboRate: 0, confidence: 0.9, tieMass: 0.8, confirmOnVariants: true },
});

/** Rollouts by number: `+` a success, `-` a failure, `!` a fault, a blank one that was not made. */
const rollouts = (results: string): NumberedResult[] =>
  [...results].flatMap((result, rollout): NumberedResult[] => {
    if (result === ' ') return [];
    if (result === '!') return [{ rollout, ending: 'model-fault', success: null, reward: null, confirmed: null }];
    const success = result === '+';
    return [{ rollout, ending: 'submitted', success, reward: Number(success), confirmed: null }];
  });

describe('rounds', () => {
  it('have two rollouts of each side, as long as there are any', () => {
    expect(roundsOf(rule(5, 2))).toEqual([
      { ofAlternative: [0, 1], ofRival: [0, 1] },
      { ofAlternative: [2, 3], ofRival: [] },
      { ofAlternative: [4], ofRival: [] },
    ]);
    expect(roundsOf(rule(1, 8))).toEqual([{ ofAlternative: [0], ofRival: [] }]);
  });
});

describe('a decision', () => {
  it('stands, whatever the rival does in later rounds', () => {
    const alone = decisionOn(rollouts('++++++'), rollouts('------'), rule(8));
    expect(alone).toMatchObject({ verdict: 'accepted', before: 6 });
    expect(alone.posterior).toBeCloseTo(0.984, 3);
    // Another alternative was open for longer, so the rival was rolled out again, and succeeded.
    expect(decisionOn(rollouts('++++++'), rollouts('------++'), rule(8))).toEqual(alone);
    expect(decisionOn(rollouts('++++++--'), rollouts('------++'), rule(8))).toEqual(alone);
  });

  it('rests on the rollouts up to it, and on no other', () => {
    const { ofAlternative, ofRival } = decisionOn(rollouts('--++++++'), rollouts('++------'), rule(8));
    expect(tally(ofAlternative)).toEqual({ successes: 0, rollouts: 2, missing: 0 });
    expect(tally(ofRival)).toEqual({ successes: 2, rollouts: 2, missing: 0 });
  });

  it('is open until a round is whole', () => {
    expect(decisionOn([], [], rule(8))).toMatchObject({ verdict: 'continue', before: 0 });
    expect(decisionOn(rollouts('++++++'), rollouts('----- '), rule(8))).toMatchObject({
      verdict: 'continue',
      before: 4,
    });
    expect(decisionOn(rollouts('+ ++++'), rollouts('------'), rule(8))).toMatchObject({
      verdict: 'continue',
      before: 0,
    });
  });

  it('counts faults against the pair', () => {
    expect(decisionOn(rollouts('++++++'), rollouts('!!!!!!'), rule(8)).verdict).not.toBe('accepted');
  });

  it('is one branch if n = 1', () => {
    expect(decisionOn(rollouts('+'), [], rule(1, 8))).toMatchObject({ verdict: 'accepted', rule: 'once', before: 2 });
    expect(decisionOn(rollouts('-'), [], rule(1))).toMatchObject({ verdict: 'rejected', rule: 'once' });
    expect(decisionOn([], [], rule(1))).toMatchObject({ verdict: 'continue' });
  });
});

describe('the first accepted alternative', () => {
  const verdicts = (alternatives: string[], rival: string, n: number, stopAtFirst = true) =>
    decisionsOn(alternatives.map(rollouts), rollouts(rival), { verification: rule(n), stopAtFirst }).map(
      ({ verdict }) => verdict,
    );

  it('ends the contest for those that no round has decided yet, whatever was rolled out for others', () => {
    const alternatives = ['++++++', '+-++++++', '--'];
    const rival = '--------';
    expect(verdicts(alternatives, rival, 8)).toEqual(['accepted', 'continue', 'continue']);
    expect(verdicts(['++++++', '+-++++', '--'], '------', 8)).toEqual(['accepted', 'continue', 'continue']);
    expect(verdicts(alternatives, rival, 8, false)).toEqual(['accepted', 'accepted', 'continue']);
  });

  it('leaves room for others of its round', () => {
    expect(verdicts(['++++++', '++++++'], '------', 8)).toEqual(['accepted', 'accepted']);
  });

  it('is the first in order if n = 1, whatever was branched for others', () => {
    expect(verdicts(['-', '+', '+'], '', 1)).toEqual(['rejected', 'accepted', 'continue']);
    expect(verdicts(['-', '+', '+'], '', 1, false)).toEqual(['rejected', 'accepted', 'accepted']);
  });
});
