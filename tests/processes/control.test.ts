// Layer: end to end: steering a run from a second process, and a server and worker that are kept up, with servers of their own.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Simulation } from '../../src/simulation/server.ts';
import { isRunning, type ProcessIdentity } from '../../src/temporal/process-identity.ts';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { demoConfig, Project, type RunningCrux, simulateDemoModels, temporaryProject } from '../end-to-end/crux.ts';
import { until } from '../helpers/lab.ts';

const slow = { latency: { distribution: 'lognormal', meanMs: 120 } } as const;

describe('a run under way', () => {
  let project: Project;
  let simulation: Simulation;

  beforeAll(async () => {
    project = new Project({ TEMPORAL_ADDRESS: inject('temporal').address });
    simulation = await simulateDemoModels(project, { ...slow, seed: 2 });
    project.write('crux.config.ts', demoConfig(simulation.url));
  });

  afterAll(async () => {
    await simulation.close();
    await project.remove();
  });

  const requests = () => simulation.stats().requests;

  test('pauses, takes another budget, goes on, and ends by cancellation with exit code 3', async () => {
    const running = project.start(['run', 'cso', '--run-id', 'e2e-control', '--json']);
    await until('the run comes so far', () => requests() > 20);
    const paused = await project.crux('pause', 'e2e-control');
    expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining('is paused') });
    expect(await project.json('status', 'e2e-control')).toMatchObject({ state: 'paused' });
    await until('the run comes so far', () => simulation.stats().inFlight === 0);
    const while_ = requests();
    await sleep(1_500);
    expect(requests()).toBe(while_);

    expect((await project.crux('budget', 'e2e-control', '--max-calls', '5000')).code).toBe(0);
    const resumed = await project.crux('resume', 'e2e-control');
    expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining('goes on') });
    await until('the run comes so far', () => requests() > while_ + 10);

    const cancelled = await project.crux('cancel', 'e2e-control');
    expect(cancelled).toMatchObject({ code: 0, stdout: expect.stringContaining('its pairs so far are kept') });
    const { code, stdout, stderr } = await running.ended;
    expect(code, stderr).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'cancelled', ceilings: { calls: 5000, tokens: null } });
    const again = await project.crux('pause', 'e2e-control');
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('is over (cancelled)') });
  });

  test('--max-calls ends it with exit code 3, and not one call more', async () => {
    const before = requests();
    const limited = ['run', 'cso', '--run-id', 'e2e-budget', '--max-calls', '40', '--json'];
    const { code, stdout, stderr } = await project.crux(...limited);
    expect(code, stderr).toBe(3);
    const summary = JSON.parse(stdout) as RunSummary;
    expect(summary.state).toBe('budget');
    expect(summary.ledger.reduce((sum, line) => sum + line.calls, 0)).toBe(40);
    expect(requests() - before).toBe(40);
    expect(stderr).toContain('budget');
  });
});

test('`crux up` serves detached runs, is joined by a second one, and leaves no process behind', async () => {
  const project = temporaryProject();
  const simulation = await simulateDemoModels(project, { seed: 2 });
  project.write('crux.config.ts', demoConfig(simulation.url));

  const detachedTooEarly = await project.crux('run', 'cso', '--detach');
  expect(detachedTooEarly).toMatchObject({ code: 2, stderr: expect.stringContaining('Start one with `crux up`') });

  const first = project.start(['up']);
  await first.says(/Worker .*ready/);
  const server = serverOf(project);
  const second = project.start(['up']);
  await second.says(/Worker .*ready/);
  expect(serverOf(project)).toEqual(server);
  const started = await project.json('run', 'cso', '--run-id', 'e2e-detached', '--limit', '2', '--detach');
  expect(started).toEqual({ runId: 'e2e-detached' });
  expect(await project.json<RunSummary>('watch', 'e2e-detached')).toMatchObject({
    state: 'finished',
    tasks: { done: 2 },
  });

  await end(first);
  expect(isRunning(server)).toBe(true);
  await end(second);
  expect(isRunning(server)).toBe(false);
  expect(existsSync(stateFile(project))).toBe(false);
  await simulation.close();
});

async function end(running: RunningCrux): Promise<void> {
  running.process.kill('SIGTERM');
  const { code, stderr } = await running.ended;
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('Stopping');
}

const stateFile = (project: Project) => join(project.home, 'temporal-server.json');

function serverOf(project: Project): ProcessIdentity {
  return (JSON.parse(readFileSync(stateFile(project), 'utf8')) as { server: ProcessIdentity }).server;
}
