// Layer: a process reward model, trained by examples/lab/train_prm.py and served by python/crux_serve.py, with the real libraries. Needs the Python environment of the lab.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBase, orders, serveModels, start, temporaryFolder, withoutPython } from './python.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
let url: string;
let stop: () => void;
let trained: string;

const said = (content: string) => ({ role: 'assistant', content });

async function post(path: string, body: object) {
  const response = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Answer };
}
type Answer = { data: { data: number[] }[]; usage: { prompt_tokens: number }; error: { message: string } };

const score = async (order: (typeof orders)[number], action: string, changes: object = {}) => {
  const messages = [...order.prompt, said(action)];
  return (await post('/pooling', { model: 'prm', messages, ...changes })).body.data[0]!.data[0]!;
};

beforeAll(async () => {
  if (withoutPython) return;
  const base = await makeBase(folder);
  const rows = orders.flatMap(({ prompt, right, wrong, goods }) =>
    [right, wrong].map((action, index) => ({
      ...{ group: goods, messages: prompt, action: said(action), outcome: 1 - index, weight: 1 },
    })),
  );
  writeFileSync(at('actions.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const args = ['--rows', at('actions.jsonl'), '--base', base, '--out', at('prm'), '--epochs', '30'];
  const { code, output } = await start('examples/lab/train_prm.py', args).ended;
  if (code !== 0) throw new Error(output);
  trained = output;
  ({ url, stop } = await serveModels([at('prm'), 'prm'], [base, 'base']));
});
afterAll(() => stop?.());

describe.skipIf(withoutPython !== null)('a process reward model of the lab', () => {
  it('is judged on groups that it has not learned from, and saved as a model with one number', () => {
    expect(trained).toMatch(
      /epoch 30\/30: loss 0\.\d+\n90 actions learned from; on 30 actions of 1 other groups the AUC is \d\.\d+/,
    );
    const config = JSON.parse(readFileSync(at('prm/config.json'), 'utf8')) as { architectures: string[] };
    expect(config.architectures).toEqual(['LlamaForSequenceClassification']);
  });

  it('scores right actions above wrong ones, the same alone and among others', async () => {
    const alone = [];
    for (const order of orders.slice(0, 12))
      alone.push([await score(order, order.right), await score(order, order.wrong)] as const);
    expect(alone.filter(([right, wrong]) => right > wrong).length).toBeGreaterThan(8);
    const together = await Promise.all(orders.slice(0, 12).map((order) => score(order, order.right)));
    for (const [index, one] of together.entries()) expect(one).toBeCloseTo(alone[index]![0], 5);
  });

  it('gives the number itself, or a probability of it, as vLLM does', async () => {
    const [order] = orders;
    const [number, probability] = [
      await score(order!, order!.right, { use_activation: false }),
      await score(order!, order!.right),
    ];
    expect(probability).toBeCloseTo(1 / (1 + Math.exp(-number)), 5);
  });

  it('writes no text, and a model that writes text does not score: both are refused', async () => {
    const messages = orders[0]!.prompt;
    const chat = await post('/v1/chat/completions', { model: 'prm', messages });
    expect([chat.status, chat.body.error.message]).toEqual([
      400,
      'The model `prm` scores texts, and writes none: ask /pooling.',
    ]);
    const pooling = await post('/pooling', { model: 'base', messages });
    expect([pooling.status, pooling.body.error.message]).toEqual([400, 'The model `base` has no head to score with.']);
  });
});
