// Layer: pure core.
import { expect, it } from 'vitest';
import { blockedText } from '../../src/views/fault-text.ts';

const block = { message: 'The endpoint answered 402.', since: Date.now() };

it('a blocked run is named once', () => {
  const text = blockedText('Run cso-1', { runId: 'cso-1', block }, 'crux resume cso-1');
  expect(text).toMatch(/^Run cso-1 is blocked for .* now: The endpoint answered 402\. .* crux resume cso-1$/);
});

it('an improvement is named with its campaign that is blocked', () => {
  const text = blockedText('The improvement rounds', { runId: 'rounds/round-1/collect', block }, 'again');
  expect(text).toMatch(/^The improvement rounds \(run rounds\/round-1\/collect\) is blocked for /);
});
