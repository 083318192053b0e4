// Layer: end to end: the command that ends embedded servers, over real servers, users that are processes of their own, and a cache of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from '@temporalio/client';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { countOpenWorkflows } from '../../src/temporal/open-workflows.ts';
import { isRunning } from '../../src/temporal/process-identity.ts';
import { findServerBinary } from '../../src/temporal/server-binary.ts';
import { readServerState, type ServerState } from '../../src/temporal/server-state.ts';
import { demoConfig, type Project, simulateDemoModels, temporaryProject } from '../end-to-end/crux.ts';
import { connectionTo } from '../helpers/connection.ts';
import { preferFreePorts } from '../helpers/free-ports.ts';

const holdServer = join(import.meta.dirname, 'hold-server.ts');
let binaryFolder: string;

beforeAll(async () => {
  binaryFolder = dirname((await findServerBinary({ report: () => {} })).path);
});

type World = { project: Project; env: NodeJS.ProcessEnv };

/** A project that knows no servers but those of its test, so that `--all` ends no other. */
function ownWorld(): World {
  const cache = mkdtempSync(join(tmpdir(), 'crux-cache-'));
  onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
  const env = { CRUX_CACHE: cache, PATH: `${binaryFolder}${delimiter}${process.env.PATH}` };
  return { project: temporaryProject(env), env };
}

/** Starts a server for a home folder, or joins it, in a process that can be killed. */
async function use({ env }: World, home: string): Promise<{ user: ChildProcess; state: ServerState }> {
  await preferFreePorts(home);
  const user = spawn(process.execPath, [holdServer, home], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: user.stdout! }), 'line');
  const state = readServerState(home)!;
  onTestFinished(() => {
    user.kill('SIGKILL');
    if (isRunning(state.server)) process.kill(state.server.pid, 'SIGKILL');
  });
  return { user, state };
}

async function kill(user: ChildProcess): Promise<void> {
  user.kill('SIGKILL');
  await once(user, 'exit');
}

const runs = ({ server, keeper }: ServerState) => [isRunning(server), isRunning(keeper!)];

test('where no server runs, down does nothing and says so', async () => {
  const { project } = ownWorld();
  expect(await project.crux('down')).toEqual({
    code: 0,
    stdout: `No embedded Temporal server runs for ${project.home}: there is nothing to end.\n`,
    stderr: '',
  });
  expect(await project.json('down', '--all')).toEqual({ ended: [], inUse: [] });
});

test('down ends a server that nobody uses, and says how many workflows stay open', async () => {
  const world = ownWorld();
  const { project } = world;
  const { user, state } = await use(world, project.home);
  const connection = await connectionTo(state.address);
  await new Client({ connection }).workflow.start('nobody', { workflowId: 'open', taskQueue: 'none' });
  await connection.close();
  // Its visibility lags behind.
  await expect.poll(() => countOpenWorkflows(state.uiAddress)).toBe(1);
  await kill(user);
  const { code, stdout, stderr } = await project.crux('down');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(
    `Ended the Temporal server at ${state.address} (process ${state.server.pid}) of ${project.home}. Workflows that stay open: 1; the next server of this home continues them.\n`,
  );
  expect(runs(state)).toEqual([false, false]);
  expect(readServerState(project.home)).toBeNull();
});

test('down refuses while a process uses the server, names it and --force, which ends the server all the same', async () => {
  const world = ownWorld();
  const { project } = world;
  const { user, state } = await use(world, project.home);
  const refused = await project.crux('down');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain(`is used by a program (process ${user.pid}). First end what uses it`);
  expect(refused.stderr).toContain('--force');
  expect(runs(state)).toEqual([true, true]);
  const error = JSON.parse((await project.crux('down', '--json')).stderr);
  expect(error).toMatchObject({ error: { kind: 'User.Config', remedy: expect.stringContaining('--force') } });
  expect(await project.json('down', '--force')).toEqual({
    ended: [{ home: project.home, process: state.server.pid, address: state.address, openWorkflows: 0 }],
    inUse: [],
  });
  expect(runs(state)).toEqual([false, false]);
});

test('down refuses while `crux up` works, by that name, and status names it too', async () => {
  const project = temporaryProject();
  const simulation = await simulateDemoModels(project);
  project.write('crux.config.ts', demoConfig(simulation.url));
  const up = project.start(['up']);
  await up.says(/Worker .*ready/);
  const { server } = readServerState(project.home)!;
  const refused = await project.crux('down');
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`is used by crux up (process ${up.process.pid}).`),
  });
  expect(await project.json('status')).toMatchObject({
    server: { process: server.pid, users: [{ command: 'crux up', process: up.process.pid }] },
  });
  up.process.kill('SIGTERM');
  expect((await up.ended).code).toBe(0);
  expect(isRunning(server)).toBe(false);
  await simulation.close();
});

test('down ends a server whose home was deleted, and whose keeper was killed, so that it could not end by itself', async () => {
  const world = ownWorld();
  const { project } = world;
  const { user, state } = await use(world, project.home);
  process.kill(state.keeper!.pid, 'SIGKILL');
  await kill(user);
  rmSync(project.home, { recursive: true });
  const { ended } = await project.json<{ ended: object[] }>('down');
  expect(ended).toEqual([
    { home: project.home, process: state.server.pid, address: state.address, openWorkflows: null },
  ]);
  expect(isRunning(state.server)).toBe(false);
  expect(await project.json('down')).toEqual({ ended: [], inUse: [] });
});

test('down --all ends the servers of all homes but those in use, which it names, with exit code 2', async () => {
  const world = ownWorld();
  const { project } = world;
  const [unused, used] = [await use(world, project.path('unused')), await use(world, project.path('used'))];
  await kill(unused.user);
  expect((await project.crux('down')).stdout).toContain('Of other homes: 2 servers. `crux status` names them');
  const { otherServers } = await project.json<{ otherServers: { home: string }[] }>('status');
  expect(otherServers.map(({ home }) => home).sort()).toEqual([project.path('unused'), project.path('used')]);

  const { code, stdout, stderr } = await project.crux('down', '--all', '--json');
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    ended: [{ home: project.path('unused'), process: unused.state.server.pid }],
    inUse: [{ home: project.path('used'), users: [{ command: null, process: used.user.pid }] }],
  });
  expect(JSON.parse(stderr)).toMatchObject({ error: { message: expect.stringContaining('1 server in use') } });
  expect([...runs(unused.state), ...runs(used.state)]).toEqual([false, false, true, true]);
  await project.json('down', '--all', '--force');
  expect(runs(used.state)).toEqual([false, false]);
});
