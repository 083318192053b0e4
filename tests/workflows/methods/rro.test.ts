// Layer: whole runs of RRO without a Temporal server, with simulated models over HTTP and a real store.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { expectTasksAlone } from '../../helpers/task-views.ts';

let lab: DirectLab;

beforeAll(async () => {
  lab = await DirectLab.open();
});
afterAll(() => lab.close());

const rro = (request: DirectRequest = {}): DirectRequest => ({ method: 'rro', limit: 2, ...request });

it('builds a trajectory step by step, and pairs actions by the values of their rollouts', async () => {
  const runId = await lab.made(rro({ options: { reestimateRate: 1 } }));
  const { findings } = lab.store;
  const pairs = await findings.pairs(runId);
  expect(pairs.length).toBeGreaterThan(1);
  const branches = await findings.branches(runId);
  const value = (id: string) => {
    const rewards = branches
      .filter(({ candidateId, purpose }) => candidateId === id && purpose === 'value')
      .map(({ reward }) => reward!);
    return rewards.length === 0 ? null : rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  };
  for (const pair of pairs) {
    const { verification, chosen, rejected } = pair.certificate;
    expect(verification.rule).toBe('values');
    expect(verification.values!.chosen - verification.values!.rejected).toBeGreaterThan(0.1);
    for (const side of [
      { candidateId: chosen.candidateId, stated: verification.values!.chosen },
      { candidateId: rejected.candidateId, stated: verification.values!.rejected },
    ]) {
      const counted = value(side.candidateId);
      if (counted !== null) expect(side.stated).toBeCloseTo(counted, 12);
    }
    expect(pair.flags).toContain('selected-by-gap');
  }
  // The prefix and every action drawn are valued by exactly m rollouts.
  for (const rows of Map.groupBy(
    branches.filter(({ purpose }) => purpose === 'value'),
    ({ nodeId, candidateId }) => `${nodeId}/${candidateId}`,
  ).values()) {
    expect(rows).toHaveLength(5);
  }
  const { revalued } = await runSummary(lab.store, runId);
  expect(revalued!.meanFreshGap).toBeLessThan(revalued!.meanGap);
  await expectTasksAlone(lab.store, runId);
});

it('its certificates hold when they are checked again', async () => {
  const runId = await lab.made(rro());
  const environments = new EnvironmentRegistry(lab.config().environments);
  const pairs = await lab.store.findings.pairs(runId);
  expect(pairs.length).toBeGreaterThan(0);
  for (const pair of pairs) {
    expect(await verifyPair(lab.store, environments, pair)).toMatchObject({ ok: true, problems: [] });
  }
});

it('fixed exploration draws K different samples at every step', async () => {
  const run = await lab.start(rro({ limit: 1, options: { exploration: 'fixed', draws: 3 } }));
  await run.result();
  const answers = await lab.store.database.kysely
    .selectFrom('answers')
    .select(['node_id', 'stream'])
    .where('run_id', '=', run.id)
    .where('purpose', '=', 'propose')
    .execute();
  for (const rows of Map.groupBy(answers, ({ node_id }) => node_id).values()) expect(rows).toHaveLength(3);
});

it('under sound, a pair needs fresh rollouts that show the better action', async () => {
  const run = await lab.start(rro({ limit: 2, preset: 'sound' }));
  await run.result();
  const pairs = await lab.store.findings.pairs(run.id);
  expect(pairs.length).toBeGreaterThan(0);
  for (const pair of pairs) {
    const { verification } = pair.certificate;
    expect(verification.rule).toBe('posterior');
    expect(verification.posterior).toBeGreaterThanOrEqual(0.9);
  }
  const purposes = new Set((await lab.store.findings.branches(run.id)).map(({ purpose }) => purpose));
  expect(purposes).toContain('re-value');
});

it('given up as soon as they cannot rise, actions take fewer rollouts, and the pairs hold', async () => {
  const [all, stopped] = [await lab.made(rro()), await lab.made(rro({ options: { valueStopping: 'cannot-rise' } }))];
  const { findings } = lab.store;
  const atFirst = async (runId: string) => (await findings.steps(runId)).filter(({ step }) => step === 1);
  const told = (rows: Awaited<ReturnType<typeof atFirst>>) => rows.map(({ verdict }) => verdict);
  expect(told(await atFirst(stopped))).toEqual(told(await atFirst(all)));
  const perAction = async (runId: string) => {
    const rows = (await findings.branches(runId)).filter((row) => row.purpose === 'value' && row.candidateId !== '');
    return rows.length / new Set(rows.map(({ candidateId }) => candidateId)).size;
  };
  expect(await perAction(all)).toBe(5);
  expect(await perAction(stopped)).toBeLessThan(5);
  const environments = new EnvironmentRegistry(lab.config().environments);
  for (const pair of await findings.pairs(stopped))
    expect(await verifyPair(lab.store, environments, pair)).toMatchObject({ ok: true, problems: [] });
});

it('values that another method paid for are read again, and fresh ones stay fresh', async () => {
  const first = await lab.made(rro({ options: { reestimateRate: 1 } }));
  const again = await lab.made(rro({ options: { exploration: 'fixed', reestimateRate: 1 }, reuse: [first] }));
  const reused = new Map((await runSummary(lab.store, again)).ledger.map((line) => [line.purpose, line.reused]));
  expect(reused.get('value')).toBeGreaterThan(0);
  const rows = await lab.store.database.kysely
    .selectFrom('answers')
    .select(['key', 'purpose'])
    .where('run_id', 'in', [first, again])
    .execute();
  // A fresh rollout never has the answer of one that found the pair.
  const keys = (fresh: boolean) =>
    new Set(rows.filter((row) => (row.purpose === 're-estimate') === fresh).map(({ key }) => key));
  expect([...keys(true)].filter((key) => keys(false).has(key))).toEqual([]);
});
