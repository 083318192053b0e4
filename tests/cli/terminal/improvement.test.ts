// Layer: words, without a store.
import { expect, it } from 'vitest';
import { validationText } from '../../../src/cli/terminal/improvement.ts';
import type { ImproveSettings } from '../../../src/domain/improve/settings.ts';

const settings = (tasks: number, validationGroups: number, promote: ImproveSettings['promote']) =>
  ({
    ...{ validationGroups, promote, visible: 0.1, samples: { validation: 1, mostValidation: 4 } },
    tasks: { collect: [], validation: Array.from({ length: tasks }, (_, index) => `t${index}`), test: [] },
  }) as unknown as ImproveSettings;

it('a validation of two tasks says at the start what it can show, how many tasks it would take, and that it decides nothing', () => {
  const shown =
    'Validation: 2 tasks in 2 groups, 4 samples each: it can show a difference of about 70 points; to show 10 points it takes about 99 tasks.';
  const few =
    "That is too few groups to decide: the policy will stay as it is. Give 5 groups or more, or set improve.promote to 'always'.";
  expect(validationText(settings(2, 2, 'not-worse'))).toBe(`${shown} ${few}`);
  expect(validationText(settings(2, 2, 'always'))).toBe(shown);
});

it('a validation of enough tasks says what it can show', () => {
  expect(validationText(settings(99, 9, 'better'))).toBe(
    'Validation: 99 tasks in 9 groups, 4 samples each: it can show a difference of about 10 points.',
  );
});
