/** Which workers serve a store. Each announces itself every 20 s, and deletes its row when it stops. */
import { isGone, type ProcessPlace } from '../temporal/process-identity.ts';
import { storeTime } from './clock.ts';
import type { Database } from './database.ts';
import type { Schema } from './schema.ts';

export type Worker = {
  id: string;
  host: string;
  roles: string[];
  environments: string[];
  endpoints: string[];
  /** The command that it belongs to, such as `crux up`; null for a worker of an earlier version, or of a script. */
  command: string | null;
  /** Null for a worker of an earlier version, or if the system does not tell. */
  process: ProcessPlace | null;
  /** Milliseconds since 1970; null for a worker of an earlier version. */
  startedAt: number | null;
};

/** Whether a worker takes the activities of an environment's runs. */
export function canServe({ roles, environments }: Worker, environment: string): boolean {
  return roles.includes('agent') && environments.includes(environment);
}

/** A worker that is silent for this long is dead. */
const silenceMs = 60_000;

export class Workers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A worker announces that it lives, and what it can do. */
  async announce({ process, ...worker }: Worker): Promise<void> {
    const values = {
      host: worker.host,
      roles: JSON.stringify(worker.roles),
      environments: JSON.stringify(worker.environments),
      endpoints: JSON.stringify(worker.endpoints),
      command: worker.command,
      pid: process?.pid ?? null,
      start_mark: process?.startMark ?? null,
      process_space: process?.space ?? null,
      started_at: worker.startedAt,
      seen_at: storeTime(this.#database),
    };
    await this.#database.kysely
      .insertInto('workers')
      .values({ id: worker.id, ...values })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute();
  }

  async dismiss(id: string): Promise<void> {
    await this.#database.kysely.deleteFrom('workers').where('id', '=', id).execute();
  }

  /** Workers seen within the last minute, by a clock that was not ahead, whose process is not known to have ended. */
  async living(): Promise<Worker[]> {
    const now = storeTime(this.#database);
    const rows = await this.#database.kysely
      .selectFrom('workers')
      .selectAll()
      .where(({ eb }) => eb('seen_at', '>', eb(now, '-', silenceMs)))
      .where(({ eb }) => eb('seen_at', '<', eb(now, '+', silenceMs)))
      .orderBy('id')
      .execute();
    return rows.map(workerOf).filter(({ process }) => process === null || !isGone(process));
  }
}

function workerOf(row: Schema['workers']): Worker {
  return {
    id: row.id,
    host: row.host,
    roles: JSON.parse(row.roles) as string[],
    environments: JSON.parse(row.environments) as string[],
    endpoints: JSON.parse(row.endpoints) as string[],
    command: row.command,
    process:
      row.pid === null || row.start_mark === null || row.process_space === null
        ? null
        : { pid: row.pid, startMark: row.start_mark, space: row.process_space },
    startedAt: row.started_at,
  };
}
