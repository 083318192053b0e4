// Layer: SQLite files as users and machines treat them: several processes, kills, damage, full disks.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore, type Store } from '../../src/store/store.ts';
import { answer, temporaryFolder } from '../helpers/store.ts';

/** SQLite's own default. */
const pageBytes = 4_096;
const processes = join(import.meta.dirname, 'processes');

function start(script: string, ...parameters: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(processes, script), ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Path of a new store with some content, closed. */
async function usedStore(): Promise<string> {
  const path = join(temporaryFolder(), 'crux.db');
  const store = await openStore(path);
  for (let number = 0; number < 50; number++) {
    await store.journal.write(
      'run-1',
      answer({ key: `key-${number}`, message: { role: 'assistant', content: 'word '.repeat(500) } }),
    );
  }
  await store.close();
  return path;
}

const bytesOf = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, hash('sha256', readFileSync(join(folder, name)))]));

/** Opens a store that must be refused, and shows that nothing in its folder was changed. */
async function refusal(path: string): Promise<{ kind: string; message: string; remedy: string }> {
  const folder = join(path, '..');
  const before = bytesOf(folder);
  const error = await openStore(path).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'CruxError', remedy: expect.any(String) });
  expect(bytesOf(folder)).toEqual(before);
  return error as { kind: string; message: string; remedy: string };
}

/** Copies the answer of `key-1` in the database itself: quicker than as many writes. */
async function repeatAnswers(store: Store, count: number): Promise<void> {
  await sql`
    INSERT INTO answers
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
    SELECT run_id, 'copy-' || n, node_id, role, purpose, stream, sample, ask, model, seed, message, finish_reason, prompt_tokens,
           completion_tokens, cost_micro_usd, latency_ms, reused, created_at, task_id, step_id, throttled_ms, logprob, reasoning,
           served_model, call_ids, sent, queued_ms, asked_in, asked_for
    FROM answers CROSS JOIN numbers WHERE key = 'key-1'`.execute(store.database.kysely);
}

/** Shortest of five times. */
async function quickestMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return Math.min(...times);
}

it('knows what a run spent, before each of its calls, without reading its answers', async () => {
  const store = await openStore(await usedStore());
  onTestFinished(() => store.close());
  await repeatAnswers(store, 20_000);
  expect((await store.reservations.use({ runId: 'run-1', taskId: '', stepId: null }, 'run')).calls).toBe(20_050);
  const allMs = await quickestMs(() => sql`SELECT sum(length(message)) FROM answers`.execute(store.database.kysely));
  expect(
    await quickestMs(() => store.reservations.use({ runId: 'run-1', taskId: '', stepId: null }, 'run')),
  ).toBeLessThan(allMs / 4);
});

it('looks up what belongs to one state, stream or trajectory without reading the rest of the run', async () => {
  const store = await openStore(await usedStore());
  onTestFinished(() => store.close());
  await repeatAnswers(store, 20_000);
  const lookups = [
    () => store.journal.inState('run-1', 'another state', ['explore']),
    () => store.journal.inStream('run-1', 'explore', 'another stream'),
  ];
  const allMs = await quickestMs(() => sql`SELECT sum(length(message)) FROM answers`.execute(store.database.kysely));
  for (const lookup of lookups) expect(await quickestMs(lookup)).toBeLessThan(allMs / 4);
});

