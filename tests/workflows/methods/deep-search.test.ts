// Layer: whole runs without a Temporal server, of models that search a small library.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab } from '../../helpers/direct-lab.ts';
import { environments } from '../../helpers/search-stage.ts';

let lab: DirectLab;
beforeAll(async () => {
  lab = await DirectLab.open({ stage: new URL('../../helpers/search-stage.ts', import.meta.url).href });
});
afterAll(() => lab.close());

it.each([
  ['cso', 'published'],
  ['cso', 'sound'],
  ['rro', 'published'],
  ['rro', 'sound'],
] as const)('%s, %s: finds pairs, and each can be verified again by a replay', async (method, preset) => {
  const run = await lab.start({ method, preset, environment: 'library', samples: 6, seed: 2 });
  expect((await run.result()).state).toBe('finished');
  const pairs = await lab.store.findings.pairs(run.id);
  expect(pairs.length).toBeGreaterThan(0);
  const registry = new EnvironmentRegistry(environments);
  for (const pair of pairs)
    expect(await verifyPair(lab.store, registry, pair)).toMatchObject({ ok: true, restoredBy: 'replay' });
});
