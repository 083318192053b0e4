// Layer: adapters and weights in a stand-in for SGLang over HTTP.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ServedModel } from '../../../src/domain/improve/contract.ts';
import { modelName } from '../../../src/domain/improve/rounds.ts';
import { checkServed } from '../../../src/training/canary.ts';
import { serverOf } from '../../../src/training/servers/index.ts';
import { temporaryFolder, temporaryStore } from '../../helpers/store.ts';
import { servingPlace } from '../serving-place.ts';
import { baseWeights, canaryLines, writeModel } from '../table-model.ts';
import { type SglangFaults, SglangStandIn } from './sglang-stand-in.ts';

const { signal } = new AbortController();

/** @param file in the folders of the models: what makes one an adapter, or whole */
async function running(file: 'adapter_config.json' | 'config.json', faults: Partial<SglangFaults> = {}) {
  const standIn = new SglangStandIn(faults);
  await standIn.start();
  const home = temporaryFolder();
  const place = servingPlace(standIn.port, { home, store: await temporaryStore() });
  const server = serverOf({ kind: 'sglang', startSeconds: 5 });
  const model = (round: number): ServedModel =>
    server.named(writeModel(join(home, `round-${round}`), weights(round), file), 'better', round);
  const serve = (wanted: ServedModel) => server.serve(place, wanted, signal);
  const judge = (wanted: ServedModel, round: number) =>
    checkServed(place.endpoint, wanted, null, canaryLines(baseWeights, weights(round)), { signal, ...server });
  return { standIn, place, server, model, serve, judge };
}

const weights = (round: number) => ({ change: 0.4, seed: `round ${round}` });
const count = ({ requests }: SglangStandIn, path: string) => requests.filter((own) => own === path).length;

describe('an adapter', () => {
  it('is asked for behind a colon, loaded once, and passes the canary', async () => {
    const { standIn, model, serve, judge } = await running('adapter_config.json');
    const first = model(1);
    expect(first.name).toBe(`base:${modelName('better', 1, first.hash)}`);
    await serve(first);
    await serve(first);
    expect([...standIn.adapters.keys()]).toEqual([modelName('better', 1, first.hash)]);
    expect((await judge(first, 1)).verdict).toBe('passed');
  });

  it('is loaded again after a restart that forgot it', async () => {
    const { standIn, model, serve, judge } = await running('adapter_config.json');
    const first = model(1);
    await serve(first);
    standIn.forget();
    await serve(first);
    expect((await judge(first, 1)).verdict).toBe('passed');
  });

  it('that is loaded and not applied is found out', async () => {
    const { model, serve, judge } = await running('adapter_config.json', { keepsWeights: true });
    const first = model(1);
    await serve(first);
    await expect(judge(first, 1)).rejects.toMatchObject({ kind: 'Serve.NotTheModel' });
  });

  it('is refused with the reason by a server that takes none', async () => {
    const { model, serve } = await running('adapter_config.json', { takesAdapters: false });
    await expect(serve(model(1))).rejects.toMatchObject({
      kind: 'Serve.Failed',
      message: expect.stringContaining('LoRA is not enabled'),
      remedy: expect.stringContaining('--enable-lora'),
    });
  });
});

describe('whole weights', () => {
  it('take the place of those before, with their name as version, and only once', async () => {
    const { standIn, model, serve, judge } = await running('config.json');
    for (const round of [1, 2]) {
      const own = model(round);
      await serve(own);
      await serve(own);
      expect((await judge(own, round)).verdict).toBe('passed');
    }
    expect(count(standIn, '/update_weights_from_disk')).toBe(2);
  });

  it('give way to the base from a hub when that is served again, and only once', async () => {
    const { standIn, place, model, serve } = await running('config.json');
    const base = { name: 'hub/base', root: 'hub/base', hash: '' };
    const first = model(1);
    const answering = () => place.endpoint.post('/completions', { model: base.name, prompt: [1, 2] }, signal);
    const answers = (version: string) => ({ metadata: { weight_version: version } });
    await serve(base);
    expect(await answering()).toMatchObject(answers('default'));
    await serve(first);
    expect(await answering()).toMatchObject(answers(first.name));
    await serve(base);
    await serve(base);
    expect(await answering()).toMatchObject(answers('hub/base'));
    expect(count(standIn, '/update_weights_from_disk')).toBe(2);
  });

  it('that a restart forgot are missed before anything is asked, and loaded again', async () => {
    const { standIn, model, serve, judge } = await running('config.json');
    const first = model(1);
    await serve(first);
    standIn.forget();
    await expect(judge(first, 1)).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining('has hub/base as "default"'),
    });
    expect(count(standIn, '/v1/completions')).toBe(0);
    await serve(first);
    expect((await judge(first, 1)).verdict).toBe('passed');
  });

  it('that are noted and not loaded are found out', async () => {
    const { model, serve, judge } = await running('config.json', { keepsWeights: true });
    const first = model(1);
    await serve(first);
    await expect(judge(first, 1)).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining('the training began with'),
    });
  });

  it('that are not there are refused with the server’s words', async () => {
    const { model, serve } = await running('config.json');
    const first = model(1);
    rmSync(first.root, { recursive: true });
    await expect(serve(first)).rejects.toMatchObject({
      kind: 'Serve.Failed',
      message: expect.stringContaining('Failed to get weights iterator'),
    });
  });
});