describe('a timer comes through', () => {
  /** Whether a timer rings while `loops` do their work at the same time, again and again, for far longer than the timer takes. */
  async function rings(
    loops: number,
    work: (store: Store, loop: number, turn: number) => Promise<unknown>,
  ): Promise<boolean> {
    const store = await openStore(await usedStore());
    onTestFinished(() => store.close());
    let hasRung = false;
    const timer = setTimeout(() => {
      hasRung = true;
    }, 200);
    await Promise.all(
      Array.from({ length: loops }, async (_, loop) => {
        for (let turn = 0; !hasRung && turn < 50_000 / loops; turn++) await work(store, loop, turn);
      }),
    );
    clearTimeout(timer);
    return hasRung;
  }

  it('while somebody reads in a long loop', async () => {
    expect(await rings(1, ({ journal }) => journal.read(['run-1'], 'key-7'))).toBe(true);
  });

  it('while many read at once', async () => {
    expect(await rings(100, ({ journal }) => journal.read(['run-1'], 'key-7'))).toBe(true);
  });

  it('while many write at once', async () => {
    const write = ({ journal }: Store, loop: number, turn: number) =>
      journal.write('run-1', answer({ key: `key-${loop}-${turn}` }));
    expect(await rings(20, write)).toBe(true);
  });
});

describe('several processes on one file', () => {
  it('lose nothing, are never told that the file is busy, and keep their event loops running', async () => {
    const path = join(temporaryFolder(), 'crux.db');
    const count = 150;
    const children = ['a', 'b', 'c', 'd'].map((name) => ({
      name,
      child: start('writer.ts', path, name, String(count)),
    }));
    const lines = children.map(({ child }) => createInterface({ input: child.stdout! })[Symbol.asyncIterator]());
    // All four open the store at once, and the first makes its tables.
    for (const line of lines) expect((await line.next()).value).toBe('ready');
    for (const { child } of children) child.stdin!.write('go\n');
    const reports = await Promise.all(lines.map(async (line) => JSON.parse((await line.next()).value as string)));

    const store = await openStore(path);
    onTestFinished(() => store.close());
    for (const { name } of children) {
      for (let step = 1; step <= count; step++)
        expect(await store.journal.read(['run-1'], `${name}-${step}`)).not.toBeNull();
    }
    expect((await store.reservations.use({ runId: 'run-1', taskId: '', stepId: null }, 'run')).calls).toBe(
      (children.length + 1) * count,
    );
    expect(await store.journal.countFaults('run-1', ['shared'])).toBe(children.length * count);
    for (const { leaf } of reports) expect((await store.tree.path(leaf)).length).toBe(count + 1);
    // The engine itself waits for the others only as long as nobody notices; timers come through all the while.
    for (const { busyTimeoutMs } of reports) expect(busyTimeoutMs).toBeLessThanOrEqual(20);
    for (const { beats } of reports) expect(beats).toBeGreaterThan(10);
  });

  it('have everything that was acknowledged when one of them is killed in the middle of writing', async () => {
    const path = join(temporaryFolder(), 'crux.db');
    for (const acknowledged of [20, 60]) {
      const child = start('endless-writer.ts', path);
      const keys: string[] = [];
      for await (const key of createInterface({ input: child.stdout! })) {
        if (keys.push(key) === acknowledged) child.kill('SIGKILL');
      }
      const store = await openStore(path);
      for (const key of keys) expect(await store.journal.read(['run-1'], key)).not.toBeNull();
      const { rows } = await sql<{ integrity_check: string }>`PRAGMA integrity_check`.execute(store.database.kysely);
      expect(rows).toEqual([{ integrity_check: 'ok' }]);
      await store.close();
    }
  });

  it('wait for one that holds the lock for a while, without blocking', async () => {
    const path = await usedStore();
    const store = await openStore(path);
    const holder = new DatabaseSync(path);
    onTestFinished(() => store.close());
    onTestFinished(() => holder.close());
    holder.exec('BEGIN IMMEDIATE');
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 10);
    const written = store.journal.write('run-1', answer({ key: 'late' }));
    await new Promise((resolve) => setTimeout(resolve, 400));
    holder.exec('COMMIT');
    await written;
    clearInterval(ticking);
    // Without a pause between its attempts the store would have left no time to any timer.
    expect(ticks).toBeGreaterThan(8);
    expect(await store.journal.read(['run-1'], 'late')).not.toBeNull();
  });
});

