// Layer: the server's scoring endpoints over loopback HTTP.
import { afterEach, describe, expect, test } from 'vitest';
import type { Message } from '../../src/domain/message.ts';
import { toolTrafficAsText, withToolsDescribed } from '../../src/domain/tools-as-text.ts';
import { mazeEnvironment } from '../../src/simulation/maze-environment.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';
import { type Simulation, startSimulation } from '../../src/simulation/server.ts';
import { toolsFromText } from '../../src/simulation/tools-from-text.ts';

const mazes = createMazes({ seed: 2, count: 3 });
const environment = mazeEnvironment(mazes);
const briefing = await environment.briefing((await environment.tasks())[0]!);
const conversation: Message[] = [
  { role: 'system', content: briefing.system },
  { role: 'user', content: briefing.user },
];
const doors = ['left', 'right', 'up', 'down'];
const action = (door: string): Message => ({
  role: 'assistant',
  content: `Thought: I take ${door}.\nAction: go\nAction Input: {"door":"${door}"}`,
});
const running: Simulation[] = [];

async function start() {
  const simulation = await startSimulation({ seed: 1, worlds: [mazeWorld(mazes)] });
  running.push(simulation);
  return simulation;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulation) => simulation.close()));
});

async function post({ url }: Simulation, path: string, body: object): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
}

const scored = (door: string, more: object = {}) => ({
  model: 'sim-prm@auc=0.95',
  messages: [...conversation, action(door)],
  ...more,
});

describe('a scoring endpoint', () => {
  test('has the two classes of its model in the forms of vLLM, and the same answer to the same request', async () => {
    const simulation = await start();
    const pooled = await post(simulation, '/pooling', scored('left'));
    expect(await post(simulation, '/pooling', scored('left'))).toEqual(pooled);
    const { data, usage, model } = JSON.parse(pooled.text);
    const [[bad, good]] = data[0].data;
    expect([bad + good, model, usage.completion_tokens]).toEqual([1, 'sim-prm@auc=0.95', 0]);
    expect(usage.prompt_tokens).toBeGreaterThan(10);
    const classified = JSON.parse((await post(simulation, '/classify', scored('left'))).text);
    expect(classified.data[0]).toEqual({
      index: 0,
      label: good > bad ? 'LABEL_1' : 'LABEL_0',
      probs: [bad, good],
      num_classes: 2,
    });
  });

  test('gives logits of which the probabilities are the softmax', async () => {
    const simulation = await start();
    const [[, good]] = JSON.parse((await post(simulation, '/pooling', scored('left'))).text).data[0].data;
    const raw = await post(simulation, '/pooling', scored('left', { use_activation: false }));
    const [[low, high]] = JSON.parse(raw.text).data[0].data;
    expect(Math.exp(high) / (Math.exp(low) + Math.exp(high))).toBeCloseTo(good, 2);
  });

  test('scores about as its judge does: the fixed part of the noise is the same', async () => {
    const simulation = await start();
    for (const door of doors) {
      const request = `<conversation>\n${JSON.stringify(conversation)}\n</conversation>\n<action>\n${JSON.stringify(action(door))}\n</action>`;
      const messages = [{ role: 'user', content: request }];
      const judged = await post(simulation, '/v1/chat/completions', { ...scored(door), messages, temperature: 0 });
      const { score } = JSON.parse(JSON.parse(judged.text).choices[0].message.content);
      const [[, good]] = JSON.parse((await post(simulation, '/pooling', scored(door))).text).data[0].data;
      // In evidence, in standard deviations: the fresh part has a variance of 0.2 for each of the two calls.
      const evidence = (value: number) => Math.log(value / (1 - value)) / 2.4;
      const inside = (value: number) => Math.min(0.995, Math.max(0.005, value));
      expect(Math.abs(evidence(inside(score)) - evidence(inside(good)))).toBeLessThan(2.5);
    }
  });

  test('writes NaN as Python does, for a model that is set to be malformed', async () => {
    const simulation = await start();
    const { status, text } = await post(simulation, '/classify', scored('left', { model: 'sim-prm@malformed=1' }));
    expect([status, text]).toEqual([200, expect.stringContaining('"probs": [NaN, NaN]')]);
  });

  test.each([
    ['a model that scores nothing', { model: 'sim-policy' }, 400, 'does not support Pooling API'],
    ['a model that there is not', { model: 'sim-judge' }, 404, 'sim-judge'],
    ['a conversation without an action', { messages: conversation }, 400, 'must be the action'],
    [
      'a text in place of messages',
      { messages: undefined, input: 'Left.' },
      400,
      'must hold a conversation and an action',
    ],
    [
      'a conversation of no world',
      { messages: [{ role: 'user', content: 'Hi.' }, action('left')] },
      400,
      'No simulated world',
    ],
    ['one that is too long', { model: 'sim-prm@context=10' }, 400, 'maximum context length is 10 tokens'],
  ])('refuses %s', async (_what, more, status, words) => {
    const refused = await post(await start(), '/pooling', scored('left', more));
    expect(refused.status).toBe(status);
    expect(refused.text).toContain(words);
  });
});

test('tool traffic that was written as text is read back', () => {
  const call = { id: 'call_0', type: 'function' as const, function: { name: 'go "x"', arguments: '{"door": "left"}' } };
  const messages: Message[] = [
    { role: 'system', content: 'Find the way.' },
    { role: 'user', content: 'Two doors.' },
    { role: 'assistant', content: 'So.', tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call_0', content: 'A wall\nof stone.' },
    { role: 'assistant', content: null, tool_calls: [call, { ...call, id: 'call_1' }] },
    { role: 'tool', tool_call_id: 'call_0', content: 'One.' },
    { role: 'tool', tool_call_id: 'call_1', content: 'Two.' },
  ];
  const { tools } = environment;
  const written = withToolsDescribed(tools!, toolTrafficAsText(messages));
  expect(toolsFromText(written)).toEqual({ messages, tools });
  expect(toolsFromText(conversation)).toEqual({ messages: conversation, tools: undefined });
});
