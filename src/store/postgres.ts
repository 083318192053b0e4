/** Postgres, for workers on several machines. */
import { type Compilable, type CompiledQuery, Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import { CruxError, errorText } from '../errors.ts';
import type { Database } from './database.ts';
import type { Schema } from './schema.ts';
import { SealingPlugin } from './sealing-plugin.ts';

/** Any constant: the lock under which one process at a time migrates. */
const migrationLock = 7_296_423;
const connectTimeoutMs = 10_000;

/**
 * @param url `postgres://user:password@host:port/database`
 * @param schema Postgres schema that holds the tables; created if missing
 */
export async function openPostgres(url: string, schema = 'crux'): Promise<Database> {
  const location = withoutPassword(url);
  // Whole numbers of the store are below 2^53.
  const types = {
    getTypeParser: ((oid: number, format?: 'text') =>
      oid === 20 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    types,
    options: `-c search_path=${schema}`,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  });
  // A connection that breaks is replaced, and a statement in progress reports it. Without listeners it would end the process: the pool listens only while
  // a connection is idle.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));

  /** A connection whose faults are typed. */
  async function connect() {
    const client = await typed(location, pool.connect());
    return {
      query: (text: string, parameters?: readonly unknown[]) =>
        typed(location, client.query(text, parameters as unknown[])),
      release: () => client.release(),
    };
  }
  type Client = Awaited<ReturnType<typeof connect>>;

  async function transact<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await connect();
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    } finally {
      client.release();
    }
  }

  try {
    await transact(async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
      await client.query('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
    });
  } catch (error) {
    await pool.end();
    if (error instanceof CruxError) throw error;
    throw new CruxError('Store.Unavailable', `The store ${location} cannot be used (${words(error)}).`, {
      remedy: 'Check user, password and rights at the Postgres database.',
      cause: error,
    });
  }

  const guarded = { connect, end: () => pool.end() } as unknown as PostgresPool;
  const kysely = new Kysely<Schema>({
    dialect: new PostgresDialect({ pool: guarded }),
    plugins: [new SealingPlugin()],
  });
  const run = async (client: Client, queries: CompiledQuery[]) => {
    const written: number[] = [];
    for (const query of queries)
      written.push((await client.query(query.sql, query.parameters as unknown[])).rowCount ?? 0);
    return written;
  };
  const compile = (list: Compilable[]) => list.map((statement) => statement.compile() as CompiledQuery);

  return {
    kysely,
    engine: 'postgres',
    location,
    atomically: (list) => transact((client) => run(client, compile(list))),
    schemaVersion: async () => {
      const { rows } = await typed(
        location,
        pool.query('SELECT coalesce(max(version), 0) AS version FROM schema_version'),
      );
      return rows[0].version;
    },
    migrate: (version, list) =>
      transact(async (client) => {
        await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
        const { rows } = await client.query('SELECT coalesce(max(version), 0) AS version FROM schema_version');
        if (rows[0].version >= version) return;
        await run(client, compile(list));
        await client.query('INSERT INTO schema_version VALUES ($1)', [version]);
      }),
    close: async () => {
      await pool.end();
    },
  };
}

/** Faults that do not mean that the statement is wrong: the database is away, busy or full, and a later try may succeed. */
async function typed<T>(location: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    if (code === '53100') {
      throw new CruxError('Store.Full', `The disk of the store ${location} is full (${words(error)}).`, {
        remedy: 'Free some space: the run goes on by itself.',
        cause: error,
      });
    }
    if (/^(08|53|57P|40|55P03|E[A-Z])/.test(code) || /terminated|connection|timeout/i.test(words(error))) {
      throw new CruxError('Store.Unavailable', `The store ${location} cannot be reached (${words(error)}).`, {
        remedy:
          'Check address, user and password of the Postgres database, and that it is running: the run goes on by itself.',
        cause: error,
      });
    }
    throw error;
  }
}

/** Node throws one error for all addresses of a host, and leaves its own message empty. */
function words(error: unknown): string {
  return error instanceof AggregateError && error.message === ''
    ? error.errors.map(errorText).join(', ')
    : errorText(error);
}

function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.password = '';
    parsed.searchParams.delete('password');
    return parsed.toString();
  } catch {
    return 'postgres://…';
  }
}
