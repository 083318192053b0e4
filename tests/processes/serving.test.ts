// Layer: servers that are started with a folder of weights: real processes with their keepers, a real store, in a home folder of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ServedModel } from '../../src/domain/improve/contract.ts';
import type { ImproveSettings } from '../../src/domain/improve/settings.ts';
import type { Store } from '../../src/store/store.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { identifyProcess, isRunning } from '../../src/temporal/process-identity.ts';
import { logFile, readOrder, readStatus, type Status, serverFolder } from '../../src/training/servers/order.ts';
import {
  releaseLeft,
  releaseSupervised,
  type Supervised,
  serveSupervised,
} from '../../src/training/servers/supervised.ts';
import { temporaryFolder, temporaryStore } from '../helpers/store.ts';
import { servingPlace } from '../training/serving-place.ts';
import { writeModel } from '../training/table-model.ts';

const programs = join(import.meta.dirname, '../training/servers');
const script = join(programs, 'table-server.ts');
const { signal } = new AbortController();
const times = { graceMs: 500, portMs: 2_000, listMs: 1_000 };

let home: string;
let store: Store;
let port: number;

beforeEach(async () => {
  home = join(temporaryFolder(), 'home ?#%');
  store = await temporaryStore();
  port = await freePort();
  onTestFinished(async () => {
    const status = readStatus(folder());
    await releaseSupervised(place(), { port }, times);
    // A test that failed may have left some.
    for (const own of [status?.keeper, status?.server]) if (own && isRunning(own)) process.kill(own.pid, 'SIGKILL');
  });
});

const folder = () => serverFolder(home, port);

const place = (improvement = 'better') => servingPlace(port, { home, store, improvement });

function server(fault?: string): Supervised {
  const start = [process.execPath, script, '{model}', '{name}', '{port}', ...(fault ? [fault] : [])];
  return { start, health: '/health', port: null, startSeconds: 60 };
}

function model(round: number): ServedModel {
  const weights = writeModel(
    join(temporaryFolder(), `round-${round}`),
    { change: round, seed: 'table' },
    'config.json',
  );
  return { ...weights, name: `crux-better-r${round}-${weights.hash.slice(0, 8)}` };
}

/** Process ids of the server of a model, in the order of its starts. */
function startsOf({ root }: ServedModel): number[] {
  const file = join(root, 'starts.txt');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
}
const serve = (wanted: ServedModel, given = server(), where = place()) =>
  serveSupervised(where, given, wanted, signal, times);
const listed = async () => (await place().endpoint.models(signal)).map(({ id }) => id);
const isHere = (pid: number) => identifyProcess(pid) !== null;

function statusNow(): Status {
  const status = readStatus(folder());
  if (status === null) throw new Error(`There is no status:\n${readFileSync(logFile(folder()), 'utf8')}`);
  return status;
}

const goneWithKeeper = ({ keeper, server: leader }: Status) =>
  expect.poll(() => [isRunning(keeper!), isRunning(leader!)]).toEqual([false, false]);

describe('a served model', () => {
  it('is listed under its name at the return, and is not started again however often it is served', async () => {
    const first = model(1);
    await serve(first);
    expect(await place().endpoint.models(signal)).toEqual([{ id: first.name, root: first.root, parent: null }]);
    await Promise.all([serve(first), serve(first)]);
    expect(startsOf(first)).toHaveLength(1);
  });

  it('takes the place of the one before, whose server ends first', async () => {
    const [first, second] = [model(1), model(2)];
    await serve(first);
    const before = statusNow();
    await serve(second);
    expect(await listed()).toEqual([second.name]);
    expect([isRunning(before.keeper!), isRunning(before.server!)]).toEqual([false, false]);
    // Back again, as after a round that was not promoted.
    await serve(first);
    expect(await listed()).toEqual([first.name]);
  });

  it('is swapped although the server before ignores SIGTERM', async () => {
    const [first, second] = [model(1), model(2)];
    await serve(first, server('ignores-term'));
    await serve(second);
    expect(await listed()).toEqual([second.name]);
  });

  it('comes back by itself when its server is killed', async () => {
    const first = model(1);
    await serve(first);
    process.kill(startsOf(first)[0]!, 'SIGKILL');
    await expect.poll(() => startsOf(first).length).toBe(2);
    await serve(first);
    expect(await listed()).toEqual([first.name]);
    expect(startsOf(first)).toHaveLength(2);
  });

  it('is kept by another keeper when keeper and server were killed, or the keeper alone', async () => {
    const first = model(1);
    await serve(first);
    const before = statusNow();
    process.kill(before.keeper!.pid, 'SIGKILL');
    process.kill(before.server!.pid, 'SIGKILL');
    await goneWithKeeper(before);
    await serve(first);
    process.kill(statusNow().keeper!.pid, 'SIGKILL');
    await expect.poll(() => isRunning(statusNow().keeper!)).toBe(false);
    await serve(first);
    expect(await listed()).toEqual([first.name]);
    expect(startsOf(first).filter(isHere)).toHaveLength(1);
  });

  it('outlives the process that served it, and the next one finds it', async () => {
    const first = model(1);
    const worker = spawn(process.execPath, [
      join(programs, 'serve-and-wait.ts'),
      home,
      JSON.stringify({ port, model: first, start: server().start }),
    ]);
    await nextLine(worker);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await serve(first);
    expect(startsOf(first)).toHaveLength(1);
  });

  it('is told the variables of its worker, without the keys of models and of Crux', async () => {
    vi.stubEnv('CRUX_STORE', 'postgres://crux:secret@db/crux');
    vi.stubEnv('TABLE_SERVER_TOKEN', 'hf_0123456789abcdef');
    const first = model(1);
    await serve(first);
    const told = readFileSync(join(first.root, 'environment.json'), 'utf8');
    expect(JSON.parse(told)).toMatchObject({ PATH: process.env.PATH, TABLE_SERVER_TOKEN: 'hf_0123456789abcdef' });
    expect(told).not.toContain('CRUX_STORE');
  });
});

