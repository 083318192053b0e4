// Layer: python/crux_serve.py with the real libraries, on a tiny model, by HTTP. Needs the Python environment of the lab.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBase, orders, serveModels, start, temporaryFolder, withoutPython } from './python.ts';
import { canaryOf, prepare, train } from './trainings.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
let url: string;
let stop: () => void;

type Answer = {
  status: number;
  body: {
    choices: { text: string; message: { content: string }; finish_reason: string; logprobs: Logprobs }[];
    usage: { prompt_tokens: number; completion_tokens: number };
    error: { message: string; type: string; code: string | null };
    data: { id: string; root: string }[];
  };
};
type Logprobs = { content: { token: string; logprob: number }[]; token_logprobs: (number | null)[] };

async function post(path: string, body: object): Promise<Answer> {
  const response = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

const chat = (changes: object = {}) =>
  post('/v1/chat/completions', { model: 'trained', messages: orders[0]!.prompt, max_tokens: 12, seed: 1, ...changes });

beforeAll(async () => {
  if (withoutPython) return;
  const base = await makeBase(folder);
  const { code, output } = await train(prepare(at('training'), 'dpo', base, { epochs: 1 }));
  if (code !== 0) throw new Error(output);
  ({ url, stop } = await serveModels([at('training/model'), 'trained'], [base, 'base']));
});
afterAll(() => stop?.());

describe.skipIf(withoutPython !== null)('crux_serve.py', () => {
  it('lists each model with the folder of its weights', async () => {
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const { data } = (await (await fetch(`${url}/v1/models`)).json()) as Answer['body'];
    expect(data.map(({ id, root }) => [id, root])).toEqual([
      ['trained', at('training/model')],
      ['base', at('base')],
    ]);
  });

  it('answers a chat, with its tokens counted and their log-probabilities', async () => {
    const { status, body } = await chat({ logprobs: true });
    expect(status).toBe(200);
    const [choice] = body.choices;
    expect(choice!.logprobs.content).toHaveLength(body.usage.completion_tokens);
    expect(choice!.logprobs.content.every(({ logprob }) => logprob < 0)).toBe(true);
    expect(body.usage.prompt_tokens).toBe(14);
  });

  it('tells the tokens of the prompt that a chat reads, as vLLM does, and refuses what would change them', async () => {
    const asked = (changes: object) => post('/tokenize', { model: 'trained', messages: orders[0]!.prompt, ...changes });
    const { body } = (await asked({ add_generation_prompt: true })) as unknown as { body: { tokens: number[] } };
    const { body: completed } = await post('/v1/completions', { model: 'trained', prompt: body.tokens, max_tokens: 1 });
    expect(completed.usage.prompt_tokens).toBe(14);
    expect(body).toMatchObject({ count: 14, tokens: expect.any(Array) });
    const { body: shorter } = await asked({ add_generation_prompt: false });
    expect((shorter as unknown as { count: number }).count).toBeLessThan(14);
    expect(await asked({ tools: [{}] })).toMatchObject({ status: 400 });
    expect(await asked({ model: 'another' })).toMatchObject({ status: 404 });
  });

  it('gives a request with a seed the same text alone and among others', async () => {
    const prompts = orders
      .slice(0, 24)
      .map(({ prompt }, index) => ({ messages: prompt, seed: index, max_tokens: 4 + index }));
    const alone = [];
    for (const request of prompts) alone.push((await chat(request)).body.choices[0]!.message.content);
    const among = await Promise.all(
      prompts.map(async (request) => (await chat(request)).body.choices[0]!.message.content),
    );
    expect(among).toEqual(alone);
    expect(new Set(alone).size).toBeGreaterThan(12);
  });

  it('draws the likeliest token at temperature 0, whatever the seed, and with a tiny top_p', async () => {
    const texts = await Promise.all(
      [
        { temperature: 0, seed: 1 },
        { temperature: 0, seed: 2 },
        { top_p: 1e-6, seed: 3 },
      ].map((request) => chat(request)),
    );
    expect(new Set(texts.map(({ body }) => body.choices[0]!.message.content)).size).toBe(1);
  });

  it('draws tokens as often as their probabilities say', async () => {
    // The first token's distribution, from 400 seeds, against its reported log-probability.
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, seed) => chat({ seed, max_tokens: 1, logprobs: true })),
    );
    const first = answers.map(({ body }) => body.choices[0]!.logprobs.content[0]!);
    const likeliest = first.toSorted((one, other) => other.logprob - one.logprob)[0]!;
    const share = first.filter(({ token }) => token === likeliest.token).length / first.length;
    // Five standard errors of a share of 400.
    expect(Math.abs(share - Math.exp(likeliest.logprob))).toBeLessThan(5 * Math.sqrt(0.25 / 400));
  });

  it('measures given tokens as the trainer did, alone and all at once', async () => {
    const canary = canaryOf(at('training'));
    const measured = async (model: string) => {
      const prompt = canary.map((line) => [...line.prompt, ...line.completion]);
      const { body } = await post('/v1/completions', { model, prompt, echo: true, logprobs: 1, max_tokens: 0 });
      return body.choices.map(({ logprobs }, index) =>
        logprobs.token_logprobs.slice(canary[index]!.prompt.length).reduce<number>((sum, value) => sum + value!, 0),
      );
    };
    const [trained, untrained] = [await measured('trained'), await measured('base')];
    for (const [index, { before, after }] of canary.entries()) {
      expect(trained[index]).toBeCloseTo(after, 3);
      expect(untrained[index]).toBeCloseTo(before, 3);
    }
  });

  it('completes a text, and says where an answer ended', async () => {
    const { body } = await post('/v1/completions', { model: 'trained', prompt: 'Order tea', max_tokens: 3, seed: 1 });
    expect(body.choices[0]!.finish_reason).toMatch(/stop|length/);
    const cut = await chat({ max_tokens: 1, temperature: 0 });
    expect(cut.body.choices[0]!.finish_reason).toBe('length');
    const whole = (await chat({ temperature: 0 })).body.choices[0]!.message.content;
    const word = whole.trim().split(' ').at(-1)!;
    const stopped = await chat({ temperature: 0, stop: [word] });
    expect(stopped.body.choices[0]!.message.content).toBe(whole.slice(0, whole.indexOf(word)));
    expect(stopped.body.choices[0]!.finish_reason).toBe('stop');
  });

  it('refuses what it does not have, in the form of an OpenAI error', async () => {
    expect(await chat({ model: 'other' })).toMatchObject({
      status: 404,
      body: { error: { message: 'The model `other` does not exist.', code: 'model_not_found' } },
    });
    const long = await chat({ max_tokens: 500 });
    expect(long).toMatchObject({ status: 400, body: { error: { code: 'context_length_exceeded' } } });
    expect(long.body.error.message).toContain(
      'maximum context length is 512 tokens. However, you requested 514 tokens',
    );
    for (const [member, value] of Object.entries({ tools: [{}], stream: true, n: 2, response_format: {} })) {
      expect(await chat({ [member]: value })).toMatchObject({
        status: 400,
        body: { error: { message: `This server does not support \`${member}\`.` } },
      });
    }
    expect((await chat({ temperature: 'hot' })).body.error.message).toContain('`temperature` must be a number from 0');
    expect((await post('/v1/nothing', {})).status).toBe(404);
  });

  it('loads more models while it serves, never two under one name, and unloads them', async () => {
    cpSync(at('base'), at('second'), { recursive: true });
    const load = (name: string, path: string) => post('/v1/load_model', { name, path });
    expect(await load('second', at('second'))).toMatchObject({ status: 200 });
    expect(await load('second', at('second'))).toMatchObject({ status: 200 });
    expect((await load('second', at('base'))).body.error.message).toContain('never given to other weights');
    expect((await load('third', at('nowhere'))).body.error.message).toContain('is no folder');
    expect((await chat({ model: 'second' })).status).toBe(200);
    expect(await post('/v1/unload_model', { name: 'second' })).toMatchObject({ status: 200 });
    expect(await chat({ model: 'second' })).toMatchObject({ status: 404 });
  });

  it('serves an adapter as the trainer left it', async () => {
    await train(prepare(at('lora'), 'dpo', at('base'), { epochs: 1, lora: { rank: 4, alpha: 8 } }));
    expect(await post('/v1/load_model', { name: 'adapted', path: at('lora/model') })).toMatchObject({ status: 200 });
    const [line] = canaryOf(at('lora'));
    const prompt = [...line!.prompt, ...line!.completion];
    const { body } = await post('/v1/completions', {
      model: 'adapted',
      prompt,
      echo: true,
      logprobs: 1,
      max_tokens: 0,
    });
    const own = body.choices[0]!.logprobs.token_logprobs.slice(line!.prompt.length);
    expect(own.reduce<number>((sum, value) => sum + value!, 0)).toBeCloseTo(line!.after, 3);
  });

  it('says that its port is taken, and that a folder holds no model', async () => {
    const port = new URL(url).port;
    expect(await start('python/crux_serve.py', ['--port', port]).ended).toMatchObject({
      code: 3,
      output: expect.stringContaining(`port ${port} of 127.0.0.1 cannot be used: Address already in use`),
    });
    expect(
      await start('python/crux_serve.py', ['--model', folder, '--name', 'none', '--port', '0']).ended,
    ).toMatchObject({
      code: 2,
      output: expect.stringContaining('cannot be loaded'),
    });
  });
});
