/**
 * Responses that cannot serve as answers: marked as broken by the server, unreadable, empty, or from another model. They are kept apart from the
 * journal, because no code may read them as answers. They count for ledger and ceilings, because they were paid for.
 */
import { sql } from 'kysely';
import type { UnusableReason } from '../models/answers/unusable-answer.ts';
import type { Database } from './database.ts';
import { forEver, type Scope } from './reservations.ts';
import { rawStatement } from './schema-statements.ts';
import { storableText } from './text.ts';

export type NewUnusable = Scope & {
  key: string;
  role: string;
  purpose: string;
  model: string;
  servedModel: string | null;
  reason: UnusableReason;
  /** The response in the server's words, cut and without secrets. */
  words: string;
  /** Whether it was, or may have been, paid for. */
  isBilled: boolean;
  /** When it came, in milliseconds since 1970. */
  at: number;
  promptTokens: number | null;
  completionTokens: number | null;
  costMicroUsd: number | null;
};

/** Paid answers of one role, for one purpose, that were of no use for one reason. */
export type UnusableLine = {
  role: string;
  purpose: string;
  reason: string;
  calls: number;
  /** Null if any has no usage. */
  promptTokens: number | null;
  completionTokens: number | null;
  costMicroUsd: number | null;
};

/** Message of an answer without words, as the journal holds it. */
const wordless = JSON.stringify({ role: 'assistant', content: '' });

export class UnusableAnswers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Records one, and settles its reservation. Reported usage is counted. Possible but unreported usage is held for good. If nothing was paid, the
   * reservation is released. Given again it is not counted again.
   */
  async add(answer: NewUnusable): Promise<void> {
    const { kysely } = this.#database;
    const { runId, key, promptTokens, completionTokens, at } = answer;
    const own = kysely.selectFrom('unusable_answers').where('run_id', '=', runId).where('key', '=', key);
    if (await own.select('number').where('created_at', '=', at).executeTakeFirst()) return;
    const number = own.select(({ fn }) => sql<number>`coalesce(${fn.max('number')}, 0) + 1`.as('number'));
    const isHeld = answer.isBilled && (promptTokens === null || completionTokens === null);
    const reservation = isHeld
      ? // Under its own key: the repeated call makes a new reservation.
        rawStatement(
          kysely,
          sql`UPDATE reservations SET key = ${`${key}/unusable-`} || ${number}, expires_at = ${forEver}
              WHERE run_id = ${runId} AND key = ${key}`,
        )
      : kysely.deleteFrom('reservations').where('run_id', '=', runId).where('key', '=', key);
    await this.#database.atomically([
      reservation,
      kysely.insertInto('unusable_answers').values({
        run_id: runId,
        key,
        number: sql<number>`${number}`,
        task_id: answer.taskId,
        step_id: answer.stepId,
        role: answer.role,
        purpose: answer.purpose,
        model: answer.model,
        served_model: answer.servedModel === null ? null : storableText(answer.servedModel),
        reason: answer.reason,
        words: storableText(answer.words),
        billed: Number(answer.isBilled),
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        cost_micro_usd: answer.costMicroUsd,
        created_at: at,
      }),
    ]);
  }

  /** How many of them a call has had for a reason. */
  async count(runId: string, key: string, reason: UnusableReason): Promise<number> {
    const { count } = await this.#database.kysely
      .selectFrom('unusable_answers')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('run_id', '=', runId)
      .where('key', '=', key)
      .where('reason', '=', reason)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /**
   * Whether the model of a role gives only such answers: it had none with words in the run, or none since this many different calls had one without.
   */
  async isAllThatComes(runId: string, role: string, calls: number): Promise<boolean> {
    const last = await this.#database.kysely
      .selectFrom('answers')
      .select(({ fn }) => fn.max('created_at').as('at'))
      .where('run_id', '=', runId)
      .where('role', '=', role)
      .where('reused', '=', 0)
      .where('message', '<>', wordless)
      .executeTakeFirst();
    if (!last?.at) return true;
    const since = await this.#database.kysely
      .selectFrom('unusable_answers')
      .select(({ fn }) => fn.count<number>('key').distinct().as('calls'))
      .where('run_id', '=', runId)
      .where('role', '=', role)
      .where('created_at', '>', last.at)
      .executeTakeFirstOrThrow();
    return Number(since.calls) >= calls;
  }

  /** Whether the model of a role has answered with words in a run. */
  async hasSpoken(runId: string, role: string): Promise<boolean> {
    const spoken = await this.#database.kysely
      .selectFrom('answers')
      .select('key')
      .where('run_id', '=', runId)
      .where('role', '=', role)
      .where('reused', '=', 0)
      .where('message', '<>', wordless)
      .limit(1)
      .executeTakeFirst();
    return spoken !== undefined;
  }

  /**
   * The server's name for the model of a role in a run: the first one that it gave.
   * @param now its present name, which is recorded if there is none yet
   */
  async servedModel(runId: string, role: string, now: string): Promise<string> {
    const { kysely } = this.#database;
    await kysely
      .insertInto('served_models')
      .values({ run_id: runId, role, served_model: storableText(now) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const row = await kysely
      .selectFrom('served_models')
      .select('served_model')
      .where('run_id', '=', runId)
      .where('role', '=', role)
      .executeTakeFirstOrThrow();
    return row.served_model;
  }

  /** The servers' names for the models of a run, by role. Roles whose server gives none are absent. */
  async servedModels(runId: string): Promise<{ [role: string]: string }> {
    const rows = await this.#database.kysely
      .selectFrom('served_models')
      .selectAll()
      .where('run_id', '=', runId)
      .execute();
    return Object.fromEntries(rows.map((row) => [row.role, row.served_model]));
  }

  /** Those of a run that were, or may have been, paid for. */
  async lines(runId: string): Promise<UnusableLine[]> {
    const sumIfKnown = (column: 'prompt_tokens' | 'completion_tokens' | 'cost_micro_usd') =>
      sql<number | null>`CASE WHEN count(*) = count(${sql.ref(column)}) THEN sum(${sql.ref(column)}) END`;
    const rows = await this.#database.kysely
      .selectFrom('unusable_answers')
      .select(({ fn }) => [
        'role',
        'purpose',
        'reason',
        fn.countAll<number>().as('calls'),
        sumIfKnown('prompt_tokens').as('prompt'),
        sumIfKnown('completion_tokens').as('completion'),
        sumIfKnown('cost_micro_usd').as('cost'),
      ])
      .where('run_id', '=', runId)
      .where('billed', '=', 1)
      .groupBy(['role', 'purpose', 'reason'])
      .orderBy('role')
      .orderBy('purpose')
      .orderBy('reason')
      .execute();
    const numberOrNull = (value: number | null) => (value === null ? null : Number(value));
    return rows.map(({ role, purpose, reason, calls, prompt, completion, cost }) => ({
      ...{ role, purpose, reason },
      calls: Number(calls),
      promptTokens: numberOrNull(prompt),
      completionTokens: numberOrNull(completion),
      costMicroUsd: numberOrNull(cost),
    }));
  }
}
