/** Calls that a provider keeps waiting for so long that their worker does something else meanwhile. */
import { sql } from 'kysely';
import type { Database } from './database.ts';

export type Wait = {
  runId: string;
  key: string;
  role: string;
  /** Endpoint, by its name in the configuration. */
  endpoint: string;
  /** When the call is tried again, in milliseconds since 1970. */
  until: number;
  /** What it has waited since it was last tried, together with what it is going to wait until then. */
  throttledMs: number;
};

/** What a run waits for at the moment. */
export type WaitingFor = { endpoint: string; until: number; calls: number };

export class Waits {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes that a call waits, on top of what it has waited before. Its answer ends that (`Journal.write`). */
  async add(wait: Wait): Promise<void> {
    const { until, throttledMs } = wait;
    await this.#database.kysely
      .insertInto('waits')
      .values({
        run_id: wait.runId,
        key: wait.key,
        role: wait.role,
        endpoint: wait.endpoint,
        until,
        throttled_ms: throttledMs,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['run_id', 'key'])
          .doUpdateSet({ until, throttled_ms: sql`waits.throttled_ms + ${throttledMs}` }),
      )
      .execute();
  }

  /** What a run waits for now, the longest wait of each endpoint. */
  async waitingFor(runId: string): Promise<WaitingFor[]> {
    const rows = await this.#database.kysely
      .selectFrom('waits')
      .select(({ fn }) => ['endpoint', fn.max('until').as('until'), fn.countAll<number>().as('calls')])
      .where('run_id', '=', runId)
      .where('until', '>', Date.now())
      .groupBy('endpoint')
      .orderBy('endpoint')
      .execute();
    return rows.map(({ endpoint, until, calls }) => ({ endpoint, until: Number(until), calls: Number(calls) }));
  }

  /** What the calls of a run waited for limiters, rates and cool-downs by now, added up over all of them. */
  async throttledMs(runId: string): Promise<number> {
    const { kysely } = this.#database;
    const now = Date.now();
    const answered = await kysely
      .selectFrom('answers')
      .select(({ fn }) => fn.sum<number>('throttled_ms').as('total'))
      .where('run_id', '=', runId)
      .executeTakeFirstOrThrow();
    const waiting = await kysely
      .selectFrom('waits')
      .select(sql<number>`sum(throttled_ms - CASE WHEN until > ${now} THEN until - ${now} ELSE 0 END)`.as('total'))
      .where('run_id', '=', runId)
      .executeTakeFirstOrThrow();
    return Number(answered.total ?? 0) + Math.max(0, Number(waiting.total ?? 0));
  }
}
