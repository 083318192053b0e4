// Layer: whole runs without a Temporal server, on a web whose pages change each time that they are read.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab } from '../../helpers/direct-lab.ts';
import { costPerSearch, environments, web } from '../../helpers/live-search-stage.ts';

let lab: DirectLab;
beforeAll(async () => {
  lab = await DirectLab.open({ stage: new URL('../../helpers/live-search-stage.ts', import.meta.url).href });
});
afterAll(async () => {
  await lab.close();
  await web.close();
});

const provider = '/res/v1/web/search';
const read = () => ({ searches: web.count(provider), town: web.count('/town'), river: web.count('/river') });
const request = { method: 'cso', environment: 'live-search', samples: 3 } as const;

it('a page that changed inside a prefix changes nothing, what comes after it is live, and certificates say so', async () => {
  const before = read();
  const run = await lab.start(request);
  expect((await run.result()).state).toBe('finished');
  const pairs = await lab.store.findings.pairs(run.id);
  expect(pairs.length).toBeGreaterThan(0);
  for (const pair of pairs) {
    const state = await lab.store.tree.state(pair.nodeId);
    expect(JSON.stringify(state.messages)).toContain('This is version 1 of the page.');
    expect(pair.certificate.restore).toEqual({ method: 'recording', comparedObservations: 0, after: 'live' });
    // The branch opened a page that its trajectory had not read.
    const leaf = pair.certificate.branches[0]!.leafNodeId;
    expect(JSON.stringify((await lab.store.tree.state(leaf)).messages)).toContain('The river is called the Sill.');
  }
  // Every trajectory and branch of the run saw the same web: each page and each search was asked for once.
  expect(read()).toEqual({ searches: before.searches + 1, town: before.town + 1, river: before.river + 1 });
});

it('certificates are verified without the web', async () => {
  const run = await lab.start(request);
  await run.result();
  const before = read();
  const registry = new EnvironmentRegistry(environments);
  const pairs = await lab.store.findings.pairs(run.id);
  for (const pair of pairs)
    expect(await verifyPair(lab.store, registry, pair)).toMatchObject({ ok: true, problems: [] });
  expect(pairs.length).toBeGreaterThan(0);
  expect(read()).toEqual(before);
});

it('another run reads the web of its own time', async () => {
  const run = await lab.start(request);
  await run.result();
  const [trajectory] = await lab.store.findings.trajectories(run.id);
  const { messages } = await lab.store.tree.state(trajectory!.leafId);
  expect(JSON.stringify(messages)).toMatch(new RegExp(`This is version ${web.count('/town')} of the page`));
  expect(web.count('/town')).toBeGreaterThan(1);
});

it('costs of searches stand in the ledger, and count for ceilings', async () => {
  const run = await lab.start(request);
  await run.result();
  const { environmentCosts } = await runSummary(lab.store, run.id);
  const spent = environmentCosts.reduce((sum, { knownMicroUsd }) => sum + knownMicroUsd, 0);
  // One search was paid for. Whoever needed it again was told.
  expect(spent).toBe(costPerSearch * 1e6);
  const before = web.count(provider);
  const free = (model: string) => ({ endpoint: 'simulated', model, maxTokens: 256, price: { input: 0, output: 0 } });
  const models = { policy: free('sim-policy'), expert: free('sim-expert'), prm: free('sim-prm') };
  const poor = await lab.start({ ...request, config: { models }, ceilings: { costMicroUsd: costPerSearch * 1e6 - 1 } });
  expect((await poor.result()).state).toBe('budget');
  expect(web.count(provider)).toBe(before);
});
