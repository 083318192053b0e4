// Layer: end to end: the real InterCode-SQL data imported, and its recorded failures mined, on the test run's Temporal server.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { simulationFromDataset } from '../../src/simulation/from-dataset.ts';
import { type Simulation, startSimulation } from '../../src/simulation/server.ts';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { benchmarkData } from '../helpers/benchmark-data.ts';
import { demoConfig, Project } from './crux.ts';

const source = benchmarkData('intercode-sql');
const runId = 'e2e-imported';

type Imported = {
  folder: string;
  train: number;
  recorded: {
    counts: {
      recorded: number;
      outsideSplits: number;
      replayed: number;
      failed: number;
      diverged: Record<string, number>;
    };
  };
};

describe.skipIf(source === null)('recorded runs of InterCode-SQL', () => {
  let project: Project;
  let simulation: Simulation;
  let imported: Imported;

  beforeAll(async () => {
    project = new Project({ TEMPORAL_ADDRESS: inject('temporal').address });
    imported = await project.json<Imported>('import', 'intercode-sql', '--from', source!, '--name', 'benchmark');
    simulation = await startSimulation({ seed: 1, worlds: await simulationFromDataset(imported.folder) });
    project.write(
      'crux.config.ts',
      demoConfig(simulation.url).replace("'data', name: 'sql'", "'.crux/data/benchmark', name: 'benchmark'"),
    );
  });

  afterAll(async () => {
    await simulation?.close();
    await project.remove();
  });

  test('each is replayed, left out, or diverges for a cause that has a name', () => {
    const { recorded, outsideSplits, replayed, diverged, failed } = imported.recorded.counts;
    const divergedInAll = Object.values(diverged).reduce((sum, count) => sum + count, 0);
    expect(recorded).toBe(1034);
    expect(outsideSplits + replayed + divergedInAll).toBe(recorded);
    expect(replayed).toBeGreaterThan(800);
    expect(failed).toBeGreaterThan(300);
  });

  test('their failures are mined without exploring anew, and the pairs say that the policy did not make them', async () => {
    const options = ['--trajectories', 'imported', '--limit', '6', '--run-id', runId];
    const summary = await project.json<RunSummary>('run', 'cso', ...options);
    expect(summary).toMatchObject({
      state: 'finished',
      tasks: { total: 6, done: 6 },
      split: 'train, imported trajectories',
    });
    expect(summary.failures).toEqual(summary.endings);
    expect(summary.ledger.some(({ purpose }) => purpose === 'explore')).toBe(false);
    expect(summary.pairs.total).toBeGreaterThan(0);
    expect(summary.pairs.flags['off-policy']).toBe(summary.pairs.total);

    await project.json('export', runId, '--format', 'trl', '--out', 'pairs');
    const certificates = readFileSync(project.path('pairs/certificates.jsonl'), 'utf8').trimEnd().split('\n');
    expect(certificates).toHaveLength(summary.pairs.total);
    const checks = await project.json<{ ok: boolean }[]>('verify-pair', runId);
    expect(checks.every(({ ok }) => ok)).toBe(true);
  });
});
