// Layer: adapters in a stand-in for vLLM over HTTP, which starts, stops and forgets as vLLM does.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/domain/canonical-json.ts';
import type { ServedModel } from '../../../src/domain/improve/contract.ts';
import { modelName } from '../../../src/domain/improve/rounds.ts';
import { checkServed } from '../../../src/training/canary.ts';
import { serverOf } from '../../../src/training/servers/index.ts';
import type { ServingPlace } from '../../../src/training/servers/server.ts';
import { temporaryFolder, temporaryStore } from '../../helpers/store.ts';
import { servingPlace } from '../serving-place.ts';
import { type Faults, StandIn } from '../stand-in-server.ts';
import { baseWeights, canaryLines, writeModel } from '../table-model.ts';

const { signal } = new AbortController();

async function running(faults: Partial<Faults> = {}, settings: { [name: string]: Json } = {}) {
  const standIn = new StandIn(faults);
  await standIn.start();
  const noted: string[] = [];
  const log: ServingPlace['log'] = (_level, event) => void noted.push(event);
  const home = temporaryFolder();
  const place = servingPlace(standIn.port, { home, store: await temporaryStore(), log });
  const server = serverOf({ kind: 'vllm', startSeconds: 5, ...settings });
  const model = (round: number, improvement = 'better'): ServedModel => {
    const weights = writeModel(join(home, improvement, `round-${round}`), { change: 0.4, seed: `round ${round}` });
    return server.named(weights, improvement, round);
  };
  const serve = (wanted: ServedModel) => server.serve(place, wanted, signal);
  return { standIn, place, server, model, serve, noted };
}

const count = ({ requests }: StandIn, path: string) => requests.filter((own) => own === path).length;

describe('an adapter', () => {
  it('is loaded under a name of its own, with its root, and only once', async () => {
    const { standIn, place, model, serve } = await running();
    const first = model(1);
    expect(first.name).toBe(modelName('better', 1, first.hash));
    await Promise.all([serve(first), serve(first)]);
    await serve(first);
    expect(await place.endpoint.models(signal)).toContainEqual({ id: first.name, root: first.root, parent: 'base' });
    expect(standIn.adapters).toEqual([first.name]);
  });

  it('is loaded again after a restart that forgot it, also while the server is still starting', async () => {
    const { standIn, model, serve } = await running();
    const first = model(1);
    await serve(first);
    await standIn.stop();
    const serving = serve(first);
    await standIn.start();
    expect(standIn.adapters).toEqual([]);
    await serving;
    expect(standIn.adapters).toEqual([first.name]);
  });

  it('stays loaded as long as it is among the last of its improvement; those of others are left alone', async () => {
    const { standIn, model, serve } = await running();
    const foreign = [model(1, 'better-r1'), model(1, 'rival')];
    for (const other of foreign) standIn.load(other.name, other.root);
    for (const round of [1, 2, 3, 4]) await serve(model(round));
    const others = foreign.map(({ name }) => name);
    expect(standIn.adapters).toEqual([...others, model(3).name, model(4).name]);
    // Back to one that is not loaded any more.
    await serve(model(1));
    expect(standIn.adapters).toEqual([...others, model(4).name, model(1).name]);
  });

  it('whose name has other weights is refused, and nothing is loaded over it', async () => {
    const { standIn, model, serve } = await running();
    const [first, second] = [model(1), model(2)];
    standIn.load(first.name, second.root);
    await expect(serve(first)).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining(second.root),
    });
    expect(count(standIn, '/load_lora_adapter')).toBe(0);
  });

  it('that is loaded passes the canary, beside its base', async () => {
    const { place, server, model, serve } = await running();
    const first = model(1);
    await serve(first);
    const base = { name: 'base', root: 'hub/base', hash: '' };
    const lines = canaryLines(baseWeights, { change: 0.4, seed: 'round 1' });
    const { precision } = server;
    expect(server.keepsBase).toBe(true);
    expect((await checkServed(place.endpoint, first, base, lines, { signal, precision })).verdict).toBe('passed');
  });

  it('that cannot be unloaded does no harm', async () => {
    const { standIn, place, model, serve, noted } = await running({}, { keep: 1 });
    await serve(model(1));
    const { endpoint } = place;
    place.endpoint = Object.assign(Object.create(endpoint), {
      models: endpoint.models.bind(endpoint),
      post: (path: string, body: Json) =>
        endpoint.post(path, path === '/unload_lora_adapter' ? { lora_name: 'unknown' } : body, signal),
    });
    await serve(model(2));
    expect(standIn.adapters).toContain(model(2).name);
    expect(noted).toContain('an old adapter stays loaded');
  });
});

describe('a server that loads nothing', () => {
  const failure = async (serving: Promise<void>, words: RegExp, remedy: string, kind = 'Serve.Failed') =>
    expect(serving).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(words),
      remedy: expect.stringContaining(remedy),
    });

  it('because it was not told that adapters may change says how to start it', async () => {
    const { model, serve } = await running({ loadsAdapters: false });
    await failure(serve(model(1)), /was not loaded.*404: Not Found/, 'VLLM_ALLOW_RUNTIME_LORA_UPDATING=True');
  });

  it('because the folder is not there says where it looked', async () => {
    const { model, serve } = await running();
    const first = model(1);
    rmSync(first.root, { recursive: true });
    await failure(serve(first), /No adapter found for/, 'under the same path');
  });

  it('because the folder has whole weights says what to train', async () => {
    const { standIn, model, serve } = await running();
    const first = model(1);
    rmSync(join(first.root, 'adapter_config.json'));
    writeFileSync(join(first.root, 'model.safetensors'), '');
    await failure(serve(first), /whole weights/, 'lora', 'User.Config');
    expect(count(standIn, '/load_lora_adapter')).toBe(0);
  });

  it('because nobody listens is waited for until the deadline', async () => {
    const { standIn, model, serve } = await running({}, { startSeconds: 1 });
    await standIn.stop();
    await expect(serve(model(1))).rejects.toMatchObject({ kind: 'Model.Unavailable' });
  });
});

describe('the base', () => {
  it('is listed already, and nothing is loaded', async () => {
    const { standIn, serve } = await running();
    await serve({ name: 'base', root: 'hub/base', hash: '' });
    expect(count(standIn, '/load_lora_adapter')).toBe(0);
    await expect(serve({ name: 'other', root: 'hub/other', hash: '' })).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining('does not list "other"; it lists "base"'),
    });
  });
});