describe('the end', () => {
  it('of the improvement ends server and keeper; that of another one does not', async () => {
    await serve(model(1));
    const status = statusNow();
    await releaseSupervised(place('another'), { port }, times);
    expect(isRunning(status.server!)).toBe(true);
    await releaseSupervised(place(), { port }, times);
    expect([isRunning(status.keeper!), isRunning(status.server!)]).toEqual([false, false]);
    expect(readOrder(folder())).toBeNull();
    // Once more does nothing.
    await releaseSupervised(place(), { port }, times);
  });

  it('comes later if nobody could end it with its improvement, and never before that is over', async () => {
    await store.improvements.create('better', {} as ImproveSettings);
    await serve(model(1));
    const status = statusNow();
    await releaseLeft(place(), signal, times);
    expect([isRunning(status.keeper!), isRunning(status.server!)]).toEqual([true, true]);
    await releaseLeft({ ...place(), store: await temporaryStore() }, signal, times);
    expect(isRunning(status.keeper!)).toBe(true);
    await store.improvements.finish('better', 'failed', null);
    await releaseLeft(place(), signal, times);
    expect([isRunning(status.keeper!), isRunning(status.server!)]).toEqual([false, false]);
    // Nothing is left, and nothing is looked for.
    await releaseLeft(place(), signal, times);
  });

  it('comes when the home folder is gone, and nothing makes the folder again', async () => {
    await serve(model(1));
    const status = statusNow();
    rmSync(home, { recursive: true });
    await goneWithKeeper(status);
    expect(existsSync(home)).toBe(false);
  });
});

describe('a server that is not well', () => {
  it('dies at once: the reason and its last lines are said without secrets, and it is not started for ever', async () => {
    vi.stubEnv('TABLE_SERVER_TOKEN', 'hf_0123456789abcdef');
    const first = model(1);
    const error = await serve(first, server('dies')).catch((fault) => fault);
    expect(error).toMatchObject({
      kind: 'Serve.Failed',
      message: expect.stringMatching(/ended 3 times.*exit code 7.*Cannot load/s),
    });
    expect(error.message).toContain(logFile(folder()));
    expect(error.message).not.toContain('hf_0123456789abcdef');
    expect(readOrder(folder())).toBeNull();
    expect(startsOf(first).filter(isHere)).toEqual([]);
    // Mended, it is served.
    await serve(first);
    expect(await listed()).toEqual([first.name]);
  });

  it('is a program that there is not', async () => {
    const given = { ...server(), start: ['/no/such/program', '{model}'] };
    await expect(serve(model(1), given)).rejects.toMatchObject({
      kind: 'Serve.Failed',
      message: expect.stringMatching(/cannot be started.*ENOENT/),
    });
  });

  it('never answers that it is well: the deadline ends it', async () => {
    const first = model(1);
    await expect(serve(first, { ...server('never-well'), startSeconds: 1 })).rejects.toMatchObject({
      kind: 'Serve.Failed',
      message: expect.stringMatching(/did not answer at \/health within 1 s: .*\. It printed/s),
    });
    expect(startsOf(first).filter(isHere)).toEqual([]);
  });

  it('lists another model than it was given', async () => {
    const first = model(1);
    await expect(serve(first, server('another-name'))).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining(`does not list "${first.name}"; it lists "gpt"`),
    });
    expect(startsOf(first).filter(isHere)).toEqual([]);
  });

  it('has no weights to serve: nothing is started, and the server before stays', async () => {
    const [first, second] = [model(1), model(2)];
    await serve(first);
    rmSync(second.root, { recursive: true });
    await expect(serve(second)).rejects.toMatchObject({
      kind: 'Serve.Failed',
      message: expect.stringContaining(second.root),
    });
    expect(await listed()).toEqual([first.name]);
  });
});

describe('a port', () => {
  it('that is taken is an error that says by whom, and whoever has it keeps it', async () => {
    const other = createServer((_, response) => response.end('mine'));
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const first = model(1);
    const by = process.platform === 'linux' ? `process ${process.pid}` : 'taken by';
    await expect(serve(first)).rejects.toMatchObject({
      kind: 'Serve.PortTaken',
      message: expect.stringContaining(by),
      remedy: expect.stringContaining('another port'),
    });
    expect(existsSync(join(first.root, 'starts.txt'))).toBe(false);
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('mine');
    expect((other.address() as AddressInfo).port).toBe(port);
  });

  it('of another improvement is taken while that is not over', async () => {
    await store.improvements.create('better', {} as ImproveSettings);
    const [first, second] = [model(1), model(2)];
    await serve(first);
    await expect(serve(second, server(), place('rival'))).rejects.toMatchObject({
      kind: 'Serve.PortTaken',
      message: expect.stringContaining('the improvement better'),
    });
    await store.improvements.finish('better', 'failed', null);
    await serve(second, server(), place('rival'));
    expect(await listed()).toEqual([second.name]);
    await releaseSupervised(place('rival'), { port }, times);
  });

  it('at which the endpoint does not ask is refused', async () => {
    await expect(serve(model(1), { ...server(), port: port + 1 })).rejects.toMatchObject({ kind: 'User.Config' });
  });
});

async function nextLine(child: ChildProcess): Promise<void> {
  child.stderr!.pipe(process.stderr);
  await once(createInterface({ input: child.stdout! }), 'line');
}
