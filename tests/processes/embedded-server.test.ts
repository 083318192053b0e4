// Layer: kill-and-resume of real Temporal servers, each test in a home folder of its own.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type EmbeddedServer,
  lookUpEmbeddedServer,
  startEmbeddedServer,
  stopEmbeddedServer,
} from '../../src/temporal/embedded-server.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { identifyProcess, isRunning } from '../../src/temporal/process-identity.ts';
import { connectionTo } from '../helpers/connection.ts';
import { preferFreePorts } from '../helpers/free-ports.ts';

let home: string;
let said: string[];
let holders: ChildProcessWithoutNullStreams[];

beforeEach(() => {
  // A folder name that would break a database address or a shell.
  home = join(mkdtempSync(join(tmpdir(), 'crux-embedded-')), 'home ?#%');
  said = [];
  holders = [];
});

afterEach(async () => {
  for (const holder of holders) holder.kill('SIGKILL');
  await stopEmbeddedServer(home);
  await rm(join(home, '..'), { recursive: true, force: true });
});

function start(ports?: { server?: number; ui?: number }): Promise<EmbeddedServer> {
  // A server that a test leaves to its end still speaks in the next one.
  const own = said;
  return startEmbeddedServer({ home, report: (line) => own.push(line), ports });
}

/** A process that holds the server; the usual ports, of which another test or a user may have some. */
async function hold(): Promise<{
  holder: ChildProcessWithoutNullStreams;
  address: string;
  pid: number;
  started: boolean;
}> {
  const holder = spawn(process.execPath, [join(import.meta.dirname, 'hold-server.ts'), home]);
  holders.push(holder);
  holder.stderr.on('data', (data) => said.push(String(data)));
  const [line] = (await once(createInterface({ input: holder.stdout }), 'line')) as [string];
  return { holder, ...JSON.parse(line) };
}

async function withClient<T>(address: string, body: (client: Client) => Promise<T>): Promise<T> {
  const connection = await connectionTo(address);
  try {
    return await body(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

const runs = (pid: number): boolean => identifyProcess(pid) !== null;

test('a second start joins the running server, and the last user stops it', async () => {
  const first = await start();
  const second = await start();
  expect(first.started).toBe(true);
  expect(second).toMatchObject({ started: false, pid: first.pid, address: first.address, uiAddress: first.uiAddress });
  await first.stop();
  expect(await lookUpEmbeddedServer(home)).toMatchObject({ pid: first.pid });
  await first.stop();
  expect(runs(first.pid)).toBe(true);
  await second.stop();
  expect(runs(first.pid)).toBe(false);
  expect(await lookUpEmbeddedServer(home)).toBeNull();
});

test('the data of the server are for its user only, also those of an earlier version', async () => {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'temporal-server.log'), 'earlier', { mode: 0o644 });
  const server = await start();
  const modes = Object.fromEntries(
    readdirSync(home)
      .filter((name) => /^temporal\.db|\.log$/.test(name))
      .map((name) => [name, (statSync(join(home, name)).mode & 0o777).toString(8)]),
  );
  expect(modes).toEqual({
    'temporal.db': '600',
    'temporal.db-wal': '600',
    'temporal.db-shm': '600',
    'temporal-server.log': '600',
  });
  await server.stop();
});

test('a start that is broken off leaves no server', async () => {
  const controller = new AbortController();
  const starting = startEmbeddedServer({ home, report: () => {}, signal: controller.signal });
  const deadline = Date.now() + 120_000;
  while (!existsSync(join(home, 'temporal-server.json')) && Date.now() < deadline) await sleep(5);
  const { server } = JSON.parse(readFileSync(join(home, 'temporal-server.json'), 'utf8'));
  controller.abort();
  await expect(starting).rejects.toMatchObject({ name: 'AbortError' });
  expect(isRunning(server)).toBe(false);
  expect(existsSync(join(home, 'temporal-server.json'))).toBe(false);
});

test('the Temporal UI answers', async () => {
  const server = await start();
  const answer = await fetch(server.uiAddress);
  expect(answer.status).toBe(200);
});

test('processes that start at once end with one server', async () => {
  const all = await Promise.all([hold(), hold(), hold()]);
  expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
  expect(all.filter(({ started }) => started)).toHaveLength(1);
  for (const { holder } of all) holder.stdin.end();
  await Promise.all(all.map(({ holder }) => once(holder, 'exit')));
  expect(runs((all[0] as { pid: number }).pid)).toBe(false);
});

test('a server killed with -9 starts again on the same data and address', async () => {
  await preferFreePorts(home);
  const first = await start();
  await withClient(first.address, (client) =>
    client.workflow.start('nobody', { workflowId: 'kept', taskQueue: 'none' }),
  );
  process.kill(first.pid, 'SIGKILL');
  const second = await start();
  // By this call, or by the watch of the first one: whoever notices first.
  expect(second).toMatchObject({ address: first.address, uiAddress: first.uiAddress });
  expect(second.pid).not.toBe(first.pid);
  const description = await withClient(second.address, (client) => client.workflow.getHandle('kept').describe());
  expect(description.status.name).toBe('RUNNING');
});

test('whoever holds the server starts it again when it is killed', async () => {
  await preferFreePorts(home);
  const server = await start();
  process.kill(server.pid, 'SIGKILL');
  const again = await vi.waitFor(
    async () => {
      const found = await lookUpEmbeddedServer(home);
      if (found === null || found.pid === server.pid) throw new Error('not started again');
      return found;
    },
    { timeout: 120_000, interval: 200 },
  );
  expect(again.address).toBe(server.address);
  await server.stop();
  expect(runs(again.pid)).toBe(false);
});

test('who looks for a server that is being started again finds it', async () => {
  await preferFreePorts(home);
  const server = await start();
  const gone = expect.poll(() => runs(server.pid)).toBe(false);
  process.kill(server.pid, 'SIGKILL');
  await gone;
  expect(await lookUpEmbeddedServer(home)).toMatchObject({ address: server.address });
});

test('a server that was stopped for all is not started again by those who held it', async () => {
  const server = await start();
  expect(await stopEmbeddedServer(home)).toMatchObject({ pid: server.pid, isEnded: true });
  expect(await stopEmbeddedServer(home)).toBeNull();
  // Twice the time between two looks, with a sign of life from the event loop that looks.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(await lookUpEmbeddedServer(home)).toBeNull();
  await server.stop();
});

test('a log that has grown large is put aside, and an error still shows the lines of its start', async () => {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'temporal-server.log'), 'x'.repeat(10_000_001));
  writeFileSync(
    join(home, 'temporal.db'),
    'this is not a database, and long enough to be looked at as one'.repeat(100),
  );
  await expect(start()).rejects.toThrow(/not a database/);
  expect(readFileSync(join(home, 'temporal-server.log.previous')).length).toBe(10_000_001);
});

