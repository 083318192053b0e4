// Layer: pure core.
import { describe, expect, it } from 'vitest';
import {
  type Compared,
  isOnlyObservedEqual,
  leadsToTheSame,
  type Reached,
  type Sameness,
  samenessKey,
} from '../../../src/domain/pairs/sameness.ts';

const action = (canonical: string | null, reached: Partial<Reached> | null = {}): Compared => ({
  canonical,
  reached: reached && { observation: 'ok', done: false, reward: null, success: null, mark: null, ...reached },
});
const state = (hash: string, changed = true, by: 'environment' | 'snapshot' = 'environment') => ({
  mark: { hash, by, changed },
});
const ended = (reward: number, success = reward === 1) => ({ done: true, reward, success });

describe('where an action may come out differently each time', () => {
  it('only equal actions lead to the same, whatever they once led to', () => {
    expect(leadsToTheSame(action('a', null), action('a', null), 'action')).toBe(true);
    expect(leadsToTheSame(action('a', state('1')), action('b', state('1')), 'action')).toBe(false);
    expect(leadsToTheSame(action(null, null), action(null, null), 'action')).toBe(false);
    expect(samenessKey(action('a', state('1')), 'action')).toBe('=a');
    expect(isOnlyObservedEqual(action('a'), action('b'), 'action')).toBe(false);
  });
});

/** One line for each case: two actions, and whether they lead to the same by state, by all that is observed, and in runs of before. */
const cases: [string, Compared, Compared, boolean, boolean, boolean][] = [
  ['the same answer, different states', action('a', state('1')), action('b', state('2')), false, true, true],
  ['the same answer and state', action('a', state('1')), action('b', state('1')), true, true, true],
  [
    'the same state by other words',
    action('a', { ...state('1'), observation: 'moved' }),
    action('b', { ...state('1'), observation: 'renamed' }),
    true,
    false,
    false,
  ],
  [
    'two files that are read, which changes nothing',
    action('a', { ...state('1', false), observation: 'apples' }),
    action('b', { ...state('1', false), observation: 'pears' }),
    false,
    false,
    false,
  ],
  [
    'nothing changed and the same answer',
    action('a', state('1', false)),
    action('b', state('1', false)),
    true,
    true,
    true,
  ],
  ['no state known', action('a'), action('b'), false, true, true],
  ['no state known, but equal actions', action('a'), action('a'), true, true, true],
  ['no state known of malformed ones', action(null), action(null), false, true, true],
  ['a hash and a snapshot', action('a', state('1')), action('b', state('1', true, 'snapshot')), false, true, true],
  ['equal ends', action('a', ended(0)), action('b', ended(0)), true, true, false],
  ['ends of other rewards', action('a', ended(0.2)), action('b', ended(0.4)), false, false, false],
  [
    'ends of one reward, one of them a success',
    action('a', ended(0.4)),
    action('b', ended(0.4, true)),
    false,
    false,
    false,
  ],
  ['an end and no end', action('a', ended(0)), action('b', state('1')), false, false, false],
  ['an action that nobody took', action('a', null), action('a', null), false, false, false],
];

describe('two actions lead to the same', () => {
  it.each(cases)('%s', (_name, one, other, byState, byAll, before) => {
    const all: [Sameness, boolean][] = [
      ['state', byState],
      ['all-observed', byAll],
      ['observation', before],
    ];
    for (const [by, expected] of all) {
      expect([by, leadsToTheSame(one, other, by)]).toEqual([by, expected]);
      expect(leadsToTheSame(other, one, by)).toBe(expected);
    }
  });

  it.each(cases)('and then have one key, by which they are valued once: %s', (_name, one, other, byState, byAll) => {
    const taken = one.reached !== null;
    expect(samenessKey(one, 'state') !== null && samenessKey(one, 'state') === samenessKey(other, 'state')).toBe(
      taken ? byState : true,
    );
    if (taken) expect(samenessKey(one, 'all-observed') === samenessKey(other, 'all-observed')).toBe(byAll);
  });
});

describe('a pair is flagged', () => {
  it.each([
    ['where the agent reads the same and the states are not known', action('a'), action('b'), true],
    ['not where the states are known', action('a', state('1')), action('b', state('2')), false],
    ['not where the agent reads something else', action('a'), action('b', { observation: 'no' }), false],
    ['not where a task ends', action('a', ended(1)), action('b', ended(0)), false],
  ])('%s', (_name, one, other, expected) => {
    expect(isOnlyObservedEqual(one, other, 'state')).toBe(expected);
    expect(isOnlyObservedEqual(one, other, 'all-observed')).toBe(false);
    expect(isOnlyObservedEqual(one, other, 'observation')).toBe(false);
  });
});
