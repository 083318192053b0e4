// Layer: a Postgres server that goes away and comes back.
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openStore, type Store } from '../../src/store/store.ts';
import { type PostgresForTests, postgresPrograms, startPostgres } from '../helpers/postgres.ts';
import { answer } from '../helpers/store.ts';

const programs = postgresPrograms();

describe.skipIf(programs === null)('a Postgres store', () => {
  let server: PostgresForTests | undefined;
  beforeAll(async () => {
    server = await startPostgres(programs!);
  });
  afterAll(() => server?.stop());

  async function open(schema: string, url = server!.url): Promise<Store> {
    const store = await openStore(url, { schema });
    onTestFinished(() => store.close());
    return store;
  }

  it('is the same for several processes that make it at once', async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => open('together')));
    expect(new Set(stores.map(({ id }) => id)).size).toBe(1);
  });

  it('says that it is away, and goes on with everything that was acknowledged when it is back', async () => {
    const store = await open('outage');
    await store.journal.write('run-1', answer());
    await server!.kill();
    await expect(store.journal.write('run-1', answer({ key: 'key-2' }))).rejects.toMatchObject({
      kind: 'Store.Unavailable',
    });
    await expect(store.runs.list()).rejects.toMatchObject({ kind: 'Store.Unavailable', remedy: expect.any(String) });
    await expect(openStore(server!.url)).rejects.toMatchObject({ kind: 'Store.Unavailable' });
    await server!.restart();
    expect(await store.journal.read(['run-1'], 'key-1')).toEqual(answer());
    expect(await store.journal.read(['run-1'], 'key-2')).toBeNull();
    await store.journal.write('run-1', answer({ key: 'key-2' }));
    expect((await store.reservations.use({ runId: 'run-1', taskId: '', stepId: null }, 'run')).calls).toBe(2);
  });

  it('that ends a connection between two statements of one transaction is away, and ends no process', async () => {
    const store = await open('terminated');
    const { kysely } = store.database;
    const other = await open('terminated');
    await expect(
      kysely.transaction().execute(async (transaction) => {
        const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(transaction);
        await sql`SELECT pg_terminate_backend(${rows[0]!.pid})`.execute(other.database.kysely);
        // The end arrives while no statement is in progress. Without a listener it would be an uncaught exception.
        const isThere = sql<{ pid: number }>`SELECT pid FROM pg_stat_activity WHERE pid = ${rows[0]!.pid}`;
        while ((await isThere.execute(other.database.kysely)).rows.length > 0);
        await sql`SELECT 1`.execute(transaction);
      }),
    ).rejects.toMatchObject({ kind: 'Store.Unavailable' });
    expect(await store.runs.list()).toEqual([]);
  });

  it('tells a defect in a statement as what it is', async () => {
    const store = await open('defect');
    await expect(sql`SELECT no_such_column FROM runs`.execute(store.database.kysely)).rejects.toThrow('no_such_column');
    await expect(sql`SELECT no_such_column FROM runs`.execute(store.database.kysely)).rejects.not.toHaveProperty(
      'kind',
    );
  });

  it('of a newer Crux is refused and left as it is', async () => {
    const store = await open('newer');
    await sql`INSERT INTO schema_version VALUES (999)`.execute(store.database.kysely);
    await expect(openStore(server!.url, { schema: 'newer' })).rejects.toMatchObject({
      kind: 'Store.NewerSchema',
      message: expect.stringContaining('999'),
    });
  });

  it('compares text by its bytes, whatever the locale of the database', async () => {
    const { kysely } = (await open('bytes')).database;
    const ofDatabase = sql<{ isLower: boolean }>`SELECT 'a' < 'B' AS "isLower"`;
    expect((await ofDatabase.execute(kysely)).rows).toEqual([{ isLower: true }]);
    const other = sql<{ name: string }>`
      SELECT table_name || '.' || column_name AS name FROM information_schema.columns
      WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'`;
    expect((await other.execute(kysely)).rows).toEqual([]);
  });

  it('does not show its password', async () => {
    const withPassword = server!.url.replace('crux@', 'crux:planted-secret@');
    const store = await open('secret', `${withPassword}?password=planted-secret`);
    expect(store.location).not.toContain('planted-secret');
    const refused = await openStore('postgres://crux:planted-secret@127.0.0.1:1/crux').catch((error: unknown) => error);
    expect(refused).toMatchObject({ kind: 'Store.Unavailable', message: expect.stringContaining('ECONNREFUSED') });
    expect(String(refused)).not.toContain('planted-secret');
  });
});
