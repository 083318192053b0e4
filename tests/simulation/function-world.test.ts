// Layer: simulated models that are functions of the conversation, in process and through HTTP.

import { expect, onTestFinished, test } from 'vitest';
import type { Action } from '../../src/domain/action.ts';
import type { Message } from '../../src/domain/message.ts';
import { agentFormat } from '../../src/environments/formats/agent-format.ts';
import { type FunctionWorldDefinition, functionWorld, startSimulation } from '../../src/testing.ts';
import { play } from './play.ts';
import { reach } from './reach.ts';
import { scoreOf } from './score.ts';

const change = (how: string) => ({ action: { tool: 'change', arguments: { how } } });
const submit = { thought: 'Done.', action: { tool: 'submit', arguments: {} } };

/** Reaches 4 by doubling twice, where the policy is in luck. */
const definition: FunctionWorldDefinition = {
  policy: ({ turns, random, skill }) => (turns.length === 2 ? submit : change(random() < skill ? 'double' : 'add')),
  expert: ({ turns }) => (turns.length === 2 ? submit : change('double')),
  prm: ({ turns }, action) =>
    action === null ? 0 : action.arguments.how === 'double' && turns.length < 2 ? 0.83 : 0.12,
};
const four = { id: '4', split: 'train', group: '4', title: 'Reach 4', difficulty: null } as const;
const messages: Message[] = [{ role: 'user', content: 'Reach 4.' }];

test.each(['react', 'tools'] as const)('functions play a task in the format %s', async (format) => {
  const environment = reach({ tasks: async () => [four] });
  const player = { environment, worlds: [functionWorld(definition)], serverSeed: 1, format };
  expect(await play(player, 'sim-expert', four, 1)).toMatchObject({ success: true, steps: 3 });
  const outcomes = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => play(player, 'sim-policy', four, seed)));
  expect(new Set(outcomes.map(({ success }) => success))).toEqual(new Set([true, false]));
  expect(await play(player, 'sim-policy@skill=1', four, 1)).toMatchObject({ success: true });
  expect(await play(player, 'sim-policy', four, 7)).toEqual(outcomes[6]);
});

test('scores are sent as the function gives them', () => {
  const { render } = agentFormat(reach(), 'tools');
  const score = (action: Action) => scoreOf([functionWorld(definition)], messages, render('', [action], 1), 1);
  expect(score(change('double').action)).toBe(0.83);
  expect(score(submit.action)).toBe(0.12);
  expect(scoreOf([functionWorld(definition)], messages, { role: 'assistant', content: 'Hm.' }, 1)).toBe(0);
});

test.each<[string, Partial<FunctionWorldDefinition>, string]>([
  ['a promise', { policy: (async () => submit) as never }, 'not a promise: it must answer at once'],
  [
    'nothing',
    { policy: (() => undefined) as never },
    'must return { thought, action: { tool, arguments } }, not undefined',
  ],
  [
    'an error',
    {
      policy: () => {
        throw new RangeError('no such room');
      },
    },
    'The function "policy" failed: no such room',
  ],
])('a function that gives %s is named in a refusal, which no client tries again', async (_, wrong, message) => {
  const simulation = await startSimulation({ seed: 1, worlds: [functionWorld({ ...definition, ...wrong })] });
  onTestFinished(() => simulation.close());
  const body = JSON.stringify({ model: 'sim-policy', messages, logprobs: true });
  const response = await fetch(`${simulation.url}/v1/chat/completions`, { method: 'POST', body });
  expect(response.status).toBe(400);
  expect(((await response.json()) as { error: { message: string } }).error.message).toContain(message);
});

test('how likely an answer was is unknown, and no log-probability is made up', async () => {
  const simulation = await startSimulation({ seed: 1, worlds: [functionWorld(definition)] });
  onTestFinished(() => simulation.close());
  const body = JSON.stringify({ model: 'sim-policy', messages, logprobs: true });
  const response = await fetch(`${simulation.url}/v1/chat/completions`, { method: 'POST', body });
  expect(await response.json()).toMatchObject({ choices: [{ logprobs: null }] });
});
