import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { CruxError } from '../errors.ts';
import { Claims } from './claims.ts';
import type { Database } from './database.ts';
import { EndpointFacts } from './endpoint-facts.ts';
import { EnvironmentCosts } from './environment-costs.ts';
import { Findings } from './findings.ts';
import { Improvements } from './improvements.ts';
import { Journal } from './journal.ts';
import { migrations } from './migrations.ts';
import { Providers } from './providers.ts';
import { Reservations } from './reservations.ts';
import { Runs } from './runs.ts';
import { isForReadingOnly, openSqlite } from './sqlite.ts';
import { Trainings } from './trainings.ts';
import { Tree } from './tree.ts';
import { UnusableAnswers } from './unusable-answers.ts';
import { Waits } from './waits.ts';
import { Workers } from './workers.ts';

/** What `openStore` takes. */
export type StoreAddress = { location: string; schema?: string | undefined };

/** All data of Crux behind one interface. Safe for several processes at once. */
export type Store = {
  /** Drawn when the store was made. Task queue names contain it, so that no worker takes work whose data it cannot see. */
  readonly id: string;
  readonly location: string;
  /** What another process opens it by. May hold a password: never shown. */
  readonly address: StoreAddress;
  readonly engine: 'sqlite' | 'postgres';
  readonly tree: Tree;
  readonly journal: Journal;
  readonly unusable: UnusableAnswers;
  readonly reservations: Reservations;
  readonly providers: Providers;
  readonly waits: Waits;
  readonly environmentCosts: EnvironmentCosts;
  readonly claims: Claims;
  readonly endpointFacts: EndpointFacts;
  readonly runs: Runs;
  readonly workers: Workers;
  readonly improvements: Improvements;
  readonly trainings: Trainings;
  readonly findings: Findings;
  readonly database: Database;
  close(): Promise<void>;
};

/**
 * Opens a store and brings its schema up to date.
 * @param location path of a SQLite file, or a `postgres://` URL
 * @param options `mayRead`: a file that this user may not write is opened too, and whatever writes to it throws `Store.Unavailable`
 * @throws CruxError `Store.NewerSchema`, `Store.Corrupt` or `Store.Unavailable`; nothing is written then
 */
export async function openStore(
  location: string,
  options: { schema?: string; mayRead?: boolean } = {},
): Promise<Store> {
  const isPostgres = /^postgres(ql)?:/.test(location);
  const how = options.mayRead && !isPostgres && isForReadingOnly(location) ? 'read' : 'write';
  const database = isPostgres
    ? await (await import('./postgres.ts')).openPostgres(location, options.schema)
    : openSqlite(location, how);
  try {
    await bringUpToDate(database);
    const id = await storeId(database);
    const reservations = new Reservations(database);
    return {
      id,
      location: database.location,
      address: isPostgres ? { location, schema: options.schema } : { location: resolve(location) },
      engine: database.engine,
      tree: new Tree(database),
      journal: new Journal(database, reservations),
      unusable: new UnusableAnswers(database),
      reservations,
      environmentCosts: new EnvironmentCosts(database, reservations),
      providers: new Providers(database),
      waits: new Waits(database),
      claims: new Claims(database),
      endpointFacts: new EndpointFacts(database),
      runs: new Runs(database),
      workers: new Workers(database),
      improvements: new Improvements(database),
      trainings: new Trainings(database),
      findings: new Findings(database),
      database,
      close: () => database.close(),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function bringUpToDate(database: Database): Promise<void> {
  const found = await database.schemaVersion();
  if (found > migrations.length) {
    throw new CruxError(
      'Store.NewerSchema',
      `The store ${database.location} has schema version ${found}; this Crux knows up to ${migrations.length}.`,
      { remedy: 'Use the newer Crux that made it, or another CRUX_HOME. Nothing was changed.' },
    );
  }
  for (let version = found + 1; version <= migrations.length; version++) {
    await database.migrate(version, migrations[version - 1]!(database.kysely, database.engine));
  }
}

async function storeId({ kysely }: Database): Promise<string> {
  const query = kysely.selectFrom('meta').select('value').where('key', '=', 'store-id');
  const known = await query.executeTakeFirst();
  if (known) return known.value;
  const drawn = { key: 'store-id', value: randomUUID().slice(0, 8) };
  await kysely
    .insertInto('meta')
    .values(drawn)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await query.executeTakeFirstOrThrow()).value;
}
