// Layer: locks and identities between real processes.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endProcess, identifyProcess, isRunning } from '../../src/temporal/process-identity.ts';
import { withProcessLock } from '../../src/temporal/process-lock.ts';

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crux-lock-'));
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Another process that runs `script` and has printed something. */
async function startProcess(script: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

/** The timer keeps the body's promise, and so the lock: a promise that nothing refers to is collected as garbage, with all that waits for it. */
const holdLock = (file: string) => {
  const module = join(import.meta.dirname, '../../src/temporal/process-lock.ts');
  return startProcess(`
    import { withProcessLock } from ${JSON.stringify(module)};
    await withProcessLock(${JSON.stringify(file)}, {}, () => { console.log('held'); return new Promise((resolve) => setTimeout(resolve, 3_600_000)); });
  `);
};

test('bodies under one lock never overlap, and each runs', async () => {
  let inside = 0;
  const bodies = Array.from({ length: 5 }, (_, index) =>
    withProcessLock(join(folder, 'lock'), {}, async () => {
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
      return index;
    }),
  );
  expect(await Promise.all(bodies)).toEqual([0, 1, 2, 3, 4]);
});

test('a lock is free again when its body throws', async () => {
  const file = join(folder, 'lock');
  await expect(withProcessLock(file, {}, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await withProcessLock(file, {}, async () => 'free')).toBe('free');
});

test('a lock of another process is waited for, and is free at once when that process is killed', async () => {
  const file = join(folder, 'lock');
  const holder = await holdLock(file);
  let waits = 0;
  let isFree = false;
  const body = withProcessLock(file, { onWait: () => waits++ }, async () => {
    isFree = true;
  });
  await expect.poll(() => waits).toBe(1);
  expect(isFree).toBe(false);
  holder.kill('SIGKILL');
  await body;
  expect(waits).toBe(1);
});

test('waiting for a lock can be given up', async () => {
  const file = join(folder, 'lock');
  await holdLock(file);
  const controller = new AbortController();
  const body = withProcessLock(
    file,
    { signal: controller.signal, onWait: () => controller.abort() },
    async () => 'never',
  );
  await expect(body).rejects.toMatchObject({ name: 'AbortError' });
});

test('a process keeps its identity while it runs, and another start mark is another process', async () => {
  const child = await startProcess(`console.log('up'); setInterval(() => {}, 1000);`);
  const identity = identifyProcess(child.pid as number);
  expect(identity).toEqual(identifyProcess(child.pid as number));
  expect(identity).not.toBeNull();
  if (identity === null) return;
  expect(isRunning(identity)).toBe(true);
  expect(isRunning({ ...identity, startMark: 'earlier' })).toBe(false);
  expect(identity.startMark).not.toBe(identifyProcess(process.pid)?.startMark);
});

test('endProcess never touches a process with another start mark', async () => {
  const child = await startProcess(`console.log('up'); setInterval(() => {}, 1000);`);
  await endProcess({ pid: child.pid as number, startMark: 'earlier' }, 0);
  expect(identifyProcess(child.pid as number)).not.toBeNull();
});

test('endProcess lets a process end in order, and kills one that does not', async () => {
  const orderly = await startProcess(
    `process.on('SIGTERM', () => process.exit(0)); console.log('up'); setInterval(() => {}, 1000);`,
  );
  const stubborn = await startProcess(
    `process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000);`,
  );
  for (const child of [orderly, stubborn]) {
    const identity = identifyProcess(child.pid as number);
    if (identity === null) throw new Error('the test process is gone');
    await endProcess(identity, child === orderly ? 30_000 : 100);
    expect(isRunning(identity)).toBe(false);
  }
  await expect.poll(() => [orderly.exitCode, stubborn.signalCode]).toEqual([0, 'SIGKILL']);
});
