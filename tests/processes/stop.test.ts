// Layer: end to end: commands that are stopped by signals, and what becomes of their runs, with a Temporal server of the tests.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Simulation } from '../../src/simulation/server.ts';
import { demoConfig, Project, simulateDemoModels, temporaryProject } from '../end-to-end/crux.ts';
import { type Gate, startGate } from '../helpers/gate.ts';
import { until } from '../helpers/lab.ts';

type Status = { state: string; calls: number; workers: { command: string; process: number; since: string }[] };

const reached = { TEMPORAL_ADDRESS: inject('temporal').address };

describe('a run whose command is stopped', () => {
  let project: Project;
  let simulation: Simulation;
  let gate: Gate;

  beforeAll(async () => {
    // Commands that do not name the server find none: what they do, they do through the store.
    project = new Project();
    simulation = await simulateDemoModels(project, { seed: 2 });
    gate = await startGate(simulation.url);
    project.write('crux.config.ts', demoConfig(gate.url));
  });

  afterAll(async () => {
    gate.close();
    await simulation.close();
    await project.remove();
  });

  const run = (id: string, ...more: string[]) => project.start(['run', 'cso', '--run-id', id, ...more], reached);
  /** Starts a run. @returns its command, when the gate holds it after so many requests */
  const heldAfter = async (requests: number, ...args: Parameters<typeof run>) => {
    const isHeld = gate.closeAfter(requests);
    const command = run(...args);
    await isHeld;
    return command;
  };
  const status = (id: string) => project.json<Status>('status', id);
  const evaluate = (id: string) => project.start(['evaluate', '--run-id', id, '--limit', '1'], reached);

  test('by Ctrl-C rests: another command leaves it alone, and the same command goes on to the end', async () => {
    const startedAt = Date.now();
    const command = await heldAfter(20, 'ctrl-c', '--limit', '4');
    const [worker] = (await status('ctrl-c')).workers;
    expect(worker).toMatchObject({ command: 'crux run ctrl-c', process: command.process.pid });
    expect(Date.parse(worker!.since)).toBeGreaterThanOrEqual(startedAt);
    expect(Date.parse(worker!.since)).toBeLessThanOrEqual(Date.now());
    command.process.kill('SIGINT');
    gate.open();
    const { code, stderr } = await command.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('crux: Interrupted. Nothing is lost: Run ctrl-c rests: no worker continues it by itself.');
    const before = await status('ctrl-c');
    expect(before).toMatchObject({ state: 'resting', workers: [] });
    expect((await project.crux('status')).stdout).toContain('ctrl-c rests: no worker continues it');

    const other = await evaluate('beside-rest').ended;
    expect(other.code, other.stderr).toBe(0);
    expect(other.stderr).toContain('Left at rest: ctrl-c (');
    expect(await status('ctrl-c')).toMatchObject({ state: 'resting', calls: before.calls });

    const again = await run('ctrl-c', '--limit', '4').ended;
    expect(again.code, again.stderr).toBe(0);
    expect(await status('ctrl-c')).toMatchObject({ state: 'finished' });
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)('by %s does not rest: the next worker may go on', async (signal) => {
    const id = `by-${signal.toLowerCase()}`;
    const command = await heldAfter(5, id, '--limit', '2');
    command.process.kill(signal);
    gate.open();
    const { code, stderr } = await command.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain(`Interrupted by ${signal}. Nothing is lost: Run ${id} goes on with the next worker`);
    expect(await status(id)).toMatchObject({ state: 'running', workers: [] });
    expect(await project.crux('cancel', id)).toMatchObject({ code: 0 });
  });

  test('by kill -9 goes on with the next worker, which says so and counts what it did', async () => {
    const command = await heldAfter(15, 'killed', '--limit', '6');
    command.process.kill('SIGKILL');
    await command.ended;
    gate.open();
    const left = await status('killed');
    expect(left).toMatchObject({ state: 'running', workers: [] });
    expect((await project.crux('status')).stdout).toContain('killed waits for a worker');

    // Its own calls are held for as long as it takes to see that the other worker is dead.
    const held = await startGate(simulation.url);
    const ownCalls = held.closeAfter(0);
    const config = demoConfig(gate.url)
      .replace('endpoints: {', `endpoints: { held: { baseUrl: '${held.url}/v1' },`)
      .replace("policy: { endpoint: 'simulated'", "policy: { endpoint: 'held'");
    project.write('held.config.ts', config);
    const next = run('after-killed', '--config', 'held.config.ts', '--limit', '1');
    await next.says(/this worker continues 1 run of the store: killed \(/);
    await ownCalls;
    await until('the run comes so far', async () => (await status('killed')).calls > left.calls);
    next.process.kill('SIGINT');
    held.open();
    const { code, stderr } = await next.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toMatch(/Besides its own run, this worker made [\d,]+ calls? of run killed\./);
    expect(stderr).toContain('Not at rest: killed. The next worker continues it.');
    for (const id of ['killed', 'after-killed']) expect(await project.crux('cancel', id)).toMatchObject({ code: 0 });
    held.close();
  });

  test('while another worker lives is left to it, and says to which', async () => {
    const up = project.start(['up'], reached);
    await up.says(/Worker .*ready/);
    const command = await heldAfter(10, 'left', '--limit', '4');
    command.process.kill('SIGINT');
    gate.open();
    const { code, stderr } = await command.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toMatch(
      new RegExp(`Run left goes on: worker \\w{8} \\(crux up, process ${up.process.pid}\\) lives`),
    );
    await until('the run comes so far', async () => (await status('left')).state === 'finished');
    up.process.kill('SIGTERM');
    const ended = await up.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/This worker made .* of run left/);
  });

  test('is paused, resumed and cancelled without a server, which its campaign learns when it runs again', async () => {
    const command = await heldAfter(10, 'steered', '--limit', '6');
    command.process.kill('SIGKILL');
    await command.ended;
    gate.open();
    expect(await project.crux('pause', 'steered')).toMatchObject({ code: 0 });
    const paused = await status('steered');
    expect(paused).toMatchObject({ state: 'paused' });
    expect((await evaluate('beside-pause').ended).code).toBe(0);
    expect(await status('steered')).toMatchObject({ state: 'paused', calls: paused.calls });
    expect(await project.crux('budget', 'steered', '--max-calls', '5000')).toMatchObject({ code: 0 });
    expect(await project.crux('resume', 'steered')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no worker lives'),
    });
    expect(await status('steered')).toMatchObject({ state: 'running' });
    expect(await project.crux('cancel', 'steered')).toMatchObject({ code: 0 });
    const cancelled = await status('steered');
    expect((await evaluate('beside-cancel').ended).code).toBe(0);
    expect(await status('steered')).toMatchObject({ state: 'cancelled', calls: cancelled.calls });
  });
});

test.each([/Run early:/, /Temporal UI/])(
  'Ctrl-C before a run has begun to work (%s) ends it, and leaves no server behind',
  async (moment) => {
    const project = temporaryProject();
    const simulation = await simulateDemoModels(project);
    project.write('crux.config.ts', demoConfig(simulation.url));
    const command = project.start(['run', 'cso', '--run-id', 'early', '--limit', '2']);
    await command.says(moment);
    command.process.kill('SIGINT');
    const { code, stdout, stderr } = await command.ended;
    expect({ code, stdout }, stderr).toEqual({ code: 130, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^crux: Interrupted\. Nothing is lost: Run early rests/);
    expect(existsSync(join(project.home, 'temporal-server.json'))).toBe(false);
    expect(await project.json('status', 'early')).toMatchObject({ state: 'resting' });
    await simulation.close();
  },
);
