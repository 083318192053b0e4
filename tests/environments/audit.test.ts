// Layer: pure core. What an audit may answer.
import { expect, it } from 'vitest';
import { flagsOf } from '../../src/environments/audit.ts';
import type { EnvironmentDefinition } from '../../src/environments/contract.ts';
import { doors } from '../activities/doors.ts';

async function answered(answer: unknown) {
  const audit = (async () => answer) as NonNullable<EnvironmentDefinition['audit']>;
  const { environment } = doors({ audit });
  const [task] = await environment.tasks();
  const trajectory = { actions: [], reward: 1, details: null };
  return flagsOf(environment, task!, trajectory, AbortSignal.timeout(1_000));
}

it.each([
  [[], []],
  [['tests-edited'], ['tests-edited']],
  // Each once, in a fixed order.
  [
    ['b-2', 'a', 'b-2'],
    ['a', 'b-2'],
  ],
  [['a'.repeat(64)], ['a'.repeat(64)]],
])('%j are the flags %j', async (answer, flags) => {
  expect(await answered(answer)).toEqual(flags);
});

it.each([
  ['tests-edited', /gave "tests-edited", which is no list of flags/],
  [null, /gave null, which is no list/],
  [undefined, /which is no list/],
  [['Tests edited!'], /the flag "Tests edited!", which is not at most 64 lower-case letters, digits and hyphens/],
  [['a', 7], /the flag 7/],
  [[undefined], /the flag undefined/],
  [[''], /the flag ""/],
  [['-a'], /the flag "-a"/],
  [['a'.repeat(65)], /at most 64/],
])('%j is no answer', async (answer, words) => {
  await expect(answered(answer)).rejects.toThrow(words);
});

it('an environment without an audit has no flags, which is not the same as an empty list', async () => {
  const { environment } = doors();
  const [task] = await environment.tasks();
  const trajectory = { actions: [], reward: 1, details: null };
  expect(await flagsOf(environment, task!, trajectory, AbortSignal.timeout(1_000))).toBeNull();
});
