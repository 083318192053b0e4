/**
 * What is held against ceilings: the worst case of each call in progress, and the rollouts that were started. Only one process at a time reserves, so
 * that the ceilings hold however many ask at once.
 */
import { type Compilable, type RawBuilder, sql } from 'kysely';
import {
  type CeilingLevel,
  type Ceilings,
  type CeilingUnit,
  ceilingLevels,
  ceilingOf,
  ceilingUnits,
} from '../domain/run/ceilings.ts';
import { storeTime } from './clock.ts';
import type { Database } from './database.ts';
import { rawStatement } from './schema-statements.ts';

/** The run, task and step whose ceilings the work counts for. */
export type Scope = {
  runId: string;
  /** Null for work that belongs to no task, such as an audit. */
  taskId: string | null;
  /** State that the step starts from; null for work that belongs to no step. */
  stepId: string | null;
};

/** What was used. A call whose usage the provider did not report counts at its worst case. */
export type Use = { [unit in CeilingUnit]: number };

/** What a call may use at worst, or a step of an environment. */
export type WorstCase = {
  /** 0 for a step of an environment, which counts only by its cost. Default 1. */
  calls?: 0 | 1;
  tokens: number;
  /** Null if the model has no price. */
  costMicroUsd: number | null;
};

/** Expiry of a reservation whose call is over but whose usage was not reported. */
export const forEver = Number.MAX_SAFE_INTEGER;

