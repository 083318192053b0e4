// Layer: llamaCpp() with the real llama-server and the real conversion, judged by the canary, on a tiny model. Needs the Python environment of the lab with the
// package gguf, and CRUX_LLAMA_SERVER.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServedModel } from '../../src/domain/improve/contract.ts';
import { openTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { checkServed, readCanary } from '../../src/training/canary.ts';
import { checkTemplate } from '../../src/training/chat-template.ts';
import { hashModel } from '../../src/training/model-hash.ts';
import { type KnownServer, serverOf } from '../../src/training/servers/index.ts';
import type { ServingPlace } from '../../src/training/servers/server.ts';
import { llamaCpp } from '../../src/training/servers/settings.ts';
import { servingPlace } from '../training/serving-place.ts';
import { makeBase, python, start, temporaryFolder, withoutPython } from './python.ts';
import { prepare, train } from './trainings.ts';

const bin = process.env.CRUX_LLAMA_SERVER;
const missing =
  withoutPython ??
  (bin
    ? null
    : 'CRUX_LLAMA_SERVER is not set: it names llama.cpp’s server (examples/language-model/run.sh builds one)');
if (bin === undefined) console.warn(`skipped: ${missing}`);

const folder = temporaryFolder();
const { signal } = new AbortController();
const training = join(folder, 'training');
const like = join(folder, 'like.gguf');
let server: KnownServer;
let base: string;
let place: ServingPlace;
let store: Store;

async function serveFrom(root: string, round: number): Promise<ServedModel> {
  const model = server.named({ root, hash: (await hashModel(root))!.hash }, 'better', round);
  await server.serve(place, model, signal);
  return model;
}

const judge = (model: ServedModel) =>
  checkServed(place.endpoint, model, null, readCanary(training), {
    ...{ signal, forcing: server.forcing },
    precision: 'float32',
  });

describe.skipIf(missing !== null)('what llamaCpp serves', () => {
  beforeAll(async () => {
    server = serverOf(llamaCpp({ bin: bin!, python, like, precision: 'float32', context: 512, threads: 1 }));
    store = await openStore(join(folder, 'crux.db'));
    place = servingPlace(await freePort(), { home: join(folder, 'home'), store });
    base = await makeBase(folder);
    const written = await start('tests/lab/like_gguf.py', [base, like]).ended;
    if (written.code !== 0) throw new Error(written.output);
    const trained = await train(prepare(training, 'dpo', base));
    if (trained.code !== 0) throw new Error(trained.output);
  });
  afterAll(async () => {
    await server.release(place);
    await store.close();
  });

  it('passes the canary if it is what was trained', async () => {
    const finding = await judge(await serveFrom(join(training, 'model'), 1));
    expect(finding.verdict).toBe('passed');
    expect(finding.distance).toBeLessThan(2e-3);
    expect(finding.distanceToBase).toBeGreaterThan(0.01);
  });

  it('is found out if its GGUF has another chat template', async () => {
    const model = await serveFrom(join(training, 'model'), 1);
    await expect(checkTemplate(place.endpoint, model, openTokenizer(model.root), { signal })).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining('renders chats'),
    });
  });

  it('is found out if it has the old weights', async () => {
    const stale = join(folder, 'stale');
    cpSync(base, stale, { recursive: true });
    await expect(serveFrom(stale, 1).then(judge)).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining('the training began with'),
    });
  });
});
