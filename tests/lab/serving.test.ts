// Layer: what cruxServer starts, judged by the canary, with the real libraries on a tiny model. Needs the Python environment of the lab.
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
import { cruxServer } from '../../src/training/servers/settings.ts';
import { servingPlace } from '../training/serving-place.ts';
import { makeBase, python, temporaryFolder, withoutPython } from './python.ts';
import { prepare, train } from './trainings.ts';

const folder = temporaryFolder();
const { signal } = new AbortController();
const training = join(folder, 'training');
const server: KnownServer = serverOf(cruxServer({ python, threads: 1 }));
let base: string;
let place: ServingPlace;
let store: Store;

/** Serves the weights of a folder, as if they were what the training made. */
async function serveFrom(root: string, round: number): Promise<ServedModel> {
  const weights = { root, hash: (await hashModel(root))!.hash };
  const model = server.named(weights, 'better', round);
  await server.serve(place, model, signal);
  return model;
}

const judge = (model: ServedModel) =>
  checkServed(place.endpoint, model, null, readCanary(training), { signal, precision: 'float32' });

beforeAll(async () => {
  if (withoutPython) return;
  store = await openStore(join(folder, 'crux.db'));
  place = servingPlace(await freePort(), { home: join(folder, 'home'), store });
  base = await makeBase(folder);
  const { code, output } = await train(prepare(training, 'dpo', base));
  if (code !== 0) throw new Error(output);
});
afterAll(async () => {
  if (withoutPython) return;
  await server.release(place);
  await store.close();
});

describe.skipIf(withoutPython !== null)('what cruxServer serves', () => {
  it('passes the canary if it is what was trained', async () => {
    const finding = await judge(await serveFrom(join(training, 'model'), 1));
    expect(finding.verdict).toBe('passed');
    expect(finding.distance).toBeLessThan(1e-3);
    expect(finding.distanceToBase).toBeGreaterThan(0.01);
  });

  it('renders chats as the folder of the weights says', async () => {
    const model = await serveFrom(join(training, 'model'), 1);
    expect(await checkTemplate(place.endpoint, model, openTokenizer(model.root), { signal })).toBe('same');
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