export class Reservations {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Holds the worst case of a call against the ceilings until it is settled, released, or its holder is dead.
   * @returns whether it fits under the ceilings, together with what is spent and what others hold
   */
  async reserve(scope: Scope, key: string, worst: WorstCase, forMs: number, ceilings: Ceilings): Promise<boolean> {
    const { kysely } = this.#database;
    const now = storeTime(this.#database);
    const { calls = 1 } = worst;
    const asked = useAtWorst(worst);
    const units: CeilingUnit[] = calls === 0 ? ['costMicroUsd'] : ['calls', 'tokens', 'costMicroUsd'];
    const room = this.#room(scope, ceilings, asked, units, { key, beyond: now });
    await this.#oneAtATime(scope.runId, [
      kysely.deleteFrom('reservations').where('run_id', '=', scope.runId).where('key', '=', key),
      this.#statement(sql`
        INSERT INTO reservations (run_id, key, task_id, step_id, tokens, cost_micro_usd, calls, expires_at)
        SELECT ${scope.runId}, ${key}, ${scope.taskId}, ${scope.stepId}, ${worst.tokens}, ${worst.costMicroUsd},
               ${calls}, ${now} + ${forMs}
        WHERE ${room}`),
    ]);
    const own = kysely
      .selectFrom('reservations')
      .select('key')
      .where('run_id', '=', scope.runId)
      .where('key', '=', key);
    return (await own.executeTakeFirst()) !== undefined;
  }

  /** Holds a reservation for longer, if it is still there. */
  async extend(runId: string, key: string, forMs: number): Promise<void> {
    const until = sql<number>`${storeTime(this.#database)} + ${forMs}`;
    const query = this.#database.kysely.updateTable('reservations').set({ expires_at: until });
    await query.where('run_id', '=', runId).where('key', '=', key).where('expires_at', '<', forEver).execute();
  }

  async release(runId: string, key: string): Promise<void> {
    await this.#database.kysely.deleteFrom('reservations').where('run_id', '=', runId).where('key', '=', key).execute();
  }

  /** Statement that settles a reservation with its answer. The reservation is released, or kept for good if the provider did not report the usage. */
  settle(runId: string, key: string, isToldUse: boolean): Compilable {
    const { kysely } = this.#database;
    return isToldUse
      ? kysely.deleteFrom('reservations').where('run_id', '=', runId).where('key', '=', key)
      : kysely
          .updateTable('reservations')
          .set({ expires_at: forEver })
          .where('run_id', '=', runId)
          .where('key', '=', key);
  }

  /**
   * Records for good that rollouts start. A rollout recorded earlier may always continue.
   * @returns the first ones that fit under the ceilings
   */
  async startRollouts(scope: Scope, ids: string[], ceilings: Ceilings): Promise<Set<string>> {
    const { kysely } = this.#database;
    const asked: Use = { calls: 0, tokens: 0, costMicroUsd: 0, rollouts: 1 };
    const room = this.#room(scope, ceilings, asked, ['rollouts'], { key: '', beyond: 0 });
    const inserted = await this.#oneAtATime(
      scope.runId,
      ids.map((id) =>
        this.#statement(sql`
          INSERT INTO rollouts (run_id, id, task_id, step_id)
          SELECT ${scope.runId}, ${id}, ${scope.taskId}, ${scope.stepId}
          WHERE ${room}
          ON CONFLICT DO NOTHING`),
      ),
    );
    const others = ids.filter((_, index) => inserted[index] === 0);
    if (others.length === 0) return new Set(ids);
    const known = kysely
      .selectFrom('rollouts')
      .select('id')
      .where('run_id', '=', scope.runId)
      .where('id', 'in', others);
    const before = new Set((await known.execute()).map(({ id }) => id));
    return new Set(ids.filter((id, index) => inserted[index] === 1 || before.has(id)));
  }

  /** What was used for good, without calls in progress. */
  async use(scope: Scope, level: CeilingLevel): Promise<Use> {
    const columns = ceilingUnits.map(
      (unit) => sql`${spent(unit, scope, level)} + ${held(unit, scope, level, '', forEver - 1)} AS ${sql.ref(unit)}`,
    );
    const { rows } = await sql<Use>`SELECT ${sql.join(columns)}`.execute(this.#database.kysely);
    return Object.fromEntries(ceilingUnits.map((unit) => [unit, Number(rows[0]?.[unit] ?? 0)])) as Use;
  }

  /** Whether a request fits under every ceiling, together with what is spent and what others hold beyond a time. */
  #room(
    scope: Scope,
    ceilings: Ceilings,
    asked: Use,
    units: CeilingUnit[],
    others: { key: string; beyond: number | RawBuilder<number> },
  ): RawBuilder<unknown> {
    const conditions = ceilingLevels.flatMap((level) => {
      if (!isWithin(scope, level)) return [];
      const ceiling = ceilingOf(ceilings, level);
      return units
        .filter((unit) => ceiling[unit] !== null)
        .map((unit) => {
          const inHand = held(unit, scope, level, others.key, others.beyond);
          return sql`${spent(unit, scope, level)} + ${inHand} + ${asked[unit]} <= ${ceiling[unit]}`;
        });
    });
    return conditions.length === 0 ? sql`1 = 1` : sql.join(conditions, sql` AND `);
  }

  /** @returns how many rows each statement wrote */
  async #oneAtATime(runId: string, statements: Compilable[]): Promise<number[]> {
    if (this.#database.engine === 'sqlite') return this.#database.atomically(statements);
    const lock = this.#statement(sql`SELECT pg_advisory_xact_lock(hashtext(${runId}))`);
    const [, ...written] = await this.#database.atomically([lock, ...statements]);
    return written;
  }

  #statement(raw: RawBuilder<unknown>): Compilable {
    return rawStatement(this.#database.kysely, raw);
  }
}

/** What a call, or a step of an environment, asks of its ceilings. */
export function useAtWorst({ calls = 1, tokens, costMicroUsd }: WorstCase): Use {
  return { calls, tokens, costMicroUsd: costMicroUsd ?? 0, rollouts: 0 };
}

/** Whether work counts for the ceilings of this level at all. */
export function isWithin({ taskId, stepId }: Scope, level: CeilingLevel): boolean {
  return level === 'run' || (level === 'task' ? taskId !== null : stepId !== null);
}

const spendingColumns = {
  calls: 'calls',
  tokens: 'tokens',
  costMicroUsd: 'cost_micro_usd',
  rollouts: 'rollouts',
} as const;

/** SQL for what paid answers used, and for the rollouts that were started; of a run, also for calls whose usage was not reported. */
function spent(unit: CeilingUnit, scope: Scope, level: CeilingLevel): RawBuilder<number> {
  const where = within(scope, level);
  if (level === 'run') return sql`coalesce((SELECT ${sql.ref(spendingColumns[unit])} FROM spending WHERE ${where}), 0)`;
  switch (unit) {
    case 'rollouts':
      return sql`(SELECT count(*) FROM rollouts WHERE ${where})`;
    case 'calls':
      return paid(where, sql`count(*)`);
    case 'tokens':
      return paid(where, sql`coalesce(sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)), 0)`);
    case 'costMicroUsd':
      return sql`(${paid(where, sql`coalesce(sum(cost_micro_usd), 0)`)}
        + (SELECT coalesce(sum(cost_micro_usd), 0) FROM environment_costs WHERE ${where}))`;
  }
}

/** SQL for a sum over what was paid, including answers that were of no use. */
function paid(where: RawBuilder<unknown>, sum: RawBuilder<number>): RawBuilder<number> {
  return sql`((SELECT ${sum} FROM answers WHERE ${where} AND reused = 0)
    + (SELECT ${sum} FROM unusable_answers WHERE ${where} AND billed = 1))`;
}

/** SQL for the amount of reservations that last beyond a time, except that of one key. */
function held(
  unit: CeilingUnit,
  scope: Scope,
  level: CeilingLevel,
  exceptKey: string,
  beyond: number | RawBuilder<number>,
): RawBuilder<number> {
  const others = sql`FROM reservations WHERE ${within(scope, level)} AND key <> ${exceptKey}`;
  // Those of a run that are kept for good are in its spending, and need not be added up for every call. Of a task there are few: the sign has SQLite
  // find them by their task, and not by their time among all that are kept.
  const from =
    level === 'run'
      ? sql`${others} AND expires_at > ${beyond} AND expires_at < ${forEver}`
      : sql`${others} AND +expires_at > ${beyond}`;
  switch (unit) {
    case 'rollouts':
      return sql`0`;
    case 'calls':
      // A call with an answer but without reported usage is counted among the answers.
      return sql`(SELECT coalesce(sum(CASE WHEN expires_at = ${forEver} THEN 0 ELSE coalesce(calls, 1) END), 0) ${from})`;
    case 'tokens':
      return sql`(SELECT coalesce(sum(tokens), 0) ${from})`;
    case 'costMicroUsd':
      return sql`(SELECT coalesce(sum(cost_micro_usd), 0) ${from})`;
  }
}

function within({ runId, taskId, stepId }: Scope, level: CeilingLevel): RawBuilder<unknown> {
  switch (level) {
    case 'run':
      return sql`run_id = ${runId}`;
    case 'task':
      return sql`run_id = ${runId} AND task_id = ${taskId}`;
    case 'step':
      return sql`run_id = ${runId} AND task_id = ${taskId} AND step_id = ${stepId}`;
  }
}