test('the server outlives a user killed with -9, and the next one joins and can end it', async () => {
  const { holder, pid } = await hold();
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const next = await start();
  expect(next).toMatchObject({ started: false, pid });
  await next.stop();
  expect(runs(pid)).toBe(false);
});

const onLinux = test.runIf(process.platform === 'linux');

onLinux('the server is in a process group of its own, which Ctrl-C in the terminal does not reach', async () => {
  const server = await start();
  const groupOf = (pid: number) => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[2]);
  expect(groupOf(server.pid)).toBe(server.pid);
  expect(groupOf(process.pid)).not.toBe(server.pid);
});

test('a stale state file with a process id that somebody else has now is ignored', async () => {
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(bystander, 'spawn');
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const state = {
    schemaVersion: 1,
    address: `127.0.0.1:${port}`,
    uiAddress: 'http://127.0.0.1:1',
    ports: { server: port, ui: await freePort() },
    server: { pid: bystander.pid, startMark: 'of another process' },
    users: [],
  };
  writeFileSync(join(home, 'temporal-server.json'), JSON.stringify(state));
  expect(await lookUpEmbeddedServer(home)).toBeNull();
  const server = await start();
  expect(server.started).toBe(true);
  expect(runs(bystander.pid as number)).toBe(true);
  bystander.kill('SIGKILL');
});

test.each(['', '{"schemaVersion": 1, "addr', '{"schemaVersion": 99}'])(
  'an unreadable state file %j is as good as none',
  async (text) => {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'temporal-server.json'), text);
    expect(await lookUpEmbeddedServer(home)).toBeNull();
    expect((await start()).started).toBe(true);
  },
);

test('a start that is given up leaves no server', async () => {
  const controller = new AbortController();
  const starting = startEmbeddedServer({ home, report: () => {}, signal: controller.signal });
  await vi.waitFor(() => readFileSync(join(home, 'temporal-server.json')), { timeout: 120_000, interval: 1 });
  const { server } = JSON.parse(readFileSync(join(home, 'temporal-server.json'), 'utf8'));
  controller.abort();
  await expect(starting).rejects.toMatchObject({ name: 'AbortError' });
  expect(runs(server.pid)).toBe(false);
  expect(await lookUpEmbeddedServer(home)).toBeNull();
});

