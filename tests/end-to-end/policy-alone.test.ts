// Layer: end to end: commands with a configuration that names no model but the policy, on the test run's Temporal server.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Simulation } from '../../src/simulation/server.ts';
import type { Comparison } from '../../src/views/comparison-types.ts';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { demoConfig, Project, simulateDemoModels } from './crux.ts';

let project: Project;
let simulation: Simulation;

beforeAll(async () => {
  project = new Project({ TEMPORAL_ADDRESS: inject('temporal').address });
  simulation = await simulateDemoModels(project);
  project.write('crux.config.ts', demoConfig(simulation.url, { policyAlone: true }));
});

afterAll(async () => {
  await simulation.close();
  await project.remove();
});

test('doctor finds all well, and names the methods that would ask another model', async () => {
  const { code, stdout } = await project.crux('doctor');
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(/model expert: not configured, and asked by cso, ipr, /);
  expect(stdout).toMatch(/model prm: not configured, and asked by cso, step-dpo: .*\n +Add to `models`/);
});

test('runs that ask the policy alone are made, shown, compared, reported and exported', async () => {
  const evaluation = await project.json<RunSummary>(
    'evaluate',
    '--run-id',
    'e2e-alone-evaluate',
    '--trained-on',
    'none',
  );
  expect(evaluation.models).toEqual({ policy: 'sim-policy' });
  expect(evaluation.evaluation!.overall).toMatchObject({ tasks: 8, open: 0, missing: {} });

  const run = ['run', 'rro', '--run-id', 'e2e-alone-rro', '--limit', '3'];
  const summary = await project.json<RunSummary>(...run);
  expect(summary).toMatchObject({ state: 'finished', models: { policy: 'sim-policy' } });
  expect(summary.pairs.total).toBeGreaterThan(0);
  expect(await project.json('show', summary.runId)).toEqual(summary);
  // The same run still, with all models named.
  project.write('all.config.ts', demoConfig(simulation.url));
  expect(await project.json('--config', 'all.config.ts', ...run)).toEqual(summary);

  const comparison = await project.json<Comparison>('compare', '--ledger-only', summary.runId, evaluation.runId);
  expect(comparison.runs[0]!.models).toEqual({ policy: 'sim-policy' });
  expect((await project.crux('report', summary.runId, '--out', 'alone.html')).code).toBe(0);
  expect((await project.crux('export', summary.runId, '--format', 'trl', '--out', 'pairs')).code).toBe(0);
  const [certificate] = readFileSync(project.path('pairs', 'certificates.jsonl'), 'utf8').split('\n');
  expect(Object.keys(JSON.parse(certificate!).models)).toEqual(['policy']);
  expect(await project.crux('verify-pair', summary.runId)).toMatchObject({ code: 0 });
  expect(await project.crux('calibrate', summary.runId)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Run e2e-alone-rro has no models.prm: there are no scores to calibrate.'),
  });
});

test('a method that asks another model is refused with its name, its reason and a line to add, and nothing is recorded', async () => {
  const { code, stdout, stderr } = await project.crux('run', 'cso', '--run-id', 'e2e-alone-cso');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain("no models.expert, which cso asks to propose alternatives (pairSources: 'expert/policy')");
  expect(stderr).toContain('no models.prm, which cso asks to score actions (gate: true)');
  expect(stderr).toContain("expert: { endpoint: 'simulated', model: '…' }, prm: { endpoint: 'simulated', model: '…' }");
  expect(await project.crux('show', 'e2e-alone-cso')).toMatchObject({ code: 2 });
});
