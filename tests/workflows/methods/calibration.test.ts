// Layer: whole runs of CSO without a Temporal server, with simulated models over HTTP and a real store.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { exportProcessExamples } from '../../../src/export/index.ts';
import { scoreRequest, scoreWording } from '../../../src/models/prompts.ts';
import { calibrationView, loadProcessExamples } from '../../../src/views/calibration.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { DirectLab } from '../../helpers/direct-lab.ts';

let lab: DirectLab;
let registry: EnvironmentRegistry;
beforeAll(async () => {
  lab = await DirectLab.open();
  registry = new EnvironmentRegistry(lab.config().environments);
});
afterAll(() => lab.close());

const calibrated = (calibrationRate: number) => lab.made({ limit: 4, options: { calibrationRate } });

it('at a rate of 1 every scored action is rolled out, in successful trajectories too, and only once for that', async () => {
  const runId = await calibrated(1);
  const { findings } = lab.store;
  const all = [...(await findings.scores(runId, 'score')), ...(await findings.scores(runId, 'calibrate'))];
  const scored = new Set(all.filter(({ score }) => score !== null).map((row) => row.candidateId));
  const branches = await lab.store.findings.branches(runId);
  const first = (purpose: string, id: string) =>
    branches.filter((row) => row.purpose === purpose && row.candidateId === id).length;
  for (const id of scored) expect(first('calibrate', id) + first('verify', id)).toBe(1);
  const trajectories = await lab.store.findings.trajectories(runId);
  const steps = trajectories.reduce((sum, row) => sum + row.steps, 0);
  const own = (await lab.store.findings.candidates(runId)).filter(({ position }) => position === -1);
  expect(own).toHaveLength(steps);
});

it('changes no pair and no figure that methods are compared by', async () => {
  const [none, some] = [await calibrated(0), await calibrated(1)];
  const pairs = async (id: string) => JSON.stringify((await lab.store.findings.pairs(id)).map((pair) => pair.id));
  expect(await pairs(some)).toBe(await pairs(none));
  const [without, withIt] = [await runSummary(lab.store, none), await runSummary(lab.store, some)];
  expect(withIt.comparison.rolloutsPerPair).toBe(without.comparison.rolloutsPerPair);
  expect(withIt.comparison.tokensPerPair).toBe(without.comparison.tokensPerPair);
  expect(without.branches.calibrate).toBeUndefined();
});

it('weighs a drawn action by the inverse of its chance, and one over the gate by 1', async () => {
  const runId = await calibrated(0.25);
  const rows = await loadProcessExamples(lab.store, registry, runId);
  expect(rows.some(({ weight }) => weight === 4)).toBe(true);
  expect(rows.some(({ weight }) => weight === 1)).toBe(true);
  for (const { outcome, rollouts, successes } of rows) expect(outcome * rollouts).toBeGreaterThanOrEqual(successes);
});

it('is exported for a judge with the very request of the run, its own rubric included', async () => {
  const { models } = lab.config();
  const config = { models: { ...models, prm: { ...models.prm!, rubric: 'Good steps lead out of the maze.' } } };
  const run = await lab.start({ limit: 2, options: { calibrationRate: 1 }, config });
  await run.result();
  const out = join(lab.home, 'own-rubric');
  const rows = await loadProcessExamples(lab.store, registry, run.id);
  await exportProcessExamples(rows, { format: 'openai-prm', out, force: false });
  const exported = readFileSync(join(out, 'actions.jsonl'), 'utf8').trim().split('\n');
  const wording = scoreWording((await lab.store.runs.get(run.id)).config, false);
  const asked = rows.map(({ prompt, tools, action }) => scoreRequest(prompt, tools, action, wording).messages);
  expect(exported.map((line) => JSON.parse(line).messages.slice(0, -1))).toEqual(asked);
  expect(asked[0]![0]!.content).toMatch(/^Good steps lead out of the maze/);
});

it('tells a PRM that knows from one that guesses', async () => {
  const areas = await Promise.all(
    ['sim-prm@auc=0.95', 'sim-prm@auc=0.5'].map(async (model) => {
      const { models } = lab.config();
      const config = { models: { ...models, prm: { ...models.prm!, model } } };
      const run = await lab.start({ limit: 8, options: { calibrationRate: 1 }, config });
      await run.result();
      return (await calibrationView(lab.store, registry, run.id)).areaUnderCurve.estimate!;
    }),
  );
  // Stated error: about 200 actions each, so a standard error of 0.04 for an area of 0.5, and less above.
  expect(areas[0]! - areas[1]!).toBeGreaterThan(0.12);
});
