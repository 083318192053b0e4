/**
 * The journal of paid calls (docs/architecture.md). Every complete answer of a model is written here, under a key that is known before
 * the call, before anything acts on it. Whoever asks for the same key again reads it instead of paying.
 */
import { sql } from 'kysely';
import type { AssistantMessage } from '../domain/message.ts';
import type { Ceilings } from '../domain/run-config.ts';
import { chunks } from './chunks.ts';
import type { Database } from './database.ts';
import type { AnswerTable } from './schema.ts';
import { storableText } from './text.ts';

export type Answer = {
  key: string;
  nodeId: string;
  role: string;
  purpose: string;
  stream: string;
  sample: number;
  ask: number;
  model: string;
  /** Seed that was sent with the request. */
  seed: number;
  message: AssistantMessage;
  finishReason: string;
  /** Null when the provider gave no `usage`. */
  promptTokens: number | null;
  completionTokens: number | null;
  /** Null when price or usage is unknown. */
  costMicroUsd: number | null;
  latencyMs: number;
};

/** What a run has used up. Calls whose usage the provider did not tell count at their worst case. */
export type Spending = { calls: number; tokens: number; costMicroUsd: number };

/** What a call may use at worst. */
export type WorstCase = { tokens: number /** Null when the model has no price. */; costMicroUsd: number | null };

/** Until when a reservation holds whose call is over, but whose use nobody told. */
const forEver = Number.MAX_SAFE_INTEGER;
const keysPerQuery = 500;

