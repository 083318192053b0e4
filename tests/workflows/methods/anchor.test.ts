// Layer: whole runs of anchor without a Temporal server, with simulated models over HTTP and a real store.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { importScope } from '../../../src/store/findings.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { runView } from '../../../src/views/run-view.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { expectTasksAlone } from '../../helpers/task-views.ts';

let lab: DirectLab;

beforeAll(async () => {
  lab = await DirectLab.open();
});
afterAll(() => lab.close());

const anchor = (request: DirectRequest = {}): DirectRequest => ({ method: 'anchor', limit: 3, ...request });

it('pairs the best and the worst action of a state by the outcomes of the trajectories, and rolls nothing out', async () => {
  const run = await lab.start(anchor({ options: { reestimateRate: 0 } }));
  expect((await run.result()).state).toBe('finished');
  const { findings } = lab.store;
  const trajectories = await findings.trajectories(run.id);
  expect(trajectories).toHaveLength(3 * 8);
  expect(await findings.branches(run.id)).toEqual([]);
  const pairs = await findings.pairs(run.id);
  expect(pairs.length).toBeGreaterThan(3);
  const byId = new Map(trajectories.map((trajectory) => [trajectory.id, trajectory]));
  for (const { certificate, flags } of pairs) {
    const { step, branches, verification } = certificate;
    expect(verification.rule).toBe('values');
    expect(flags).toContain('selected-by-gap');
    for (const side of ['chosen', 'rejected'] as const) {
      const taken = branches.filter((branch) => branch.side === side).map(({ branchId }) => byId.get(branchId)!);
      expect(taken.length).toBeGreaterThan(0);
      // In mazes no step leads back, so that all were at the same step.
      const returns = taken.map(({ reward, steps }) => reward! * 0.95 ** (steps - step));
      expect(verification.values![side]).toBeCloseTo(returns.reduce((sum, one) => sum + one, 0) / taken.length, 12);
    }
    expect(verification.values!.chosen).toBeGreaterThan(verification.values!.rejected);
  }
  expect(pairs.some(({ flags }) => flags.includes('other-history'))).toBe(true);
  expect(pairs.some(({ flags }) => !flags.includes('other-history'))).toBe(true);
  await expectTasksAlone(lab.store, run.id);
  const { tasks } = await runView(lab.store, run.id);
  for (const { trajectoryId, step, certificate } of pairs) {
    const shown = tasks.flatMap((task) => task.trajectories).find(({ id }) => id === trajectoryId)!.steps[step - 1]!;
    const { chosen, rejected } = certificate.verification.values!;
    expect([shown.score, shown.alternatives.map(({ score }) => score)]).toEqual([rejected, [chosen]]);
  }
});

it('every step says what it gave, and fresh rollouts what its selection is worth', async () => {
  const run = await lab.start(anchor({ options: { reestimateRate: 1 } }));
  await run.result();
  const trajectories = await lab.store.findings.trajectories(run.id);
  const steps = await lab.store.findings.steps(run.id);
  expect(steps).toHaveLength(trajectories.reduce((sum, { steps: own }) => sum + own, 0));
  const { unpaired, revalued } = await runSummary(lab.store, run.id);
  expect(revalued!.meanFreshGap).toBeLessThan(revalued!.meanGap);
  const { judged, withPair, without } = unpaired!.steps;
  expect(judged).toBe(steps.length);
  expect(withPair).toBe((await lab.store.findings.pairs(run.id)).length);
  expect(Object.keys(without)).toEqual(expect.arrayContaining(['no-alternative', 'tie', 'shared']));
});

it('its certificates hold when they are checked again, and a changed one does not', async () => {
  const run = await lab.start(anchor());
  await run.result();
  const environments = new EnvironmentRegistry(lab.config().environments);
  const pairs = await lab.store.findings.pairs(run.id);
  for (const pair of pairs) {
    expect(await verifyPair(lab.store, environments, pair)).toMatchObject({ ok: true, problems: [] });
  }
  const [pair] = pairs;
  const changed = structuredClone(pair!);
  const [first] = changed.certificate.branches;
  first!.side = first!.side === 'chosen' ? 'rejected' : 'chosen';
  const { ok, problems } = await verifyPair(lab.store, environments, changed);
  expect(ok).toBe(false);
  expect(problems.join(' ')).toMatch(/does not start in the pair's state/);
});

it('under sound, fresh rollouts from the state of the pair must bear it out', async () => {
  const run = await lab.start(anchor({ limit: 8, preset: 'sound', options: { tieMass: 0.5, confidence: 0.7 } }));
  expect((await run.result()).state).toBe('finished');
  const pairs = await lab.store.findings.pairs(run.id);
  expect(pairs.length).toBeGreaterThan(0);
  for (const { certificate } of pairs) {
    expect(certificate.verification.rule).toBe('posterior');
    expect(certificate.verification.posterior).toBeGreaterThanOrEqual(0.7);
    expect(new Set(certificate.branches.map(({ purpose }) => purpose))).toEqual(new Set(['verify', 'baseline']));
  }
  const { unpaired } = await runSummary(lab.store, run.id);
  expect(unpaired!.pairs.notMade['not-accepted']).toBeGreaterThan(0);
});

it('compares recorded trajectories too, all of a task', async () => {
  const { findings } = lab.store;
  const run = await lab.start(anchor({ limit: 2 }));
  await run.result();
  const recorded = await findings.trajectories(run.id);
  for (const trajectory of recorded)
    await findings.addTrajectory({ ...trajectory, runId: importScope('maze'), origin: 'imported', model: 'recorded' });
  const mined = await lab.start(anchor({ trajectories: 'imported', limit: recorded.length }));
  expect(await mined.result()).toMatchObject({ state: 'finished', total: recorded.length, done: recorded.length });
  const summary = await runSummary(lab.store, mined.id);
  expect(summary.pairs.total).toBe((await findings.pairs(run.id)).length);
  expect(summary.pairs.flags['off-policy']).toBe(summary.pairs.total);
});

it('more samples than the window holds are refused, because each waits for the others; and so is a single one', async () => {
  const refused = { kind: 'User.Config', message: expect.stringContaining('needs from 2 to 4 (run.window) samples') };
  await expect(lab.start(anchor({ config: { run: { window: 4 } } }))).rejects.toMatchObject(refused);
  await expect(lab.start(anchor({ samples: 1, config: { run: { window: 4 } } }))).rejects.toMatchObject(refused);
});
