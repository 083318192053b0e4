// Layer: end to end: one run on Postgres by workers that share nothing else, beside the same run on SQLite.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Simulation } from '../../src/simulation/server.ts';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { demoConfig, Project, simulateDemoModels } from '../end-to-end/crux.ts';
import { type PostgresForTests, postgresPrograms, startPostgres } from '../helpers/postgres.ts';

const programs = postgresPrograms();

describe.skipIf(programs === null)('a store in Postgres', () => {
  let postgres: PostgresForTests;
  let project: Project;
  let simulation: Simulation;

  beforeAll(async () => {
    postgres = await startPostgres(programs!);
    project = new Project({ TEMPORAL_ADDRESS: inject('temporal').address });
    simulation = await simulateDemoModels(project, { seed: 2 });
    project.write('crux.config.ts', demoConfig(simulation.url));
    project.write('cluster.config.ts', demoConfig(simulation.url, { extra: `store: '${postgres.url}',` }));
  });

  afterAll(async () => {
    await simulation?.close();
    await project?.remove();
    await postgres?.stop();
  });

  test('a workflow worker and an agent worker come to the pairs of one process on SQLite', async () => {
    const cluster = ['--config', 'cluster.config.ts'];
    const workers = ['workflow', 'agent'].map((role) =>
      project.start([...cluster, '--home', `home-${role}`, 'worker', '--roles', role]),
    );
    for (const worker of workers) await worker.says(/Worker .*ready/);
    await project.json(...cluster, 'run', 'cso', '--run-id', 'e2e-cluster', '--limit', '6', '--detach');
    const summary = await project.json<RunSummary>(...cluster, 'watch', 'e2e-cluster');
    expect(summary).toMatchObject({ state: 'finished', tasks: { done: 6 } });
    for (const worker of workers) worker.process.kill('SIGTERM');
    for (const worker of workers) expect(await worker.ended).toMatchObject({ code: 0 });

    const alone = await project.json<RunSummary>('run', 'cso', '--run-id', 'e2e-alone', '--limit', '6');
    const found = ({ tasks, endings, steps, branches, pairs }: RunSummary) => ({
      tasks,
      endings,
      steps,
      branches,
      pairs,
    });
    expect(found(summary)).toEqual(found(alone));
    await project.json(...cluster, 'export', 'e2e-cluster', '--format', 'trl', '--out', 'of-cluster');
    await project.json('export', 'e2e-alone', '--format', 'trl', '--out', 'of-one');
    const pairs = (folder: string) => readFileSync(project.path(folder, 'pairs.jsonl'), 'utf8');
    expect(pairs('of-cluster')).toBe(pairs('of-one'));
    expect(summary.pairs.total).toBeGreaterThan(0);
  });
});
