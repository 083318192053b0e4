/** Calls that wait so long that a user wants to know why. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import { storableText } from './text.ts';

export type WaitReason =
  /** For a place among the calls in progress, or for the rate: limits that the configuration sets. */
  | 'queue'
  /** The provider refuses (429), or takes no calls for a time. */
  | 'rate-limit'
  /** The provider is unavailable. */
  | 'outage'
  /** It is not known yet whether the provider refuses this call or all calls. */
  | 'refusal'
  /** Calls in progress might use up the rest of a ceiling. */
  | 'ceiling';

/** How long a call waited. In rows from earlier versions `queuedMs` is null and `throttledMs` holds both. */
export type Waited = {
  /** For our own limits on places and rate. */
  queuedMs: number | null;
  /** Because the provider refused, took no calls, or was unavailable. */
  throttledMs: number;
};

export type Wait = Waited & {
  runId: string;
  key: string;
  role: string;
  /** Endpoint, by its name in the configuration. */
  endpoint: string;
  reason: WaitReason;
  /** The words of the server or of the connection to it; null if there are none. */
  words: string | null;
  /** When the call is tried again, in milliseconds since 1970. The waits are counted up to then. */
  until: number;
};

/** What a run is waiting for. */
export type WaitingFor = {
  endpoint: string;
  until: number;
  calls: number;
  /** Null if it was not recorded. */
  reason: WaitReason | null;
  words: string | null;
};

export class Waits {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Records that a call waits, on top of its earlier waits. Its answer ends the wait (`Journal.write`). */
  async add(wait: Wait): Promise<void> {
    const { until, throttledMs, reason } = wait;
    const queuedMs = wait.queuedMs ?? 0;
    const words = wait.words === null ? null : storableText(wait.words);
    await this.#database.kysely
      .insertInto('waits')
      .values({
        run_id: wait.runId,
        key: wait.key,
        role: wait.role,
        endpoint: wait.endpoint,
        until,
        throttled_ms: throttledMs,
        queued_ms: queuedMs,
        reason,
        words,
      })
      .onConflict((conflict) =>
        conflict.columns(['run_id', 'key']).doUpdateSet({
          until,
          throttled_ms: sql`${waitedSoFar('throttled_ms')} + ${throttledMs}`,
          queued_ms: sql`${waitedSoFar('queued_ms')} + ${queuedMs}`,
          reason,
          words,
        }),
      )
      .execute();
  }

  /** What a run is waiting for: the longest wait of each endpoint and reason. Words of sealed tasks stay sealed. */
  async waitingFor(runId: string): Promise<WaitingFor[]> {
    const rows = await this.#database.kysely
      .withoutPlugins()
      .selectFrom('waits')
      .select(({ fn }) => [
        'endpoint',
        'reason',
        fn.max('until').as('until'),
        fn.max('words').as('words'),
        fn.countAll<number>().as('calls'),
      ])
      .where('run_id', '=', runId)
      .where('until', '>', Date.now())
      .groupBy(['endpoint', 'reason'])
      .orderBy('endpoint')
      .orderBy('reason')
      .execute();
    return rows.map(({ endpoint, reason, until, words, calls }) => ({
      endpoint,
      until: Number(until),
      calls: Number(calls),
      reason: reason as WaitReason | null,
      words,
    }));
  }

  /**
   * How long the calls of a run have waited so far, added up over all of them.
   * @returns `queuedMs` null if some are from earlier versions: `throttledMs` then holds all waits together
   */
  async waited(runId: string): Promise<Waited> {
    const { kysely } = this.#database;
    const now = Date.now();
    const answered = await kysely
      .selectFrom('answers')
      .select(({ fn }) => [
        fn.sum<number>('throttled_ms').as('throttled'),
        fn.sum<number>('queued_ms').as('queued'),
        sql<number>`sum(CASE WHEN throttled_ms IS NOT NULL AND queued_ms IS NULL THEN 1 ELSE 0 END)`.as('mixed'),
      ])
      .where('run_id', '=', runId)
      .executeTakeFirstOrThrow();
    const waiting = await kysely
      .selectFrom('waits')
      .select([
        sql<number>`sum(${waitedSoFar('throttled_ms', now)})`.as('throttled'),
        sql<number>`sum(${waitedSoFar('queued_ms', now)})`.as('queued'),
        sql<number>`sum(CASE WHEN queued_ms IS NULL THEN 1 ELSE 0 END)`.as('mixed'),
      ])
      .where('run_id', '=', runId)
      .executeTakeFirstOrThrow();
    const total = (column: 'throttled' | 'queued') =>
      Number(answered[column] ?? 0) + Math.max(0, Number(waiting[column] ?? 0));
    if (Number(answered.mixed ?? 0) + Number(waiting.mixed ?? 0) > 0)
      return { queuedMs: null, throttledMs: total('throttled') + total('queued') };
    return { queuedMs: total('queued'), throttledMs: total('throttled') };
  }
}

const remainderOf = {
  throttled_ms: sql`(waits.reason IS NULL OR waits.reason IN ('rate-limit', 'outage'))`,
  queued_ms: sql`waits.reason = 'queue'`,
};

/** SQL for the length of a wait so far: the time until the next attempt is recorded before it has passed, and may be cut short. */
export function waitedSoFar(column: 'throttled_ms' | 'queued_ms', now = Date.now()): RawBuilder<number> {
  const remaining = sql`CASE WHEN ${remainderOf[column]} AND waits.until > ${now} THEN waits.until - ${now} ELSE 0 END`;
  return sql<number>`coalesce(${sql.ref(`waits.${column}`)}, 0) - ${remaining}`;
}