test('a server that hangs is replaced', async () => {
  const first = await start();
  process.kill(first.pid, 'SIGSTOP');
  const second = await start();
  // By this call, or by the watch of the first one: whoever notices first.
  expect(second.pid).not.toBe(first.pid);
  expect(runs(first.pid)).toBe(false);
});

test('a preferred port that is taken is replaced, and said', async () => {
  const first = await start();
  await first.stop();
  const port = Number(first.address.split(':')[1]);
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  try {
    const second = await start();
    expect(second.address).not.toBe(first.address);
    expect(await lookUpEmbeddedServer(home)).toMatchObject({ address: second.address });
    expect(said.join('\n')).toContain(`instead`);
  } finally {
    other.close();
  }
});

test('a port that the user named and that is taken is an error', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await expect(start({ server: port })).rejects.toMatchObject({
    kind: 'User.Config',
    message: expect.stringContaining(String(port)),
  });
  other.close();
  expect(await lookUpEmbeddedServer(home)).toBeNull();
});

test('named ports are used', async () => {
  const ports = { server: await freePort(), ui: await freePort() };
  const server = await start(ports);
  expect(server).toMatchObject({ address: `127.0.0.1:${ports.server}`, uiAddress: `http://127.0.0.1:${ports.ui}` });
});

test('a server that dies at its start is reported with the last lines of its log', async () => {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'temporal-server.log'), 'a line of an earlier start\n');
  writeFileSync(
    join(home, 'temporal.db'),
    'this is not a database, and long enough to be looked at as one'.repeat(100),
  );
  const error = await start().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ kind: 'Temporal.Unavailable', remedy: expect.stringContaining('temporal-server.log') });
  expect(String(error)).toMatch(/not a database/);
  expect(String(error)).not.toContain('earlier start');
});

test('a server that could not be started again stays known to those who use it, and is started when it can be', async () => {
  await preferFreePorts(home);
  const server = await start();
  const statePath = join(home, 'temporal-server.json');
  const database = join(home, 'temporal.db');
  const files = readdirSync(home).filter((name) => name.startsWith('temporal.db'));
  const { users } = JSON.parse(readFileSync(statePath, 'utf8'));
  for (const file of files) renameSync(join(home, file), join(home, `good-${file}`));
  writeFileSync(database, 'this is not a database, and long enough to be looked at as one'.repeat(100));
  process.kill(server.pid, 'SIGKILL');
  await expect.poll(() => said.join('\n')).toMatch(/could not be started; it is tried again in 10 s: .*/);
  expect(JSON.parse(readFileSync(statePath, 'utf8'))).toMatchObject({ users });
  for (const file of files) renameSync(join(home, `good-${file}`), join(home, file));
  await expect.poll(() => lookUpEmbeddedServer(home)).toMatchObject({ address: server.address });
  expect(said.join('\n')).not.toContain('was ended for all');
  await server.stop();
});

onLinux('the server sees none of the keys in the environment', async () => {
  vi.stubEnv('OPENAI_API_KEY', 'sk-secret');
  vi.stubEnv('TEMPORAL_API_KEY', 'secret');
  const server = await start();
  const environment = readFileSync(`/proc/${server.pid}/environ`, 'utf8');
  expect(environment).toContain('PATH=');
  expect(environment).not.toContain('secret');
});

test('homes that start at the same moment, with the same ports in mind, get a server each', async () => {
  const ports = { server: await freePort(), ui: await freePort() };
  const other = join(home, '..', 'other');
  for (const folder of [home, other]) {
    mkdirSync(folder, { recursive: true });
    // What is left of a server that was killed: its ports are taken again.
    const address = `127.0.0.1:${ports.server}`;
    const server = { pid: process.pid, startMark: 'of another process' };
    const state = { schemaVersion: 1, address, uiAddress: `http://127.0.0.1:${ports.ui}`, ports, server, users: [] };
    writeFileSync(join(folder, 'temporal-server.json'), JSON.stringify(state));
  }
  try {
    const [one, two] = await Promise.all([start(), startEmbeddedServer({ home: other, report: () => {} })]);
    expect(one.address).not.toBe(two.address);
    expect([one, two].map(({ pid }) => runs(pid))).toEqual([true, true]);
    await Promise.all([one.stop(), two.stop()]);
  } finally {
    await stopEmbeddedServer(other);
  }
});
