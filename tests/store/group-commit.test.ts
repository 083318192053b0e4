// Unit: writes of one turn of the event loop on a real SQLite file.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FairTurns } from '../../src/store/fair-turns.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';

let folder: string;
let sqlite: DatabaseSync;
let attempts: number;
let writes: GroupCommit;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crux-group-commit-'));
  sqlite = new DatabaseSync(join(folder, 'test.db'));
  sqlite.exec('CREATE TABLE numbers (number INTEGER PRIMARY KEY)');
  attempts = 0;
  writes = new GroupCommit(
    sqlite,
    new FairTurns(),
    async (work) => {
      attempts++;
      return work();
    },
    (error) => (error as Error).message === 'the disk is full',
  );
});

afterEach(async () => {
  sqlite.close();
  await rm(folder, { recursive: true });
});

const insert = (number: number) => () => sqlite.prepare('INSERT INTO numbers VALUES (?)').run(number).changes;

/** What another process would read. */
function stored(): number[] {
  const other = new DatabaseSync(join(folder, 'test.db'));
  const rows = other.prepare('SELECT number FROM numbers ORDER BY number').all() as { number: number }[];
  other.close();
  return rows.map(({ number }) => number);
}

it('commits what is asked for at once together, and tells each what it came to', async () => {
  expect(await Promise.all([writes.run(insert(1)), writes.run(insert(2)), writes.run(() => 'read')])).toEqual([
    1,
    1,
    'read',
  ]);
  expect(stored()).toEqual([1, 2]);
  expect(attempts).toBe(1);
});

it('takes back a transaction that fails as a whole, and none of the others', async () => {
  const failing = () => {
    insert(2)();
    return insert(1)();
  };
  const outcomes = await Promise.allSettled([writes.run(insert(1)), writes.run(failing), writes.run(insert(3))]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(stored()).toEqual([1, 3]);
});

it('writes nothing of a group when the store cannot be written, and tells all of them why', async () => {
  const full = () => {
    throw new Error('the disk is full');
  };
  const outcomes = await Promise.allSettled([writes.run(insert(1)), writes.run(full), writes.run(insert(2))]);
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && String(outcome.reason))).toEqual(
    Array.from({ length: 3 }, () => 'Error: the disk is full'),
  );
  expect(stored()).toEqual([]);
  await writes.run(insert(3));
  expect(stored()).toEqual([3]);
});

it('is over only when it is committed', async () => {
  const seen: number[][] = [];
  await Promise.all([1, 2].map((number) => writes.run(insert(number)).then(() => seen.push(stored()))));
  expect(seen).toEqual([
    [1, 2],
    [1, 2],
  ]);
});
