// Layer: the environment over a small shop, and over the 1,000-product catalogue where it is.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkEnvironment } from '../../../src/environments/check.ts';
import type { Environment, Session } from '../../../src/environments/contract.ts';
import { agentFormat } from '../../../src/environments/formats/agent-format.ts';
import { webshop } from '../../../src/environments/webshop/environment.ts';
import { importShop } from '../../../src/environments/webshop/import.ts';
import { shopAction, shopTextFormat } from '../../../src/environments/webshop/text-format.ts';
import { benchmarkData } from '../../helpers/benchmark-data.ts';
import { bulb, lamp, shopFiles } from '../../helpers/small-shop.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

const signal = AbortSignal.timeout(60_000);
const into = join(temporaryFolder(), 'shop');
let shop: Environment;

beforeAll(async () => {
  await importShop({ from: shopFiles(), into });
  shop = webshop({ data: into });
});

async function lampSession(environment = shop): Promise<Session> {
  const task = (await environment.tasks()).find(({ group }) => group === lamp.asin)!;
  return await environment.open(task);
}

async function stateAfter(
  actions: readonly string[],
  environment = shop,
): Promise<{ hash: string; observation: unknown }> {
  const session = await lampSession(environment);
  let observation: unknown = null;
  for (const text of actions) {
    const read = shopTextFormat.parse(`Action: ${text}`);
    if (read.kind === 'malformed') throw new Error(text);
    observation = (await session.step(read.action, signal)).observation;
  }
  return { hash: await session.stateHash!(), observation };
}

const atLamp = ['search[oak lamp]', 'click[B000LAMP01]'];

describe('a state', () => {
  it('differs by an option that the page does not show', async () => {
    const [before, white, black] = await Promise.all([
      stateAfter(atLamp),
      stateAfter([...atLamp, 'click[white]']),
      stateAfter([...atLamp, 'click[oak | black]']),
    ]);
    expect(new Set([before.observation, white.observation, black.observation]).size).toBe(1);
    expect(new Set([before.hash, white.hash, black.hash]).size).toBe(3);
  });

  it('is the same for options that were chosen in another order, and for searches that find the same', async () => {
    const one = await stateAfter([...atLamp, 'click[white]', 'click[small]']);
    const other = await stateAfter(['search[OAK lamps!]', 'click[b000lamp01]', 'click[small]', 'click[white]']);
    expect(one.hash).toBe(other.hash);
  });

  it('holds in rich text which products were looked at, because the page marks them', async () => {
    const rich = webshop({ data: into, observations: 'text_rich' });
    const plain = ['search[nordlys]'];
    const looked = [...plain, 'click[B000BULB01]', 'click[< Prev]'];
    expect((await stateAfter(plain, rich)).hash).not.toBe((await stateAfter(looked, rich)).hash);
    expect((await stateAfter(plain)).hash).toBe((await stateAfter(looked)).hash);
  });
});

describe('a step', () => {
  it('that is no action of the page changes nothing and shows the page again', async () => {
    const session = await lampSession();
    const [task] = await shop.tasks();
    const { user } = await shop.briefing!({
      ...task!,
      id: (await shop.tasks()).find(({ group }) => group === lamp.asin)!.id,
    });
    for (const action of [
      shopAction('click', 'Buy Now'),
      shopAction('search', ''),
      { tool: 'search', arguments: { keywords: 7 } },
      { tool: 'dance', arguments: {} },
    ])
      expect(await session.step(action, signal)).toEqual({ observation: user, done: false });
  });

  it('that buys ends the task with the reward, which only the details show', async () => {
    const session = await lampSession();
    for (const text of atLamp) await session.step(actionOf(text), signal);
    const result = await session.step(actionOf('click[Buy Now]'), signal);
    expect(result).toMatchObject({
      done: true,
      success: false,
      details: { asin: lamp.asin, options: {}, r_att: 1, r_option: 0, r_price: true },
    });
    // Two attributes and the price of five parts.
    expect(result.reward).toBe(0.6);
    expect(result.observation).not.toMatch(/\d/);
    await expect(session.step(actionOf('click[Buy Now]'), signal)).rejects.toMatchObject({ kind: 'Environment.Fault' });
  });
});

function actionOf(text: string) {
  const read = shopTextFormat.parse(`Action: ${text}`);
  if (read.kind === 'malformed') throw new Error(text);
  return read.action;
}

describe('the text format', () => {
  it.each([
    ['Thought: I look.\nAction: search[oak lamp]', 'I look.', shopAction('search', 'oak lamp')],
    ['Action: click[Buy Now] and then\nObservation: bought', '', shopAction('click', 'Buy Now')],
    ['Thought: a\nAction:\nclick[pack [2]]\nAction: click[x]', 'a', shopAction('click', 'pack [2]')],
  ])('reads %j', (text, thought, action) => {
    expect(shopTextFormat.parse(text)).toEqual({ kind: 'action', thought, action });
  });

  it.each([
    '',
    'search[lamp]',
    'Action: Search[lamp]',
    'Action: search[]',
    'Action: think[hmm]',
    '动作：搜索[灯]',
    'Action: buy now',
  ])('answers %j with a hint that is no action itself', (text) => {
    const read = shopTextFormat.parse(text);
    expect(read.kind).toBe('malformed');
    expect(read.kind === 'malformed' && shopTextFormat.parse(`Action: ${read.hint}`).kind).toBe('malformed');
  });

  it('writes what it reads back, line breaks as blanks', () => {
    const action = shopAction('search', 'oak\nlamp');
    expect(shopTextFormat.render('Thus.', action)).toBe('Thought: Thus.\nAction: search[oak lamp]');
  });

  it('is part of the opening with text, and not with tool calls', () => {
    expect(agentFormat(shop, 'react').opening([{ role: 'system', content: 'x' }])[0]!.content).toContain(
      'search[words to search for]',
    );
  });
});

describe('the contract', () => {
  const failures = async (environment: Environment, count: number) =>
    (await checkEnvironment(environment, count)).filter(({ ok }) => ok === false);

  it('is kept by a small shop', async () => {
    expect(await failures(shop, 5)).toEqual([]);
  });

  const data = benchmarkData('webshop-1k');
  it.skipIf(data === null)(
    'is kept by the 1,000-product catalogue, in both modes, and scripts solve its tasks',
    async () => {
      const folder = join(temporaryFolder(), 'webshop');
      await importShop({ from: data!, into: folder });
      for (const observations of ['text', 'text_rich'] as const) {
        const results = await checkEnvironment(webshop({ data: folder, observations }), 20);
        expect(results.filter(({ ok }) => ok === false)).toEqual([]);
        expect(results.find(({ check }) => check === 'scripts solve their tasks')).toMatchObject({ ok: true });
      }
    },
  );

  it('needs a dataset that is there', () => {
    expect(() => webshop({ data: join(into, 'none') })).toThrow(/There is no WebShop dataset at/);
  });

  it('has a version that changes with the data and with how pages are written', async () => {
    const other = join(temporaryFolder(), 'other');
    await importShop({ from: shopFiles([lamp, bulb]), into: other });
    const versions = [
      webshop({ data: into }),
      webshop({ data: other }),
      webshop({ data: into, observations: 'text_rich' }),
    ];
    expect(new Set(versions.map(({ version }) => version)).size).toBe(3);
  });
});
