// Layer: real Temporal servers with their keepers, and users that are killed; each test in a home folder of its own, with a short time without users.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type EmbeddedServer,
  joinEmbeddedServer,
  lookUpEmbeddedServer,
  startEmbeddedServer,
  stopEmbeddedServer,
} from '../../src/temporal/embedded-server.ts';
import { countOpenWorkflows } from '../../src/temporal/open-workflows.ts';
import { isRunning } from '../../src/temporal/process-identity.ts';
import { readServerState, type ServerState } from '../../src/temporal/server-state.ts';
import { connectionTo } from '../helpers/connection.ts';
import { preferFreePorts } from '../helpers/free-ports.ts';

const idleMs = 1_000;

let home: string;
let said: string[];
let holders: ChildProcess[];
let servers: ServerState['server'][];

beforeEach(() => {
  vi.stubEnv('CRUX_SERVER_IDLE', String(idleMs / 1_000));
  home = join(mkdtempSync(join(tmpdir(), 'crux-keeper-')), 'home ?#%');
  said = [];
  holders = [];
  servers = [];
});

afterEach(async () => {
  for (const holder of holders) holder.kill('SIGKILL');
  await stopEmbeddedServer(home);
  // A test that failed may have left one whose home is gone.
  for (const server of servers) if (isRunning(server)) process.kill(server.pid, 'SIGKILL');
  await rm(join(home, '..'), { recursive: true, force: true });
});

/** A process that uses the server, and starts it if it has to. */
async function use(how: 'start' | 'visit' = 'start'): Promise<ChildProcess> {
  await preferFreePorts(home);
  const user = spawn(process.execPath, [join(import.meta.dirname, 'hold-server.ts'), home, how]);
  holders.push(user);
  user.stderr.on('data', (data) => said.push(String(data)));
  await once(createInterface({ input: user.stdout }), 'line');
  servers.push(stateNow().server);
  return user;
}

async function kill(user: ChildProcess): Promise<void> {
  user.kill('SIGKILL');
  await once(user, 'exit');
}

function stateNow(): ServerState {
  const state = readServerState(home);
  if (state === null) throw new Error(`There is no state:\n${said.join('')}`);
  return state;
}

async function start(): Promise<EmbeddedServer> {
  await preferFreePorts(home);
  return startEmbeddedServer({ home, report: (line) => said.push(line) });
}

const log = () => readFileSync(join(home, 'temporal-server.log'), 'utf8');

const ended = ({ server, keeper }: ServerState) =>
  expect.poll(() => [isRunning(server), isRunning(keeper!)]).toEqual([false, false]);

