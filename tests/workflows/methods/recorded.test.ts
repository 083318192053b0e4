// Layer: whole runs without a Temporal server, in an environment that never answers the same twice.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MethodName } from '../../../src/domain/methods/index.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { ledgerLines } from '../../../src/store/ledger.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { stepLedger } from '../../../src/views/step-ledger.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { environments, heard } from '../../helpers/talking-mazes.ts';

let lab: DirectLab;
beforeAll(async () => {
  lab = await DirectLab.open({ stage: new URL('../../helpers/talking-mazes.ts', import.meta.url).href });
});
afterAll(() => lab.close());
beforeEach(() => {
  Object.assign(heard, { live: 0, told: 0 });
});

async function made(request: DirectRequest = {}): Promise<string> {
  const run = await lab.start({ environment: 'talking-maze', limit: 4, ...request });
  expect((await run.result()).state).toBe('finished');
  return run.id;
}

async function transitionsOf(runId: string): Promise<number> {
  const { createdAt } = await lab.store.runs.get(runId);
  const query = lab.store.database.kysely.selectFrom('transitions').selectAll();
  return (await query.where('recorded_by', '=', `run ${runId} ${createdAt}`).execute()).length;
}

// Replies differ from one test to the next, and with them what the models say: enough tasks that some fail.
const sound = { preset: 'sound' as const, limit: 6, samples: 2 };

describe('a run in an environment in which what was recorded counts', () => {
  it.each([
    ['talking-maze', 'recording'],
    ['painted-maze', 'snapshot'],
  ])(
    'makes pairs in the %s, and takes no recorded step again although sessions are lost',
    async (environment, restoredBy) => {
      const runId = await made({ environment, limit: 8, samples: 2 });
      const pairs = await lab.store.findings.pairs(runId);
      expect(pairs.length).toBeGreaterThan(0);
      expect(heard.live).toBe(await transitionsOf(runId));
      expect(heard.told > 0).toBe(restoredBy === 'recording');
      const live = heard.live;
      const registry = new EnvironmentRegistry(environments);
      for (const pair of pairs) {
        const isBranched = pair.step > 1;
        expect(await verifyPair(lab.store, registry, pair)).toMatchObject({ ok: true, problems: [] });
        if (isBranched)
          expect(pair.certificate.restore).toEqual({ method: restoredBy, comparedObservations: 0, after: 'live' });
      }
      expect(heard.live).toBe(live);
    },
  );

  it('gives every rollout and every sample a reply of its own', async () => {
    const runId = await made(sound);
    const { tree, findings } = lab.store;
    const branches = await findings.branches(runId);
    const first = await Promise.all(
      branches.map(async ({ nodeId, candidateId, leafId }) => {
        const path = await tree.path(leafId);
        const next = path[path.findIndex(({ id }) => id === nodeId) + 1];
        return { of: `${nodeId}/${candidateId}`, next };
      }),
    );
    const several = [...Map.groupBy(first, ({ of }) => of).values()].filter(({ length }) => length > 1);
    expect(several.length).toBeGreaterThan(0);
    for (const rollouts of several) expect(new Set(rollouts.map(({ next }) => next?.id)).size).toBe(rollouts.length);
    const samples = await findings.trajectories(runId);
    const starts = await Promise.all(samples.map(async ({ leafId }) => (await tree.path(leafId))[1]!.id));
    expect(new Set(starts).size).toBe(samples.length);
  });

  it.each<[MethodName, number]>([
    ['cso', 2],
    ['rro', 1],
    ['ipr', 2],
    ['eto', 2],
    ['step-dpo', 2],
    ['anchor', 2],
  ])('under %s looks at no action beforehand, and its ledger adds up', async (method, samples) => {
    const runId = await made({ method, samples, limit: method === 'rro' ? 1 : 3 });
    const steps = await lab.store.findings.steps(runId);
    expect(steps.flatMap(({ lookedAt }) => lookedAt)).toEqual([]);
    const { environmentSteps } = await runSummary(lab.store, runId);
    expect(heard.live).toBe(environmentSteps.fresh);
    expect(environmentSteps.demand).toBe(environmentSteps.fresh! + environmentSteps.fromCache!);
    const run = await lab.store.runs.get(runId);
    const tasks = new Set((await lab.store.runs.tasks(runId)).map(({ taskId }) => taskId));
    const lines = (await Promise.all([...tasks].map((taskId) => stepLedger(lab.store, run, taskId)))).flat();
    const fresh = lines.reduce((sum, line) => sum + line.environmentSteps.fresh!, 0);
    expect(fresh).toBe(environmentSteps.fresh);
    const registry = new EnvironmentRegistry(environments);
    for (const pair of await lab.store.findings.pairs(runId))
      expect(await verifyPair(lab.store, registry, pair)).toMatchObject({ ok: true, problems: [] });
  });

  it('that re-uses another pays nothing again, takes no step again, and comes to the same', async () => {
    const first = await made({ limit: 3 });
    const live = heard.live;
    const second = await made({ limit: 3, reuse: [first] });
    expect(heard.live).toBe(live);
    const lines = await ledgerLines(lab.store.database, second);
    expect(lines.map(({ calls, reused }) => calls - reused)).toEqual(lines.map(() => 0));
    const ids = async (runId: string) => (await lab.store.findings.pairs(runId)).map(({ id }) => id).toSorted();
    expect(await ids(second)).toEqual(await ids(first));
    // The third reads from the second alone: what that one found belongs to the first.
    const third = await made({ limit: 3, reuse: [second] });
    expect(await ids(third)).toEqual(await ids(first));
    expect(heard.live).toBe(live);
    expect((await lab.store.runs.get(third)).config.transitions).toMatchObject({ runId: first });
  });

  it('shares nothing with another run that re-uses nothing', async () => {
    const [one, other] = [await made({ limit: 1 }), await made({ limit: 1 })];
    const leaf = async (runId: string) => (await lab.store.findings.trajectories(runId))[0]!.leafId;
    expect(await leaf(one)).not.toBe(await leaf(other));
  });
});
