// Layer: the command over a store and a server's state file written by hand. No Temporal server: another process stands for it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openStore } from '../../../src/store/store.ts';
import { rememberServer } from '../../../src/temporal/known-servers.ts';
import { identifyProcess, type ProcessIdentity } from '../../../src/temporal/process-identity.ts';
import { type ServerState, writeServerState } from '../../../src/temporal/server-state.ts';
import { type Project, temporaryProject } from '../../end-to-end/crux.ts';
import { addRun } from '../../helpers/store.ts';

const minuteMs = 60_000;

/** A project with a cache of its own, so that it knows no servers but those of the test. */
function emptyProject(): Project {
  const cache = { CRUX_CACHE: mkdtempSync(join(tmpdir(), 'crux-cache-')) };
  onTestFinished(() => rmSync(cache.CRUX_CACHE, { recursive: true, force: true }));
  vi.stubEnv('CRUX_CACHE', cache.CRUX_CACHE);
  return temporaryProject(cache);
}

async function projectWithRun(): Promise<Project> {
  const project = emptyProject();
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  try {
    await addRun(store, { id: 'run-1', taskIds: ['a1'] });
  } finally {
    await store.close();
  }
  return project;
}

async function bystander(): Promise<ProcessIdentity & { process: ChildProcess }> {
  const process_ = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  onTestFinished(() => void process_.kill('SIGKILL'));
  await once(process_, 'spawn');
  return { ...identifyProcess(process_.pid!)!, process: process_ };
}

/** The state of a server that was started an hour ago and has a keeper. */
async function serverState(changes: Partial<ServerState> = {}): Promise<ServerState> {
  const { pid, startMark } = await bystander();
  return {
    schemaVersion: 1,
    address: '127.0.0.1:7999',
    uiAddress: 'http://127.0.0.1:8999',
    ports: { server: 7999, ui: 8999 },
    server: { pid, startMark },
    startedAt: Date.now() - 60 * minuteMs,
    keeper: identifyProcess(process.pid),
    idleMs: 10 * minuteMs,
    users: [],
    unusedSince: null,
    openWorkflows: null,
    ...changes,
  };
}

const status = async (project: Project) => (await project.crux('status')).stdout;

const anyClock = String.raw`(?:\d{4}-\d\d-\d\d )?\d\d:\d\d`;

test('without a server, status says so', async () => {
  const project = await projectWithRun();
  expect(await status(project)).toContain(`\n\nNo embedded Temporal server runs for ${project.home}.`);
  const { runs, ...rest } = await project.json<{ runs: object[] }>('status');
  expect(runs).toMatchObject([{ runId: 'run-1' }]);
  expect(rest).toEqual({ improvements: [], server: null, otherServers: [] });
  expect(await project.json('status', 'run-1')).toMatchObject({ runId: 'run-1', server: null });
});

test('without a run, status still names improvements and workers', async () => {
  const project = temporaryProject();
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  try {
    await store.improvements.create('rounds', { method: 'cso', rounds: 2 } as never);
    const places = { host: 'elsewhere', process: null, endpoints: [], startedAt: null };
    await store.workers.announce({
      id: 'worker-1',
      roles: ['agent'],
      environments: ['doors'],
      command: 'crux up',
      ...places,
    });
  } finally {
    await store.close();
  }
  const text = await status(project);
  expect(text).toMatch(/^improvement[\s\S]*^rounds +cso +running/m);
  // The worker only acts.
  expect(text).toContain('rounds waits for a worker with the role workflow, and one with the role train');
  expect(text).toContain('No run was started in this store yet.');
  expect(text).toContain('Worker worker-1 (crux up on elsewhere) lives');
});

test('without a store, status names the servers all the same, and leaves nothing on disk', async () => {
  const project = emptyProject();
  const [other, state] = [project.path('other'), await serverState()];
  mkdirSync(other);
  writeServerState(other, state);
  rememberServer({ home: other, ...state });
  expect(await project.crux('status')).toEqual({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^No run was started in this store yet\.\n\nNo embedded Temporal server runs for /),
  });
  expect(await project.json('status')).toMatchObject({
    ...{ improvements: [], runs: [], server: null },
    otherServers: [{ home: other, process: state.server.pid }],
  });
  expect(existsSync(project.home)).toBe(false);
  expect(await project.crux('status', 'run-1')).toMatchObject({ code: 2, stdout: '' });
});

test('a server that died is none', async () => {
  const project = await projectWithRun();
  const state = await serverState();
  writeServerState(project.home, { ...state, server: { ...state.server, startMark: 'of another process' } });
  expect(await status(project)).toContain('No embedded Temporal server runs');
});

