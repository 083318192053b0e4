// Layer: end to end: what commands say and how they exit when their user, the configuration or the surroundings are wrong.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { demoConfig, simulateDemoModels, temporaryProject } from './crux.ts';

const nowhere = 'http://127.0.0.1:2';

describe('a configuration', () => {
  test('that is wrong ends with 2 and names each wrong key', async () => {
    const project = temporaryProject();
    await (await simulateDemoModels(project)).close();
    const extra = 'cso: { gamaLow: 0.3, alternatives: 0 },';
    project.write('crux.config.ts', demoConfig(nowhere, { run: "{ format: 'xml' }", extra }));
    const { code, stderr, stdout } = await project.apart('run', 'cso');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const key of ['gamaLow', 'cso.alternatives', 'run.format']) expect(stderr).toContain(key);
    expect(stderr).not.toMatch(/ {4}at |defect/);
  });

  test('whose data set is missing ends with 2 and says how to get it', async () => {
    const project = temporaryProject();
    project.write('crux.config.ts', demoConfig(nowhere));
    const { code, stderr } = await project.crux('run', 'cso');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/no SQL dataset at data.*crux import/s),
    });
  });

  test('that is missing ends with 2 and says how to make one', async () => {
    const { code, stderr } = await temporaryProject().crux('run', 'cso');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/no configuration .*`crux init`/) });
  });

  test('is written once by init, loads at once with the bundled tasks, and is never overwritten', async () => {
    const project = temporaryProject();
    project.write('package.json', '{ "type": "commonjs" }');
    expect((await project.crux('init')).code).toBe(0);
    const written = readFileSync(project.path('crux.config.ts'), 'utf8');
    const { code, stdout, stderr } = await project.crux('doctor', '--json');
    const findings = JSON.parse(stdout) as { what: string; ok: boolean; detail: string }[];
    const isOk = (what: string) => findings.find((finding) => finding.what === what)?.ok;
    expect(isOk('configuration'), stderr + stdout).toBe(true);
    expect(isOk('environment sql-demo')).toBe(true);
    // Nobody serves the models that it names.
    expect(isOk('model policy')).toBe(false);
    expect(code).toBe(5);
    expect(stderr).not.toContain('Warning');

    const again = await project.crux('init');
    expect({ code: again.code, stderr: again.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('crux.config.ts exists.'),
    });
    expect(readFileSync(project.path('crux.config.ts'), 'utf8')).toBe(written);
  });
});

test('doctor finds an unreachable model endpoint and ends with 5, and all well with 0', async () => {
  const project = temporaryProject();
  const simulation = await simulateDemoModels(project);
  project.write('crux.config.ts', demoConfig(simulation.url));
  const well = await project.crux('doctor');
  expect(well.code, well.stdout).toBe(0);
  await simulation.close();
  const unreachable = await project.apart('doctor');
  expect(unreachable.code).toBe(5);
  expect(unreachable.stdout).toMatch(/✗ model policy: /);
  expect(unreachable.stdout).toContain('✓ environment sql: 24 tasks (16 train)');
});

test('a run whose id a run of another store has is refused with that reason, although a worker was started for it', async () => {
  const project = temporaryProject({ TEMPORAL_ADDRESS: inject('temporal').address });
  const runId = `e2e-mine-${randomUUID()}`;
  const simulation = await simulateDemoModels(project);
  project.write('crux.config.ts', demoConfig(simulation.url));
  const run = ['run', 'cso', '--run-id', runId, '--limit', '1'];
  const first = await project.crux(...run);
  expect(first.code, first.stderr).toBe(0);
  rmSync(join(project.home, 'crux.db'));
  const { code, stderr } = await project.crux(...run);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`A run "${runId}" of another store`) });
  expect(stderr).not.toContain('defect');
  await simulation.close();
});

test('commands of a project without any run say how to start one', async () => {
  const project = temporaryProject();
  for (const command of [
    ['status', 'some-run'],
    ['show', 'some-run'],
    ['watch', 'some-run'],
    ['verify-pair', 'some-pair'],
  ]) {
    const { code, stderr } = await project.crux(...command);
    expect({ command, code, stderr }).toEqual({
      command,
      code: 2,
      stderr: expect.stringMatching(/no store .*`crux demo`/),
    });
  }
  expect(existsSync(project.home)).toBe(false);
});

test('errors are JSON on the error stream where JSON was asked for', async () => {
  const { code, stdout, stderr } = await temporaryProject().crux('status', 'some-run', '--json');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(JSON.parse(stderr)).toEqual({
    error: { kind: 'User.NotFound', message: expect.any(String), remedy: expect.any(String) },
  });
});

test('serve-sim answers as an OpenAI-compatible server until it is told to stop', async () => {
  const project = temporaryProject();
  const running = project.start(['serve-sim', '--port', '0']);
  await running.says(/Simulated models at (\S+):/);
  running.process.kill('SIGTERM');
  const { code, stderr } = await running.ended;
  expect(code, stderr).toBe(0);
});

test('check-env passes the environment of the example, and fails what is no environment', async () => {
  const project = temporaryProject();
  const maze = new URL('../../examples/maze/environment.ts', import.meta.url).pathname;
  const { code, stdout, stderr } = await project.crux('check-env', maze);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout.split('\n').filter((line) => line.startsWith('✓')).length).toBeGreaterThan(3);
  project.write('nothing.ts', 'export const nothing = 1;');
  const refused = await project.crux('check-env', 'nothing.ts');
  expect({ code: refused.code, stderr: refused.stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('exports no environment'),
  });
});
