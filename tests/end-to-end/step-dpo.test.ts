// Layer: end to end: `crux run step-dpo` and the commands that read its results, as processes of their own, on the test run's Temporal server.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Certificate } from '../../src/domain/pair.ts';
import type { Simulation } from '../../src/simulation/server.ts';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { demoConfig, Project, simulateDemoModels } from './crux.ts';

const runId = 'e2e-step-dpo';

let project: Project;
let simulation: Simulation;

beforeAll(async () => {
  project = new Project({ TEMPORAL_ADDRESS: inject('temporal').address });
  simulation = await simulateDemoModels(project, { seed: 2 });
  project.write('crux.config.ts', demoConfig(simulation.url));
}, 60_000);

afterAll(async () => {
  await simulation.close();
  await project.remove();
});

test('a run takes its options, and its pairs are shown, exported and checked again', { timeout: 120_000 }, async () => {
  const options = ['--run-id', runId, '--limit', '4', '--set', 'gap=0.5', '--set', 'alternatives=3'];
  const summary = await project.json<RunSummary>('run', 'step-dpo', ...options);
  expect(summary).toMatchObject({ method: 'step-dpo', state: 'finished', tasks: { total: 4, done: 4 }, branches: {} });
  expect(summary.pairs.total).toBeGreaterThan(0);
  expect(summary.pairs.flags.unverified).toBe(summary.pairs.total);

  const { stdout } = await project.crux('show', runId);
  expect(stdout).toMatch(/^Pairs, unverified +\d+/m);
  await project.json('export', runId, '--format', 'trl', '--out', 'pairs');
  const lines = readFileSync(project.path('pairs/certificates.jsonl'), 'utf8').trimEnd().split('\n');
  const certificates = lines.map((line) => JSON.parse(line) as Certificate);
  expect(certificates).toHaveLength(summary.pairs.total);
  for (const { chosen, rejected } of certificates) {
    expect(chosen.score! - rejected.score!).toBeGreaterThan(0.5 - 1e-9);
  }
  const checks = await project.json<{ ok: boolean }[]>('verify-pair', runId);
  expect(checks.map(({ ok }) => ok)).toEqual(certificates.map(() => true));

  const refused = await project.crux('run', 'step-dpo', '--set', 'gammaLow=0.4');
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/stepDpo: .*gammaLow/) });
});
