// Layer: the server over loopback HTTP, through the `openai` package as users call it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { mazeEnvironment } from '../../src/simulation/maze-environment.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';
import { type Simulation, type SimulationOptions, startSimulation } from '../../src/simulation/server.ts';

const mazes = createMazes({ seed: 2, count: 3 });
const environment = mazeEnvironment(mazes);
const task = (await environment.tasks())[0]!;
const briefing = await environment.briefing(task);
const messages = [
  { role: 'system' as const, content: briefing.system },
  { role: 'user' as const, content: briefing.user },
];
const folder = mkdtempSync(join(tmpdir(), 'crux-simulation-'));
const running: Simulation[] = [];

async function start(options: Partial<SimulationOptions> = {}) {
  const simulation = await startSimulation({ seed: 1, worlds: [mazeWorld(mazes)], ...options });
  running.push(simulation);
  const client = new OpenAI({ apiKey: 'ignored', baseURL: `${simulation.url}/v1`, maxRetries: 0 });
  return { simulation, client };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulation) => simulation.close()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scoreRequest = (action: object) => ({
  model: 'sim-prm@auc=0.95',
  temperature: 0,
  messages: [
    { role: 'system' as const, content: 'Score the action.' },
    {
      role: 'user' as const,
      content: `<conversation>\n${JSON.stringify(messages)}\n</conversation>\n<action>\n${JSON.stringify(action)}\n</action>`,
    },
  ],
});

describe('answers', () => {
  test('are the same for the same request on two servers, whatever the key', async () => {
    const request = { model: 'sim-policy', messages, tools: environment.tools, seed: 11 };
    const [a, b] = [await start(), await start()];
    const first = await a.client.chat.completions.create(request, { headers: { 'Idempotency-Key': 'one' } });
    const second = await b.client.chat.completions.create(request, { headers: { 'Idempotency-Key': 'two' } });
    expect(second).toEqual(first);
    expect(first.usage?.prompt_tokens).toBeGreaterThan(10);
  });

  test('differ over request seeds, server seeds and choices at temperature 1', async () => {
    const [a, b] = [await start(), await start({ seed: 2 })];
    const texts = async (client: OpenAI, seed: number) => {
      const { choices } = await client.chat.completions.create({ model: 'sim-policy', messages, seed, n: 12 });
      return choices.map((choice) => choice.message.content);
    };
    const first = await texts(a.client, 1);
    expect(new Set(first).size).toBeGreaterThan(2);
    expect(await texts(a.client, 2)).not.toEqual(first);
    expect(await texts(b.client, 1)).not.toEqual(first);
  });

  test('ignore the request seed at temperature 0, and all choices agree', async () => {
    const { client } = await start();
    const ask = (seed: number) =>
      client.chat.completions.create({ model: 'sim-policy', messages, seed, n: 3, temperature: 0 });
    const contents = [...(await ask(1)).choices, ...(await ask(2)).choices].map((choice) => choice.message.content);
    expect(new Set(contents).size).toBe(1);
  });

  test('are tool calls where tools are offered, and ReAct text otherwise', async () => {
    const { client } = await start();
    const withTools = await client.chat.completions.create({ model: 'sim-policy', messages, tools: environment.tools });
    expect(withTools.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'go' } }] },
    });
    const asText = await client.chat.completions.create({ model: 'sim-policy', messages });
    expect(asText.choices[0]?.finish_reason).toBe('stop');
    expect(asText.choices[0]?.message.content).toMatch(/^Thought: .+\nAction: go\nAction Input: \{"door":"\w+"\}$/);
  });

  test('break off at max_tokens with finish_reason length', async () => {
    const { client } = await start();
    const { choices, usage } = await client.chat.completions.create({ model: 'sim-policy', messages, max_tokens: 5 });
    expect(choices[0]?.finish_reason).toBe('length');
    expect(choices[0]?.message.content?.length).toBe(20);
    expect(usage?.completion_tokens).toBe(5);
  });

  test('of a PRM are scores that tell good doors from bad ones', async () => {
    const { client } = await start();
    const { choices } = await client.chat.completions.create(
      scoreRequest({ role: 'assistant', content: 'I cannot decide.' }),
    );
    const answer = JSON.parse(choices[0]!.message.content!) as { score: number; reason: string };
    expect(answer.score).toBeLessThan(0.45);
    expect(answer.reason).not.toBe('');
  });

  test('follow no format, or are refusals, as often as the model is set to', async () => {
    const { client } = await start();
    const model = 'sim-policy@malformed=0.3,refuse=0.2';
    const { choices } = await client.chat.completions.create({ model, messages, n: 128 });
    const { choices: more } = await client.chat.completions.create({ model, messages, n: 128, seed: 1 });
    const all = [...choices, ...more].map((choice) => choice.message);
    expect(all.filter((message) => message.refusal).length / all.length).toBeCloseTo(0.2, 1);
    expect(
      all.filter((message) => !message.refusal && !message.content?.includes('Action')).length / all.length,
    ).toBeCloseTo(0.3, 1);
  });
});

