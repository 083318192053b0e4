// Layer: end to end: workers with builds, driven by the commands that an operator uses.
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Simulation } from '../../src/simulation/server.ts';
import { demoConfig, Project, simulateDemoModels } from '../end-to-end/crux.ts';

type Shown = { builds: { buildId: string; status: string; rampPercentage: number | null; taskQueues: object[] }[] };

let project: Project;
let simulation: Simulation;

beforeAll(async () => {
  project = new Project({ TEMPORAL_ADDRESS: inject('temporal').address });
  simulation = await simulateDemoModels(project);
  project.write('crux.config.ts', demoConfig(simulation.url));
});
afterAll(async () => {
  await simulation?.close();
  await project?.remove();
});

test('a build works from the moment it is made current, and the next one can be given a share first', async () => {
  expect(await project.crux('worker', '--build-id', '1')).toMatchObject({ code: 2 });
  expect(await project.crux('deployment', 'e2e-crux')).toMatchObject({ code: 2 });
  const first = project.start(['worker', '--deployment', 'e2e-crux', '--build-id', '1']);
  await first.says(/Build .*--set-current 1/);
  await project.json('deployment', 'e2e-crux', '--set-current', '1');
  await project.json('run', 'cso', '--limit', '1', '--run-id', 'e2e-deployed', '--detach');
  expect(await project.json('watch', 'e2e-deployed')).toMatchObject({ state: 'finished' });

  const second = project.start(['worker'], { TEMPORAL_DEPLOYMENT_NAME: 'e2e-crux', TEMPORAL_WORKER_BUILD_ID: '2' });
  await second.says(/Build .*--set-current 2/);
  const { builds } = await project.json<Shown>('deployment', 'e2e-crux', '--ramp', '2', '--percent', '25');
  expect(builds.map(({ buildId, status, rampPercentage }) => ({ buildId, status, rampPercentage }))).toEqual([
    { buildId: '2', status: 'ramping', rampPercentage: 25 },
    { buildId: '1', status: 'current', rampPercentage: null },
  ]);
  for (const { taskQueues } of builds) {
    expect(taskQueues).toEqual([{ name: expect.stringMatching(/^crux-/), roles: ['workflow', 'agent'] }]);
  }
});
