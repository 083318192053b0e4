// Layer: whole runs of ETO, IPR, RFT and SFT without a Temporal server, with simulated models over HTTP and a real store.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MethodName } from '../../../src/domain/methods/index.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { importScope } from '../../../src/store/findings.ts';
import { loadExamples } from '../../../src/views/examples.ts';
import { loadPairs } from '../../../src/views/pairs.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { outcomeOf } from '../../helpers/outcome.ts';
import { expectTasksAlone } from '../../helpers/task-views.ts';

let lab: DirectLab;
beforeAll(async () => {
  lab = await DirectLab.open({ sql: true });
});
afterAll(() => lab.close());

const tasks = 4;
const on = (method: MethodName, request: DirectRequest = {}): DirectRequest => ({ method, limit: tasks, ...request });

/** The run has pairs, and all of them hold. */
async function expectHolding(runId: string): Promise<void> {
  const environments = new EnvironmentRegistry(lab.config().environments);
  const pairs = await lab.store.findings.pairs(runId);
  expect(pairs.length).toBeGreaterThan(0);
  for (const pair of pairs) {
    expect(await verifyPair(lab.store, environments, pair)).toMatchObject({ ok: true, problems: [] });
  }
}

describe('ETO', () => {
  it('prefers whole ways on from where the two trajectories part, by their final rewards', async () => {
    const runId = await lab.made(on('eto'));
    const pairs = await loadPairs(lab.store, runId);
    expect(pairs.length).toBeGreaterThan(1);
    for (const { chosen, rejected, certificate } of pairs) {
      expect(chosen[0]).not.toEqual(rejected[0]);
      const { outcomes, rule } = certificate.verification;
      expect(rule).toBe('outcome');
      expect(outcomes!.chosen).toBeGreaterThan(outcomes!.rejected);
      expect(certificate.leaves).toBeDefined();
    }
    expect(pairs.some(({ chosen }) => chosen.length > 1)).toBe(true);
    await expectHolding(runId);
    await expectTasksAlone(lab.store, runId);
  });

  it('asks the policy at temperature 0', async () => {
    const runId = await lab.made(on('eto', { limit: 2 }));
    const again = await lab.made(on('eto', { limit: 2, seed: 9 }));
    const leaves = async (id: string) => (await lab.store.findings.trajectories(id)).map(({ leafId }) => leafId);
    // A greedy model gives the same, whatever the run's seed.
    expect(await leaves(again)).toEqual(await leaves(runId));
  });

  it('under sound, needs fresh trajectories that bear the outcome out', async () => {
    const runId = await lab.made(on('eto', { preset: 'sound' }));
    const pairs = await lab.store.findings.pairs(runId);
    const published = await lab.store.findings.pairs(await lab.made(on('eto')));
    expect(pairs.length).toBeLessThanOrEqual(published.length);
    for (const pair of pairs) {
      expect(pair.certificate.verification.rule).toBe('lasting');
      expect(pair.certificate.verification.posterior).toBeGreaterThanOrEqual(0.9);
    }
    await expectHolding(runId);
  });

  it('cuts a losing policy to the length of the expert and some steps', async () => {
    const runId = await lab.made(on('eto', { options: { stepsBeyondExpert: 0 } }));
    const byExpert = (await lab.store.findings.pairs(runId)).filter(
      (pair) => pair.certificate.chosen.source === 'expert',
    );
    expect(byExpert.length).toBeGreaterThan(0);
    for (const pair of byExpert) {
      const [chosen, rejected] = await Promise.all(
        [pair.chosenLeaf, pair.rejectedLeaf].map((id) => lab.store.tree.state(id!)),
      );
      expect(rejected!.step).toBeLessThanOrEqual(chosen!.step);
    }
    await expectHolding(runId);
  });
});

describe('IPR', () => {
  const ipr = on('ipr', { options: { reestimateRate: 1 } });

  it('contrasts the rest of the trajectories from every state of the expert, by outcome and step value', async () => {
    const runId = await lab.made(ipr);
    const pairs = await lab.store.findings.pairs(runId);
    const stepPairs = pairs.filter((pair) => pair.certificate.verification.rule === 'values');
    expect(stepPairs.length).toBeGreaterThan(0);
    for (const pair of stepPairs) {
      const { values, outcomes, standardErrors } = pair.certificate.verification;
      expect(values!.chosen - values!.rejected).toBeGreaterThan(0.1);
      expect(outcomes!.chosen - outcomes!.rejected).toBeGreaterThan(0.1);
      expect(standardErrors).toBeDefined();
      expect(pair.chosenLeaf).not.toBeNull();
    }
    await expectHolding(runId);
  });

  it('contrasts single actions where it is asked to', async () => {
    const runId = await lab.made(on('ipr', { options: { contrast: 'action' } }));
    const pairs = await lab.store.findings.pairs(runId);
    const stepPairs = pairs.filter((pair) => pair.certificate.verification.rule === 'values');
    expect(stepPairs.length).toBeGreaterThan(0);
    for (const pair of stepPairs) expect(pair.chosenLeaf).toBeNull();
    await expectHolding(runId);
  });

  it('under sound, step pairs need fresh rollouts that show the better action', async () => {
    const runId = await lab.made(on('ipr', { preset: 'sound' }));
    for (const pair of await lab.store.findings.pairs(runId))
      expect(['posterior', 'lasting']).toContain(pair.certificate.verification.rule);
    await expectHolding(runId);
  });

  it('takes expert trajectories that the environment scripts, and flags that they used the gold', async () => {
    const runId = await lab.made(on('ipr', { environment: 'sql-demo', options: { experts: 'scripted' } }));
    const demonstrations = await lab.store.findings.demonstrations(runId);
    expect(demonstrations).toHaveLength(tasks);
    for (const row of demonstrations) expect(row).toMatchObject({ origin: 'scripted', success: true });
    const pairs = await loadPairs(lab.store, runId);
    const byExpert = pairs.filter(({ certificate }) => certificate.chosen.source === 'expert');
    expect(byExpert.length).toBeGreaterThan(0);
    for (const { flags } of byExpert) expect(flags).toContain('oracle');
    expect(await outcomeOf(lab.store, runId)).not.toBe('');
    await expectHolding(runId);
  });
});