describe('a file', () => {
  it('is readable by its owner only', async () => {
    expect(statSync(await usedStore()).mode & 0o077).toBe(0);
  });

  it('keeps its id, and another file has another one', async () => {
    const path = await usedStore();
    const idOf = async (location: string) => {
      const store = await openStore(location);
      await store.close();
      return store.id;
    };
    const id = await idOf(path);
    expect(await idOf(path)).toBe(id);
    expect(await idOf(await usedStore())).not.toBe(id);
  });

  it('of a newer Crux is refused and left as it is', async () => {
    const path = await usedStore();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 999');
    database.close();
    const { kind, message, remedy } = await refusal(path);
    expect(kind).toBe('Store.NewerSchema');
    expect(message).toContain('999');
    expect(remedy).toMatch(/newer Crux/);
  });

  it('of another program is refused and left as it is', async () => {
    for (const version of [0, 1, 7]) {
      const path = join(temporaryFolder(), 'notes.db');
      const database = new DatabaseSync(path);
      database.exec(`CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine'); PRAGMA user_version = ${version}`);
      database.close();
      expect((await refusal(path)).kind).toBe('Store.Corrupt');
    }
  });

  it('that is no database is refused and left as it is', async () => {
    const path = join(temporaryFolder(), 'crux.db');
    writeFileSync(path, 'This is my diary, not a database. '.repeat(100));
    expect((await refusal(path)).kind).toBe('Store.Corrupt');
  });

  it.each([
    ['to half', (size: number) => Math.floor(size / 2)],
    ['within its first page', () => 1_000],
    ['within its header', () => 60],
  ])('that was cut %s is refused and left as it is', async (_where, length) => {
    const path = await usedStore();
    truncateSync(path, length(statSync(path).size));
    expect((await refusal(path)).kind).toBe('Store.Corrupt');
  });

  it('with an overwritten header is refused and left as it is', async () => {
    const path = await usedStore();
    const bytes = readFileSync(path);
    bytes.fill(0x7f, 0, pageBytes);
    writeFileSync(path, bytes);
    expect((await refusal(path)).kind).toBe('Store.Corrupt');
  });

  it('with a damaged page tells so when the page is read', async () => {
    const path = await usedStore();
    const database = new DatabaseSync(path);
    const { page } = database.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE name = 'answers'").get() as {
      page: number;
    };
    database.close();
    const bytes = readFileSync(path);
    bytes.fill(0x7f, (page - 1) * pageBytes, page * pageBytes);
    writeFileSync(path, bytes);
    const store = await openStore(path);
    onTestFinished(() => store.close());
    await expect(sql`SELECT count(message) FROM answers`.execute(store.database.kysely)).rejects.toMatchObject({
      kind: 'Store.Corrupt',
    });
  });

  it('in a folder that is a file is refused', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'home'), '');
    await expect(openStore(join(folder, 'home', 'crux.db'))).rejects.toMatchObject({
      kind: 'Store.Unavailable',
      message: expect.stringContaining('home'),
    });
  });

  it('that is a folder is refused', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'crux.db'));
    await expect(openStore(join(folder, 'crux.db'))).rejects.toMatchObject({ kind: 'Store.Unavailable' });
  });
});