describe('log-probabilities', () => {
  const ask = async (client: OpenAI, changes: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}) =>
    client.chat.completions.create({ model: 'sim-policy', messages, logprobs: true, ...changes });
  const total = ({ logprobs }: OpenAI.ChatCompletion.Choice) =>
    logprobs!.content!.reduce((sum, { logprob }) => sum + logprob, 0);

  test('come when they are asked for, one for each token of the very same text', async () => {
    const { client } = await start();
    const { choices, usage } = await ask(client);
    const { choices: silent } = await ask(client, { logprobs: false });
    expect(silent[0]!.logprobs).toBeNull();
    expect(choices[0]!.message).toEqual(silent[0]!.message);
    const tokens = choices[0]!.logprobs!.content!;
    expect(tokens).toHaveLength(usage!.completion_tokens);
    expect(tokens.map(({ token }) => token).join('')).toBe(choices[0]!.message.content);
    expect(tokens[0]).toEqual({
      token: 'Thou',
      logprob: expect.any(Number),
      bytes: [84, 104, 111, 117],
      top_logprobs: [],
    });
  });

  test('are those by which the answers are drawn', async () => {
    const { client } = await start();
    const all: OpenAI.ChatCompletion.Choice[] = [];
    for (let seed = 0; seed < 16; seed++) all.push(...(await ask(client, { n: 128, seed })).choices);
    const byText = Map.groupBy(all, ({ message }) => message.content);
    expect(byText.size).toBeGreaterThan(3);
    const stated = [...byText.values()].map(([choice]) => Math.exp(total(choice!)));
    // Every answer that there is was drawn: their probabilities sum to 1.
    expect(stated.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(1, 9);
    // 2,048 draws: within five standard errors of a share.
    for (const [index, drawn] of [...byText.values()].entries())
      expect(Math.abs(drawn.length / all.length - stated[index]!)).toBeLessThan(5 * Math.sqrt(0.25 / all.length));
  });

  test('are of temperature 1 at any temperature, and of tool calls too', async () => {
    const { client } = await start();
    const { choices } = await ask(client, { temperature: 0 });
    expect(total(choices[0]!)).toBeLessThan(0);
    const withTools = await ask(client, { temperature: 0, tools: environment.tools });
    const [call] = withTools.choices[0]!.message.tool_calls!;
    const { function: called } = call as OpenAI.ChatCompletionMessageFunctionToolCall;
    const text = withTools.choices[0]!.logprobs!.content!.map(({ token }) => token).join('');
    expect(text).toBe(withTools.choices[0]!.message.content! + called.name + called.arguments);
    expect(total(withTools.choices[0]!)).toBeCloseTo(total(choices[0]!), 9);
  });

  test('are none of a PRM, and of no tokens that were not written', async () => {
    const { client } = await start();
    const action = { role: 'assistant', content: 'I cannot decide.' };
    const { choices } = await client.chat.completions.create({ ...scoreRequest(action), logprobs: true });
    expect(choices[0]!.logprobs).toBeNull();
    await expect(ask(client, { top_logprobs: 3 })).rejects.toMatchObject({ status: 400 });
  });
});

describe('requests that cannot be answered', () => {
  test('get OpenAI errors: 404 for a model, 400 for a conversation, a body or a context', async () => {
    const { client, simulation } = await start();
    const ask = (model: string, content = briefing.user) =>
      client.chat.completions.create({ model, messages: [{ role: 'user', content }] });
    await expect(ask('gpt-4')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    await expect(ask('sim-policy', 'Hello')).rejects.toMatchObject({ status: 400, code: 'unknown_conversation' });
    await expect(ask('sim-policy@context=5')).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' });
    const broken = await fetch(`${simulation.url}/v1/chat/completions`, { method: 'POST', body: '{' });
    expect(broken.status).toBe(400);
    expect(simulation.stats().models['gpt-4']?.statuses).toEqual({ '404': 1 });
  });
});

describe('stats and log', () => {
  test('count requests, tokens and keys, and tell which key was answered twice', async () => {
    const logFile = join(folder, 'log', 'requests.jsonl');
    const { client, simulation } = await start({ logFile });
    const ask = (key: string) =>
      client.chat.completions.create({ model: 'sim-policy', messages }, { headers: { 'Idempotency-Key': key } });
    const { usage } = await ask('a');
    await ask('b');
    await ask('b');
    await fetch(`${simulation.url}/v1/models`);
    const stats = (await (await fetch(`${simulation.url}/stats`)).json()) as unknown;
    expect(stats).toEqual(simulation.stats());
    expect(stats).toMatchObject({
      requests: 3,
      inFlight: 0,
      distinctKeys: 2,
      repeatedKeys: 1,
      keysAnsweredAgain: 1,
      completeAnswers: 3,
      completionTokens: 3 * usage!.completion_tokens,
      models: { 'sim-policy': { requests: 3, statuses: { '200': 3 } } },
    });
    const log = await (await fetch(`${simulation.url}/log`)).text();
    expect(log).toBe(readFileSync(logFile, 'utf8'));
    const entries = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(entries).toHaveLength(3);
    expect(entries[1]).toMatchObject({ key: 'b', model: 'sim-policy', status: 200, fault: null, complete: true });
  });

  test('show a request that its client gave up as incomplete', async () => {
    const { client, simulation } = await start({ latency: { distribution: 'fixed', meanMs: 60_000 } });
    await expect(client.chat.completions.create({ model: 'sim-policy', messages }, { timeout: 100 })).rejects.toThrow(
      /timed out/,
    );
    await expect.poll(() => simulation.stats()).toMatchObject({ requests: 1, completeAnswers: 0, inFlight: 0 });
    expect(simulation.stats().models['sim-policy']?.statuses).toEqual({ none: 1 });
  });
});

test('a model list names the families', async () => {
  const { client } = await start();
  const { data } = await client.models.list();
  expect(data.map((model) => model.id)).toEqual(['sim-policy', 'sim-expert', 'sim-prm', 'sim-user', 'sim-grader']);
});

test('closing ends requests that would never be answered', async () => {
  const { client, simulation } = await start({ faults: { rateHang: 1 } });
  const hanging = client.chat.completions.create({ model: 'sim-policy', messages });
  await Promise.all([
    expect(hanging).rejects.toThrow(),
    expect
      .poll(() => simulation.stats().inFlight)
      .toBe(1)
      .then(() => simulation.close()),
  ]);
});