test('a server in use is named with its addresses, its process, and its living users alone', async () => {
  const project = await projectWithRun();
  const since = Date.now() - minuteMs;
  const user = (process_: ProcessIdentity, command: string | null) => ({
    id: `${command}`,
    process: { pid: process_.pid, startMark: process_.startMark },
    command,
    since,
  });
  const [alive, dead] = [await bystander(), await bystander()];
  const state = await serverState({ users: [user(alive, 'crux up'), user(dead, 'crux run gone')] });
  dead.process.kill('SIGKILL');
  await once(dead.process, 'exit');
  writeServerState(project.home, state);
  const { pid } = state.server;
  expect(await status(project)).toMatch(
    new RegExp(
      String.raw`^The Temporal server at 127\.0\.0\.1:7999 \(process ${pid}, UI http://127\.0\.0\.1:8999\) runs since ${anyClock}, used by crux up \(process ${alive.pid}\)\.$`,
      'm',
    ),
  );
  const expected = {
    process: pid,
    address: '127.0.0.1:7999',
    uiAddress: 'http://127.0.0.1:8999',
    since: new Date(state.startedAt!).toISOString(),
    users: [{ command: 'crux up', process: alive.pid, since: new Date(since).toISOString() }],
    unusedSince: null,
    endsAt: null,
    openWorkflows: null,
    isKept: true,
  };
  expect(await project.json('status')).toMatchObject({ server: expected });
  expect(await project.json('status', 'run-1')).toMatchObject({ server: expected });
});

test('of a server that nobody uses, status says when it ends', async () => {
  const project = await projectWithRun();
  const unusedSince = Date.now() - 2 * minuteMs;
  writeServerState(project.home, await serverState({ unusedSince }));
  expect(await status(project)).toMatch(
    new RegExp(`No process has used it since ${anyClock}; it ends at ${anyClock}, unless a workflow is open then\\.`),
  );
  expect(await project.json('status')).toMatchObject({
    server: {
      users: [],
      unusedSince: new Date(unusedSince).toISOString(),
      endsAt: new Date(unusedSince + 10 * minuteMs).toISOString(),
    },
  });
});

test('of a server that open workflows keep, status says that, and how to end it', async () => {
  const project = await projectWithRun();
  const kept = { unusedSince: Date.now() - 20 * minuteMs };
  const state = await serverState({ ...kept, openWorkflows: 3 });
  writeServerState(project.home, state);
  expect(await status(project)).toContain(', but 3 workflows are open: it stays for a worker. To end it: crux down\n');
  expect(await project.json('status')).toMatchObject({ server: { endsAt: null, openWorkflows: 3 } });
  writeServerState(project.home, { ...state, openWorkflows: 1 });
  expect(await status(project)).toContain(', but 1 workflow is open: ');
});

test('of a server without a keeper, status says that it does not end by itself', async () => {
  const project = await projectWithRun();
  writeServerState(project.home, await serverState({ keeper: null, unusedSince: 1 }));
  expect(await status(project)).toContain(
    'it does not end by itself, because its keeper is gone. To end it: crux down',
  );
  expect(await project.json('status')).toMatchObject({ server: { endsAt: null, isKept: false } });
});

test('servers of other homes are named, also those whose home is deleted', async () => {
  const project = await projectWithRun();
  const [other, gone] = [project.path('other'), project.path('gone')];
  const [otherState, goneState] = [await serverState(), await serverState()];
  mkdirSync(other);
  writeServerState(other, otherState);
  rememberServer({ home: other, ...otherState });
  rememberServer({ home: gone, ...goneState });
  rememberServer({ home: project.path('ended'), address: 'nowhere', server: { pid: 1, startMark: 'of nobody' } });
  const text = await status(project);
  expect(text).toContain(
    `Another embedded Temporal server runs for ${other} (127.0.0.1:7999, process ${otherState.server.pid}). To end it: crux down --home ${other}`,
  );
  expect(text).toContain(`(process ${goneState.server.pid}) still runs for ${gone}, which is gone.`);
  expect(text).toContain('To end all that nobody uses: crux down --all');
  const { otherServers } = await project.json<{ otherServers: object[] }>('status');
  expect(otherServers).toHaveLength(2);
  expect(otherServers).toEqual(
    expect.arrayContaining([
      { home: other, process: otherState.server.pid, address: '127.0.0.1:7999', isHomeGone: false },
      { home: gone, process: goneState.server.pid, address: '127.0.0.1:7999', isHomeGone: true },
    ]),
  );
});

test('status loads nothing of Temporal', async () => {
  const project = await projectWithRun();
  const hooks = join(import.meta.dirname, '../../helpers/print-loaded-modules.mjs');
  const door = join(import.meta.dirname, '../../../bin/crux.js');
  const child = spawn(process.execPath, ['--import', hooks, door, 'status'], { cwd: project.folder });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  const [code] = await once(child, 'close');
  expect(code, told).toBe(0);
  expect(told).toContain('/src/temporal/server-view.ts');
  expect(told.split('\n').filter((line) => /node_modules\/(@temporalio|@grpc)\//.test(line))).toEqual([]);
});