/** Runs `open-store.ts` as a user without rights. */
async function openUnprivileged(path: string): Promise<{ kind: string; message: string; remedy: string }> {
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn(process.execPath, [join(processes, 'open-store.ts'), path], {
    ...user,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await text(child.stdout!)) as { kind: string; message: string; remedy: string };
}

describe('a user without the right to write', () => {
  it('gets no new store in a folder', async () => {
    const folder = join(temporaryFolder(), 'read-only');
    mkdirSync(folder);
    chmodSync(join(folder, '..'), 0o755);
    chmodSync(folder, 0o555);
    const { kind, message } = await openUnprivileged(join(folder, 'crux.db'));
    expect(kind).toBe('Store.Unavailable');
    expect(message).toContain(folder);
    expect((await openUnprivileged(join(folder, 'deeper', 'crux.db'))).kind).toBe('Store.Unavailable');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('cannot use a store that is there, and changes nothing', async () => {
    const path = await usedStore();
    const folder = join(path, '..');
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    const before = bytesOf(folder);
    expect((await openUnprivileged(path)).kind).toBe('Store.Unavailable');
    expect(bytesOf(folder)).toEqual(before);
    chmodSync(folder, 0o755);
  });
});

/** A file system of a few megabytes, or null with a message where this user may not mount one. */
function smallDisk(): string | null {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    console.warn('This user may not mount a file system: the tests of a full disk are skipped.');
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

describe('a full disk', () => {
  it('is told as such, loses nothing that was acknowledged, and is used again when there is space', async ({
    skip,
  }) => {
    const folder = smallDisk();
    if (folder === null) return skip('needs a file system of its own');
    const store = await openStore(join(folder, 'crux.db'));
    onTestFinished(() => store.close());
    const message = { role: 'assistant' as const, content: 'word '.repeat(5_000) };
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(700_000));
    const written: string[] = [];
    let fault: unknown;
    for (let number = 0; fault === undefined && number < 1_000; number++) {
      const key = `key-${number}`;
      fault = await store.journal.write('run-1', answer({ key, message })).then(
        () => void written.push(key),
        (error: unknown) => error,
      );
    }
    expect(fault).toMatchObject({ kind: 'Store.Full', message: expect.stringContaining('crux.db') });
    expect(written.length).toBeGreaterThan(5);
    truncateSync(join(folder, 'ballast'), 0);
    await store.journal.write('run-1', answer({ key: 'after', message }));
    for (const key of [...written, 'after'])
      expect((await store.journal.read(['run-1'], key))?.message).toEqual(message);
  });

  it('on which a store is opened is told as such, and leaves nothing half made', async ({ skip }) => {
    const folder = smallDisk();
    if (folder === null) return skip('needs a file system of its own');
    writeFileSync(join(folder, 'ballast'), '');
    expect(() => writeFileSync(join(folder, 'ballast'), Buffer.alloc(3_000_000))).toThrow('ENOSPC');
    await expect(openStore(join(folder, 'crux.db'))).rejects.toMatchObject({ kind: 'Store.Full' });
    truncateSync(join(folder, 'ballast'), 0);
    const store = await openStore(join(folder, 'crux.db'));
    await store.journal.write('run-1', answer());
    await store.close();
  });
});

describe('a store that may not be written', () => {
  /** What a process of a user says who may read the store, and not write it. */
  async function readBySomebodyElse(path: string) {
    chmodSync(path, 0o444);
    chmodSync(join(path, '..'), 0o555);
    onTestFinished(() => chmodSync(join(path, '..'), 0o755));
    // Nothing is forbidden to root.
    const nobody = process.getuid!() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const words = execFileSync(process.execPath, [join(processes, 'read-store.ts'), path], {
      ...nobody,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return JSON.parse(words) as { id: string; answers: number; written: string };
  }

  it('is read all the same, and a write says why it fails', async () => {
    const path = await usedStore();
    const { id, answers, written } = await readBySomebodyElse(path);
    expect(id).toMatch(/^[0-9a-f]{8}$/);
    expect(answers).toBe(50);
    expect(written).toMatch(/may be read and not written/);
  });

  it('is read with what its owner is writing now', async () => {
    const path = await usedStore();
    const owner = await openStore(path);
    onTestFinished(() => owner.close());
    await owner.journal.write('run-1', answer({ key: 'newest' }));
    for (const end of ['-wal', '-shm']) chmodSync(path + end, 0o444);
    expect((await readBySomebodyElse(path)).answers).toBe(51);
  });
});
