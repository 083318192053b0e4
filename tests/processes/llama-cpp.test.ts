// Layer: llamaCpp() with a stand-in for llama-server, and one for the Python that writes GGUF: real processes with their keepers, a real store.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ServedModel } from '../../src/domain/improve/contract.ts';
import type { Store } from '../../src/store/store.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { checkServed } from '../../src/training/canary.ts';
import { serverOf } from '../../src/training/servers/index.ts';
import { preparedFolder, readOrder, serverFolder } from '../../src/training/servers/order.ts';
import { llamaCpp } from '../../src/training/servers/settings.ts';
import { temporaryFolder, temporaryStore } from '../helpers/store.ts';
import { servingPlace } from '../training/serving-place.ts';
import { baseWeights, canaryLines, type Weights, writeModel } from '../training/table-model.ts';

const programs = join(import.meta.dirname, '../training/servers');
const { signal } = new AbortController();
const trained: Weights = { change: 0.4, seed: 'round 1' };
const lines = canaryLines(baseWeights, trained);

let home: string;
let store: Store;
let port: number;

beforeEach(async () => {
  home = join(temporaryFolder(), 'home with blanks');
  store = await temporaryStore();
  port = await freePort();
  onTestFinished(() => server().release(place()));
});

const place = () => servingPlace(port, { home, store });
const prepared = () => preparedFolder(serverFolder(home, port));
const like = '/models/base.gguf';

function server(options: Partial<Parameters<typeof llamaCpp>[0]> = {}) {
  const bin = join(programs, 'llama-server.js');
  return serverOf(llamaCpp({ bin, python: join(programs, 'gguf-python.js'), like, startSeconds: 60, ...options }));
}

function model(round: number, weights = trained): ServedModel {
  const root = join(temporaryFolder(), `round-${round}`);
  return server().named(writeModel(root, weights, 'config.json'), 'better', round);
}

const judge = (served: ServedModel, { precision, forcing } = server()) =>
  checkServed(place().endpoint, served, null, lines, { signal, forcing, ...(precision && { precision }) });

describe('a trained folder', () => {
  it('is written as GGUF and served under its own name, with a cache for each slot', async () => {
    const first = model(1);
    await server({ slots: 4, context: 512, threads: 2, precision: 'float16' }).serve(place(), first, signal);
    expect(await place().endpoint.models(signal)).toMatchObject([{ id: first.name }]);
    const served = JSON.parse(readFileSync(join(prepared(), 'model.gguf.served.json'), 'utf8'));
    expect(served).toMatchObject({
      words: ['--like', like, '--type', 'F16', '--with-parent'],
      values: { parallel: '4', 'ctx-size': '2048', 'no-kv-unified': true, threads: '2', 'threads-batch': '2' },
    });
  });

  it('passes the canary by a grammar that leaves no choice', async () => {
    const first = model(1);
    await server().serve(place(), first, signal);
    expect(await judge(first)).toMatchObject({ verdict: 'passed', noise: 0 });
  });

  it('is found out if the server has other weights', async () => {
    const first = model(1);
    await server({ args: ['--fault', 'old-weights'] }).serve(place(), first, signal);
    await expect(judge(first)).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining('the training began with'),
    });
  });

  it('is compared by name alone if the server tells no log-probabilities', async () => {
    const first = model(1);
    await server({ args: ['--fault', 'no-logprobs'] }).serve(place(), first, signal);
    expect(await judge(first)).toMatchObject({ verdict: 'named', distance: null });
  });

  it('takes the place of the one before, whose file goes with it; at the end nothing is left', async () => {
    const [first, second] = [model(1), model(2, { change: 0.4, seed: 'round 2' })];
    await server().serve(place(), first, signal);
    await server().serve(place(), second, signal);
    await server().serve(place(), second, signal);
    expect(await place().endpoint.models(signal)).toMatchObject([{ id: second.name }]);
    expect(readdirSync(prepared()).toSorted()).toEqual(['model.gguf', 'model.gguf.served.json']);
    await server().release(place());
    expect(existsSync(prepared())).toBe(false);
  });
});

describe('what cannot be served', () => {
  it('says why it was not written, and starts nothing', async () => {
    const first = model(1);
    rmSync(join(first.root, 'weights.json'));
    await expect(server().serve(place(), first, signal)).rejects.toMatchObject({
      kind: 'Serve.Failed',
      message: expect.stringContaining(`${first.root} has no .safetensors file`),
    });
    expect(readOrder(serverFolder(home, port))).toBeNull();
    expect(existsSync(prepared())).toBe(false);
  });

  it('is a Python that there is not', async () => {
    await expect(server({ python: '/no/such/python' }).serve(place(), model(1), signal)).rejects.toMatchObject({
      kind: 'Serve.Failed',
      message: expect.stringContaining('ENOENT'),
    });
  });

  it.each(['adapter', 'hub'])('is no folder of whole weights: %s', async (kind) => {
    const adapter = writeModel(join(temporaryFolder(), 'adapter'), trained);
    const root = kind === 'adapter' ? adapter.root : 'owner/model';
    await expect(server().serve(place(), { root, hash: '', name: 'it' }, signal)).rejects.toMatchObject({
      kind: 'User.Config',
      message: expect.stringContaining(root),
    });
  });
});
