// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store, on the example environment as users copy it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import shop from '../../../examples/shop/environment.ts';
import type { Action } from '../../../src/domain/action.ts';
import type { Message } from '../../../src/domain/message.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { exportExamples, exportPairs } from '../../../src/export/index.ts';
import { loadExamples } from '../../../src/views/examples.ts';
import { loadPairs } from '../../../src/views/pairs.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { expectKept } from './kept-contract.ts';
import { environments } from './shop-stage.ts';

it('keeps the contract', () =>
  expectKept(
    shop,
    4,
    ['no leak of the gold answer', 'scripts solve their tasks', 'state hash', 'another process', 'action formats'],
    new URL('../../../examples/shop/environment.ts', import.meta.url),
  ));

describe('a session', () => {
  const { signal } = new AbortController();
  const choose = (option: string, value: string): Action => ({ tool: 'choose', arguments: { option, value } });
  const buy: Action = { tool: 'buy', arguments: {} };
  /** What the script does up to the product's page, and then these actions. */
  const atProduct = async (...actions: Action[]) => {
    const [task] = await shop.tasks();
    const session = await shop.open(task!);
    const results = [];
    const way = (await shop.script!(task!))!.slice(0, 2).map(({ action }) => action);
    for (const action of [...way, ...actions]) results.push(await session.step(action, signal));
    return { ...results.at(-1)!, hash: await session.stateHash!() };
  };

  it('shows the same page after a click on an option, in another state', async () => {
    const [blank, navy, red] = [
      await atProduct(),
      await atProduct(choose('size', 'S')),
      await atProduct(choose('size', 'M')),
    ];
    expect([navy.observation, red.observation]).toEqual([blank.observation, blank.observation]);
    expect(new Set([blank.hash, navy.hash, red.hash]).size).toBe(3);
  });

  it('has one state for the same choices, in whatever order they were clicked', async () => {
    const [size, other, colour] = [choose('size', 'S'), choose('size', 'M'), choose('colour', 'navy')];
    expect((await atProduct(colour, size)).hash).toBe((await atProduct(size, other, colour, size)).hash);
  });

  it('rewards the share of the wish that was fulfilled', async () => {
    const [task] = await shop.tasks();
    const chosen = (await shop.script!(task!))!.slice(2, -1).map(({ action }) => action);
    expect((await atProduct(...chosen, buy)).reward).toBe(1);
    // Kind, two attributes, price, and none of two options.
    expect((await atProduct(buy)).reward).toBeCloseTo(4 / 6, 12);
  });
});

describe('runs', () => {
  let lab: DirectLab;
  beforeAll(async () => {
    lab = await DirectLab.open({ stage: new URL('./shop-stage.ts', import.meta.url).pathname });
  });
  afterAll(() => lab.close());

  async function finished(request: DirectRequest) {
    const run = await lab.start({ environment: 'shop', limit: 8, config: { run: { format: 'tools' } }, ...request });
    expect(await run.result()).toMatchObject({ state: 'finished' });
    return { id: run.id, pairs: await loadPairs(lab.store, run.id) };
  }

  const rowsOf = (file: string) =>
    readFileSync(join(lab.home, file), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const toolsOf = (message: Message) =>
    message.role === 'assistant' ? (message.tool_calls ?? []).map((call) => call.function.name) : [];

  describe('of CSO', () => {
    let run: Awaited<ReturnType<typeof finished>>;
    beforeAll(async () => {
      run = await finished({ samples: 2 });
    });

    it('make pairs, also of two clicks after which the page is the same', () => {
      const clicks = run.pairs.filter(({ chosen, rejected }) =>
        [chosen, rejected].every(([first]) => toolsOf(first!)[0] === 'choose'),
      );
      expect(clicks.length).toBeGreaterThan(0);
      expect(run.pairs.flatMap(({ flags }) => flags)).not.toContain('same-observation');
    });

    it('make pairs that hold the tools of their state', async () => {
      await exportPairs(run.pairs, { format: 'trl', out: join(lab.home, 'trl'), force: false });
      const rows = rowsOf('trl/pairs.jsonl');
      expect(rows).toHaveLength(run.pairs.length);
      const names = rows.map(({ tools }) =>
        JSON.parse(tools).map((tool: { function: { name: string } }) => tool.function.name),
      );
      for (const [index, { chosen }] of run.pairs.entries()) expect(names[index]).toContain(toolsOf(chosen[0]!)[0]);
      expect(new Set(names.map((tools: string[]) => tools.join())).size).toBeGreaterThan(1);
    });

    it('keep the "OK" of the opening in what is read, and never in what is trained on', () => {
      const isReady = (message: Message) => message.role === 'assistant' && message.content === 'OK';
      for (const { prompt, chosen, rejected } of run.pairs) {
        expect(prompt.filter(isReady)).toHaveLength(1);
        expect([...chosen, ...rejected].filter(isReady)).toEqual([]);
      }
    });
  });

  it('of CSO as text make pairs too: observations say which tools there are now', async () => {
    const { pairs } = await finished({ config: { run: { format: 'react' } } });
    expect(pairs.length).toBeGreaterThan(0);
    const read = pairs.flatMap(({ prompt }) => prompt.flatMap(({ content }) => content ?? []));
    expect(read.some((text) => text.includes('The tools are now:\n- open'))).toBe(true);
  });

  it('of RRO make pairs', async () => {
    const { pairs } = await finished({ method: 'rro', limit: 2, options: { valueRollouts: 2 } });
    expect(pairs.length).toBeGreaterThan(0);
  });

  it('give no row of a whole trajectory, because its tools change, and say so', async () => {
    const { id } = await finished({ method: 'sft', limit: 2, options: { experts: 'scripted' } });
    const examples = await loadExamples(lab.store, id);
    expect(examples).toHaveLength(2);
    for (const format of ['trl-sft', 'openai-sft', 'axolotl-sft']) {
      const { rows, lint } = await exportExamples(examples, { format, out: join(lab.home, format), force: false });
      const leftOut = lint.rules.filter(({ effect }) => effect === 'left-out');
      expect({ format, rows, leftOut }).toEqual({
        format,
        rows: 0,
        leftOut: [{ rule: 'example/tools-changed', effect: 'left-out', count: 2 }],
      });
    }
  });

  it('execute several calls of a message, and pair the message as one action', async () => {
    const { id, pairs } = await finished({ environment: 'brisk-shop', samples: 2 });
    const several = pairs.filter(({ chosen }) => toolsOf(chosen[0]!).join() === 'choose,choose,buy');
    expect(several.length).toBeGreaterThan(0);
    const registry = new EnvironmentRegistry(environments);
    for (const pair of await lab.store.findings.pairs(id))
      expect(await verifyPair(lab.store, registry, pair)).toMatchObject({ ok: true, problems: [] });
  });
});