async function withClient<T>(body: (client: Client) => Promise<T>): Promise<T> {
  const connection = await connectionTo(stateNow().address);
  try {
    return await body(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

/** Starts a workflow, and waits until counts know it: they lag behind. */
async function open(): Promise<void> {
  await withClient((client) => client.workflow.start('nobody', { workflowId: 'open', taskQueue: 'crux-none' }));
  await expect.poll(() => countOpenWorkflows(stateNow().uiAddress)).toBe(1);
}

test('a server whose users were all killed ends by itself when no workflow is open, and says why', async () => {
  const users = [await use(), await use()];
  const state = stateNow();
  for (const user of users) await kill(user);
  await ended(state);
  expect(log()).toContain('keeper: the server ends: nobody uses it, and no workflow is open');
  expect(await lookUpEmbeddedServer(home)).toBeNull();
  expect(existsSync(join(home, 'temporal-server.json'))).toBe(false);
});

test('an open workflow keeps the server, and the keeper writes that down; without it the server ends', async () => {
  const user = await use();
  const state = stateNow();
  await open();
  await kill(user);
  await expect.poll(() => stateNow().openWorkflows).toBe(1);
  expect(stateNow().unusedSince).toBeGreaterThan(0);
  expect(isRunning(state.server)).toBe(true);
  await withClient((client) => client.workflow.getHandle('open').terminate());
  await ended(state);
});

test('whoever comes back to a kept server joins it, and it counts as used again', async () => {
  const user = await use();
  await open();
  await kill(user);
  await expect.poll(() => stateNow().openWorkflows).toBe(1);
  const { server } = stateNow();
  await use();
  expect(stateNow()).toMatchObject({ server, unusedSince: null, openWorkflows: null, users: [{ command: null }] });
});

test.each(['start', 'visit'] as const)('a living user (%s) keeps the server after another was killed', async (how) => {
  const first = await use();
  const second = await use(how);
  const state = stateNow();
  await kill(first);
  // Long enough for the server to end if only the killed one had counted.
  await sleep(3 * idleMs);
  expect(stateNow()).toMatchObject({ server: state.server, unusedSince: null });
  await kill(second);
  await ended(state);
});

test('a visitor leaves the server running when it goes, and the keeper ends it', async () => {
  const first = await use();
  const visitor = await joinEmbeddedServer({ home, report: () => {}, command: 'crux resume a' }, 'visit');
  expect(stateNow().users.map(({ command }) => command)).toEqual([null, 'crux resume a']);
  const state = stateNow();
  await kill(first);
  await visitor!.stop();
  expect(isRunning(state.server)).toBe(true);
  await ended(state);
});

test('who joins to hold it ends it when it goes as the last', async () => {
  const first = await use();
  const worker = await joinEmbeddedServer({ home, report: () => {} }, 'hold');
  const state = stateNow();
  await kill(first);
  await worker!.stop();
  expect([isRunning(state.server), isRunning(state.keeper!)]).toEqual([false, false]);
});

test('nobody joins a server that is not there', async () => {
  expect(await joinEmbeddedServer({ home, report: () => {} }, 'visit')).toBeNull();
  expect(existsSync(home)).toBe(false);
});

test('a server whose home is deleted ends, whatever is open there and whoever uses it, and its user is told', async () => {
  const server = await start();
  const state = stateNow();
  servers.push(state.server);
  await open();
  await rm(home, { recursive: true, maxRetries: 5 });
  await ended(state);
  await expect.poll(() => said.join('\n')).toContain(`The Temporal server of ${home} was ended for all that use it`);
  await server.stop();
  expect(existsSync(home)).toBe(false);
});

test('a home that is deleted and made anew gets a server of its own, and the former one ends', async () => {
  await kill(await use());
  const former = stateNow();
  await rm(home, { recursive: true, maxRetries: 5 });
  await use();
  await ended(former);
  expect(await lookUpEmbeddedServer(home)).toMatchObject({ pid: stateNow().server.pid });
});

test('a start at the moment at which the server ends waits for it, and gets a new one with the same data', async () => {
  const user = await use();
  const former = stateNow();
  await withClient((client) =>
    client.workflow
      .start('nobody', { workflowId: 'closed', taskQueue: 'crux-none' })
      .then((handle) => handle.terminate()),
  );
  await kill(user);
  await vi.waitFor(() => expect(log()).toContain('the server ends'), { timeout: 120_000, interval: 2 });
  const server = await start();
  expect(server).toMatchObject({ started: true });
  expect(server.pid).not.toBe(former.server.pid);
  expect(isRunning(former.server)).toBe(false);
  const description = await withClient((client) => client.workflow.getHandle('closed').describe());
  expect(description.status.name).toBe('TERMINATED');
});

test('a keeper that was killed is replaced by the next who joins', async () => {
  await use();
  const { keeper } = stateNow();
  process.kill(keeper!.pid, 'SIGKILL');
  await expect.poll(() => isRunning(keeper!)).toBe(false);
  await use();
  expect(isRunning(stateNow().keeper!)).toBe(true);
});

test('a server that is killed takes its keeper along, and the one that is started again has its own', async () => {
  await use();
  const former = stateNow();
  process.kill(former.server.pid, 'SIGKILL');
  await expect.poll(() => stateNow().server.pid).not.toBe(former.server.pid);
  servers.push(stateNow().server);
  await ended(former);
  await expect.poll(() => stateNow().keeper).not.toBeNull();
  expect(isRunning(stateNow().keeper!)).toBe(true);
});

test('a state file of an earlier version is read, and its server gets a keeper from who joins it', async () => {
  await use();
  const { schemaVersion, address, uiAddress, ports, server, users, keeper } = stateNow();
  process.kill(keeper!.pid, 'SIGKILL');
  const earlier = users.map(({ id, process }) => ({ id, process }));
  writeFileSync(
    join(home, 'temporal-server.json'),
    JSON.stringify({ schemaVersion, address, uiAddress, ports, server, users: earlier }),
  );
  await use();
  expect(stateNow()).toMatchObject({ server, startedAt: null, idleMs });
  expect(isRunning(stateNow().keeper!)).toBe(true);
});

test.runIf(process.platform === 'linux')('the keeper sees none of the keys in the environment', async () => {
  vi.stubEnv('OPENAI_API_KEY', 'sk-secret');
  await start();
  expect(readFileSync(`/proc/${stateNow().keeper!.pid}/environ`, 'utf8')).not.toContain('secret');
});

test('a time that makes no sense is refused, and no server starts', async () => {
  vi.stubEnv('CRUX_SERVER_IDLE', 'soon');
  await expect(start()).rejects.toMatchObject({ kind: 'User.Config' });
  expect(await lookUpEmbeddedServer(home)).toBeNull();
});