export class Journal {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * @param scope runs whose answers count: the run itself, then those it re-uses, earlier ones before later ones. An answer of another run is
   * noted in the run's own journal as reused, so that its ledger shows what it needed and what it paid.
   */
  async read(scope: string[], key: string): Promise<Answer | null> {
    const rows = await this.#database.kysely
      .selectFrom('answers')
      .selectAll()
      .where('key', '=', key)
      .where('run_id', 'in', scope)
      .execute();
    const found = scope.map((runId) => rows.find((row) => row.run_id === runId)).find((row) => row !== undefined);
    if (!found) return null;
    if (found.run_id !== scope[0]) {
      await this.#database.kysely
        .insertInto('answers')
        .values({ ...found, run_id: scope[0]!, reused: 1, created_at: Date.now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    return answerOf(found);
  }

  /**
   * Writes a complete answer, ends the claim on its call and settles its reservation: it is given up, or kept for good where the provider did
   * not tell what was used. The first write under a key wins, and is what comes back.
   */
  async write(runId: string, answer: Answer): Promise<Answer> {
    const { kysely } = this.#database;
    const isToldUse = answer.promptTokens !== null && answer.completionTokens !== null;
    const settled = isToldUse
      ? kysely.deleteFrom('reservations').where('run_id', '=', runId).where('key', '=', answer.key)
      : kysely
          .updateTable('reservations')
          .set({ expires_at: forEver })
          .where('run_id', '=', runId)
          .where('key', '=', answer.key);
    await this.#database.atomically([
      kysely
        .insertInto('answers')
        .values({
          run_id: runId,
          key: answer.key,
          node_id: answer.nodeId,
          role: answer.role,
          purpose: answer.purpose,
          stream: answer.stream,
          sample: answer.sample,
          ask: answer.ask,
          model: answer.model,
          seed: answer.seed,
          message: JSON.stringify(answer.message),
          finish_reason: answer.finishReason,
          prompt_tokens: answer.promptTokens,
          completion_tokens: answer.completionTokens,
          cost_micro_usd: answer.costMicroUsd,
          latency_ms: answer.latencyMs,
          reused: 0,
          created_at: Date.now(),
        })
        .onConflict((conflict) => conflict.doNothing()),
      settled,
      kysely.deleteFrom('claims').where('run_id', '=', runId).where('key', '=', answer.key),
    ]);
    return (await this.read([runId], answer.key)) ?? answer;
  }

  /** Answers that a run used in a state for these purposes, in a fixed order. */
  async inState(runId: string, nodeId: string, purposes: string[]): Promise<Answer[]> {
    const rows = await this.#database.kysely
      .selectFrom('answers')
      .selectAll()
      .where('node_id', '=', nodeId)
      .where('run_id', '=', runId)
      .where('purpose', 'in', purposes)
      .orderBy('key')
      .execute();
    return rows.map(answerOf);
  }

  /** Answers that a run used in one rollout, in a fixed order. */
  async inStream(runId: string, purpose: string, stream: string): Promise<Answer[]> {
    const rows = await this.#database.kysely
      .selectFrom('answers')
      .selectAll()
      .where('stream', '=', stream)
      .where('purpose', '=', purpose)
      .where('run_id', '=', runId)
      .orderBy('key')
      .execute();
    return rows.map(answerOf);
  }

  /** Faults of these calls together, rate limits included. */
  async countFaults(runId: string, keys: string[]): Promise<number> {
    let count = 0;
    for (const part of chunks(keys, keysPerQuery)) {
      const { total } = await this.#database.kysely
        .selectFrom('faults')
        .select(({ fn }) => fn.sum<number>('count').as('total'))
        .where('run_id', '=', runId)
        .where('key', 'in', part)
        .executeTakeFirstOrThrow();
      count += Number(total ?? 0);
    }
    return count;
  }

  /** Counts a fault of a call. @returns how many faults this call has had by now, rate limits aside */
  async addFault(runId: string, fault: { key: string; role: string; kind: string; message: string }): Promise<number> {
    const message = storableText(fault.message);
    await this.#database.kysely
      .insertInto('faults')
      .values({ run_id: runId, key: fault.key, role: fault.role, kind: fault.kind, count: 1, last_message: message })
      .onConflict((conflict) =>
        conflict
          .columns(['run_id', 'key', 'kind'])
          .doUpdateSet({ count: sql`faults.count + 1`, last_message: message }),
      )
      .execute();
    const { total } = await this.#database.kysely
      .selectFrom('faults')
      .select(({ fn }) => fn.sum<number>('count').as('total'))
      .where('run_id', '=', runId)
      .where('key', '=', fault.key)
      .where('kind', '!=', 'Model.RateLimit')
      .executeTakeFirstOrThrow();
    return Number(total ?? 0);
  }

  /**
   * Holds the worst case of a call against the run's ceilings until it is settled, released, or its holder is dead. Only one at a time
   * reserves, so that the ceilings hold however many processes ask at once.
   * @returns whether there is room under the ceilings, together with what is spent and what others hold
   */
  async reserve(runId: string, key: string, worst: WorstCase, forMs: number, ceilings: Ceilings): Promise<boolean> {
    const { kysely, engine } = this.#database;
    const now = Date.now();
    const { spent, held } = this.#use(runId, key);
    const room = (unit: keyof Spending, most: number | null, own: number) =>
      most === null ? sql`true` : sql`${spent(unit)} + ${held(unit, now)} + ${own} <= ${most}`;
    const insert = sql`
      INSERT INTO reservations (run_id, key, tokens, cost_micro_usd, expires_at)
      SELECT ${runId}, ${key}, ${worst.tokens}, ${worst.costMicroUsd}, ${now + forMs}
      WHERE ${room('calls', ceilings.calls, 1)}
        AND ${room('tokens', ceilings.tokens, worst.tokens)}
        AND ${room('costMicroUsd', ceilings.costMicroUsd, worst.costMicroUsd ?? 0)}`;
    await this.#database.atomically([
      ...(engine === 'postgres'
        ? [{ compile: () => sql`SELECT pg_advisory_xact_lock(hashtext(${runId}))`.compile(kysely) }]
        : []),
      kysely.deleteFrom('reservations').where('run_id', '=', runId).where('key', '=', key),
      { compile: () => insert.compile(kysely) },
    ]);
    const mine = kysely.selectFrom('reservations').select('key').where('run_id', '=', runId).where('key', '=', key);
    return (await mine.executeTakeFirst()) !== undefined;
  }

  async release(runId: string, key: string): Promise<void> {
    await this.#database.kysely.deleteFrom('reservations').where('run_id', '=', runId).where('key', '=', key).execute();
  }

  /** What the run has spent for good, calls under way aside. */
  async spending(runId: string): Promise<Spending> {
    const { spent, held } = this.#use(runId, '');
    const { rows } = await sql<Spending>`
      SELECT ${spent('calls')} AS calls,
             ${spent('tokens')} + ${held('tokens', forEver - 1)} AS tokens,
             ${spent('costMicroUsd')} + ${held('costMicroUsd', forEver - 1)} AS "costMicroUsd"`.execute(
      this.#database.kysely,
    );
    const [{ calls, tokens, costMicroUsd } = { calls: 0, tokens: 0, costMicroUsd: 0 }] = rows;
    return { calls: Number(calls), tokens: Number(tokens), costMicroUsd: Number(costMicroUsd) };
  }

  /** SQL for what a run's paid answers used, and for what reservations hold that last beyond a time, that of one key aside. */
  #use(runId: string, exceptKey: string) {
    const inAnswers = {
      calls: sql`count(*)`,
      tokens: sql`coalesce(sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)), 0)`,
      costMicroUsd: sql`coalesce(sum(cost_micro_usd), 0)`,
    };
    const inReservations = {
      // A call that is answered, but whose use was not told, is counted among the answers.
      calls: sql`coalesce(sum(CASE WHEN expires_at = ${forEver} THEN 0 ELSE 1 END), 0)`,
      tokens: sql`coalesce(sum(tokens), 0)`,
      costMicroUsd: sql`coalesce(sum(cost_micro_usd), 0)`,
    };
    return {
      spent: (unit: keyof Spending) =>
        sql`(SELECT ${inAnswers[unit]} FROM answers WHERE run_id = ${runId} AND reused = 0)`,
      held: (unit: keyof Spending, beyond: number) =>
        sql`(SELECT ${inReservations[unit]} FROM reservations
             WHERE run_id = ${runId} AND key <> ${exceptKey} AND expires_at > ${beyond})`,
    };
  }

  /** When a provider takes calls again, in milliseconds since 1970; 0 when it does now. */
  async coolDownUntil(provider: string): Promise<number> {
    const row = await this.#database.kysely
      .selectFrom('providers')
      .select('cool_down_until')
      .where('name', '=', provider)
      .executeTakeFirst();
    return row?.cool_down_until ?? 0;
  }

  /** Tells all workers that a provider wants no calls until then. */
  async coolDown(provider: string, until: number): Promise<void> {
    await this.#database.kysely
      .insertInto('providers')
      .values({ name: provider, cool_down_until: until })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ cool_down_until: until }).where('providers.cool_down_until', '<', until),
      )
      .execute();
  }
}

function answerOf(row: AnswerTable): Answer {
  return {
    key: row.key,
    nodeId: row.node_id,
    role: row.role,
    purpose: row.purpose,
    stream: row.stream,
    sample: row.sample,
    ask: row.ask,
    model: row.model,
    seed: row.seed,
    message: JSON.parse(row.message) as AssistantMessage,
    finishReason: row.finish_reason,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
    costMicroUsd: row.cost_micro_usd,
    latencyMs: row.latency_ms,
  };
}
