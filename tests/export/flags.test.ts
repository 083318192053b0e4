// Layer: pure core.
import { expect, it } from 'vitest';
import { checkFlags, flagsOfKind } from '../../src/export/flags.ts';
import { actionKind } from '../../src/export/kinds/action.ts';
import { exampleKind } from '../../src/export/kinds/example.ts';
import { example, processExample } from './example-builder.ts';

it('every flag that an item has is one of its kind', () => {
  const origins = ['policy', 'imported', 'expert', 'scripted', 'recorded'] as const;
  const examples = origins.flatMap((origin) => [
    example({ origin, success: false, confirmed: false }),
    example({ origin, success: null }),
  ]);
  expect(flagsOfKind('example')).toEqual(expect.arrayContaining(examples.flatMap(exampleKind.flagsOf)));
  const actions = [0, 0.5, 1].map((outcome) => processExample({ outcome, rollouts: 1, score: null }));
  expect(flagsOfKind('action')).toEqual(expect.arrayContaining(actions.flatMap(actionKind.flagsOf)));
});

it('a flag may belong to any of several kinds, but to one', () => {
  expect(() => checkFlags(['ungrounded', 'failed', 'special-token'], ['pair', 'example'])).not.toThrow();
  expect(() => checkFlags(['failed'], ['pair'])).toThrow('"failed": pairs have no flag of this name');
  expect(() => checkFlags(['ungronded'], ['pair', 'example'])).toThrow('"ungronded": there is no flag of this name');
});
