// Layer: pure core.
import { expect, it } from 'vitest';
import { isMeasurement, isOfAudit, purposesThat } from '../../src/domain/purpose.ts';

it('names what only measures, what branches are made for, and what writes sides of pairs', () => {
  expect(purposesThat('measures')).toEqual(['placebo', 're-estimate', 'calibrate', 'gauge', 'reference']);
  expect(purposesThat('writesSides')).toEqual(['explore', 'propose', 'demonstrate', 'contrast']);
  expect(purposesThat('branches')).toHaveLength(13);
});

it('knows nothing of a purpose that is none', () => {
  expect([isMeasurement('constructor'), isOfAudit('constructor'), isOfAudit('reference')]).toEqual([
    false,
    false,
    true,
  ]);
});