describe('recorded expert trajectories', () => {
  const scope = importScope('maze');
  const eto = on('eto', { options: { experts: 'imported' } });

  it('are taken by reward, and not from conversations that began in another format', async () => {
    const source = await lab.made(on('rft', { options: { experts: 'none', trajectories: 1 } }));
    const rows = await lab.store.findings.trajectories(source);
    for (const row of rows) await lab.store.findings.addTrajectory({ ...row, runId: scope, origin: 'imported' });

    const demonstrations = await lab.store.findings.demonstrations(await lab.made(eto));
    expect(demonstrations.map(({ leafId }) => leafId)).toEqual(rows.map(({ leafId }) => leafId));
    for (const { origin } of demonstrations) expect(origin).toBe('recorded');

    const config = { run: { format: 'tools' as const } };
    expect(await lab.store.findings.demonstrations(await lab.made({ ...eto, config }))).toEqual([]);
  });
});

describe('RFT', () => {
  it('keeps the different successes of the policy, at most two a task, beside the expert of the task', async () => {
    const runId = await lab.made(on('rft'));
    const examples = await loadExamples(lab.store, runId);
    const own = examples.filter(({ origin }) => origin === 'policy');
    expect(own.length).toBeGreaterThan(2);
    expect(examples.some(({ origin }) => origin === 'expert')).toBe(true);
    for (const { success, turns, prompt } of examples) {
      expect(success).toBe(true);
      expect(turns[0]!.role).toBe('assistant');
      expect(prompt[0]!.role).toBe('system');
    }
    for (const ofTask of Map.groupBy(own, ({ taskId }) => taskId).values()) {
      expect(ofTask.length).toBeLessThanOrEqual(2);
      const written = ofTask.map(({ turns }) => JSON.stringify(turns.filter(({ role }) => role === 'assistant')));
      expect(new Set(written).size).toBe(ofTask.length);
    }
    const samples = (await lab.store.findings.branches(runId)).filter(({ purpose }) => purpose === 'sample');
    expect(samples).toHaveLength(tasks * 9);
  });

  it('under sound, keeps nothing of a task that was solved only once', async () => {
    const published = await lab.made(on('rft', { limit: 8, options: { experts: 'none', trajectories: 4 } }));
    const sound = await lab.made(
      on('rft', { limit: 8, preset: 'sound', options: { experts: 'none', trajectories: 4 } }),
    );
    const solved = Map.groupBy(
      [
        ...(await lab.store.findings.trajectories(published)).map(({ taskId, success }) => ({ taskId, success })),
        ...(await Promise.all(
          (
            await lab.store.findings.branches(published)
          ).map(async ({ trajectoryId, success }) => ({
            taskId: (await lab.store.findings.trajectory(published, trajectoryId))!.taskId,
            success,
          })),
        )),
      ].filter(({ success }) => success),
      ({ taskId }) => taskId,
    );
    const tasks = async (id: string) => new Set((await loadExamples(lab.store, id)).map(({ taskId }) => taskId));
    expect(await tasks(published)).toEqual(new Set(solved.keys()));
    const twice = [...solved].filter(([, rows]) => rows.length > 1).map(([taskId]) => taskId);
    expect(twice.length).toBeLessThan(solved.size);
    expect(await tasks(sound)).toEqual(new Set(twice));
  });
});

describe('SFT', () => {
  it('keeps the successful trajectories of the expert model', async () => {
    const runId = await lab.made(on('sft'));
    const demonstrations = await lab.store.findings.demonstrations(runId);
    expect(demonstrations).toHaveLength(tasks);
    const examples = await loadExamples(lab.store, runId);
    expect(examples).toHaveLength(demonstrations.filter(({ success }) => success).length);
    expect(examples.length).toBeGreaterThan(0);
  });

  it('keeps all of them where it is asked to', async () => {
    const runId = await lab.made(on('sft', { options: { keep: 'all' } }));
    expect(await loadExamples(lab.store, runId)).toHaveLength(tasks);
  });

  it('says so where nobody has an expert trajectory', async () => {
    const run = await lab.start(on('sft', { limit: 1, environment: 'long-maze', options: { experts: 'imported' } }));
    await run.result();
    const task = await lab.store.runs.task(run.id, 0);
    expect(task.result).toMatchObject({
      ending: 'environment-fault',
      fault: expect.stringContaining('expert trajectory'),
    });
  });
});
