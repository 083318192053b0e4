/**
 * The journal of paid calls (docs/architecture.md). Every complete answer of a model is written here, under a key that is known before
 * the call, before anything acts on it. Whoever asks for the same key again reads it instead of paying.
 */
import { sql } from 'kysely';
import type { AssistantMessage } from '../domain/message.ts';
import type { Database } from './database.ts';
import type { AnswerTable } from './schema.ts';

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

/** What the calls of a run have used up, those under way at their worst case. */
export type Spending = { calls: number; tokens: number; costMicroUsd: number };

export class Journal {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * @param scope runs whose answers count: the run itself, then those it re-uses. An answer of another run is noted in the run's own journal
   * as reused, so that its ledger shows what it needed and what it paid.
   */
  async read(scope: string[], key: string): Promise<Answer | null> {
    const rows = await this.#database.kysely
      .selectFrom('answers')
      .selectAll()
      .where('key', '=', key)
      .where('run_id', 'in', scope)
      .execute();
    const own = rows.find((row) => row.run_id === scope[0]);
    const found = own ?? rows[0];
    if (!found) return null;
    if (!own) {
      await this.#database.kysely
        .insertInto('answers')
        .values({ ...found, run_id: scope[0]!, reused: 1, created_at: Date.now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    return answerOf(found);
  }

  /** Writes a complete answer and gives up its reservation. The first write under a key wins, and is what comes back. */
  async write(runId: string, answer: Answer): Promise<Answer> {
    const { kysely } = this.#database;
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
      kysely.deleteFrom('reservations').where('run_id', '=', runId).where('key', '=', answer.key),
    ]);
    return (await this.read([runId], answer.key)) ?? answer;
  }

  /** Answers given in a state for these purposes, in a fixed order. */
  async inState(scope: string[], nodeId: string, purposes: string[]): Promise<Answer[]> {
    const rows = await this.#database.kysely
      .selectFrom('answers')
      .selectAll()
      .where('node_id', '=', nodeId)
      .where('run_id', 'in', scope)
      .where('purpose', 'in', purposes)
      .orderBy('key')
      .execute();
    return distinct(rows);
  }

  /** Answers of one rollout, in a fixed order. */
  async inStream(scope: string[], purpose: string, stream: string): Promise<Answer[]> {
    const rows = await this.#database.kysely
      .selectFrom('answers')
      .selectAll()
      .where('stream', '=', stream)
      .where('purpose', '=', purpose)
      .where('run_id', 'in', scope)
      .orderBy('key')
      .execute();
    return distinct(rows);
  }

  async countFaults(runId: string, keys: string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const { total } = await this.#database.kysely
      .selectFrom('faults')
      .select(({ fn }) => fn.sum<number>('count').as('total'))
      .where('run_id', '=', runId)
      .where('key', 'in', keys)
      .executeTakeFirstOrThrow();
    return Number(total ?? 0);
  }

  /** Counts a fault of a call. @returns how many faults this call has had by now */
  async addFault(runId: string, fault: { key: string; role: string; kind: string; message: string }): Promise<number> {
    await this.#database.kysely
      .insertInto('faults')
      .values({ run_id: runId, key: fault.key, role: fault.role, kind: fault.kind, count: 1, last_message: fault.message })
      .onConflict((conflict) =>
        conflict
          .columns(['run_id', 'key', 'kind'])
          .doUpdateSet({ count: sql`faults.count + 1`, last_message: fault.message }),
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

  /** Holds the worst case of a call against the run's ceilings until it is settled, released, or its holder is dead. */
  async reserve(runId: string, key: string, tokens: number, costMicroUsd: number | null, forMs: number): Promise<void> {
    const values = { tokens, cost_micro_usd: costMicroUsd, expires_at: Date.now() + forMs };
    await this.#database.kysely
      .insertInto('reservations')
      .values({ run_id: runId, key, ...values })
      .onConflict((conflict) => conflict.columns(['run_id', 'key']).doUpdateSet(values))
      .execute();
  }

  async release(runId: string, key: string): Promise<void> {
    await this.#database.kysely
      .deleteFrom('reservations')
      .where('run_id', '=', runId)
      .where('key', '=', key)
      .execute();
  }

  /** What the run has spent and holds reserved, without the reservation of `exceptKey`. Unknown usage and cost count as nothing here. */
  async spending(runId: string, exceptKey: string): Promise<Spending> {
    const { kysely } = this.#database;
    const spent = await kysely
      .selectFrom('answers')
      .select(({ fn }) => [
        fn.countAll<number>().as('calls'),
        fn.sum<number>('prompt_tokens').as('prompt'),
        fn.sum<number>('completion_tokens').as('completion'),
        fn.sum<number>('cost_micro_usd').as('cost'),
      ])
      .where('run_id', '=', runId)
      .where('reused', '=', 0)
      .executeTakeFirstOrThrow();
    const held = await kysely
      .selectFrom('reservations')
      .select(({ fn }) => [
        fn.countAll<number>().as('calls'),
        fn.sum<number>('tokens').as('tokens'),
        fn.sum<number>('cost_micro_usd').as('cost'),
      ])
      .where('run_id', '=', runId)
      .where('key', '!=', exceptKey)
      .where('expires_at', '>', Date.now())
      .executeTakeFirstOrThrow();
    return {
      calls: Number(spent.calls) + Number(held.calls),
      tokens: Number(spent.prompt ?? 0) + Number(spent.completion ?? 0) + Number(held.tokens ?? 0),
      costMicroUsd: Number(spent.cost ?? 0) + Number(held.cost ?? 0),
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
        conflict
          .column('name')
          .doUpdateSet({ cool_down_until: until })
          .where('providers.cool_down_until', '<', until),
      )
      .execute();
  }
}

/** A key may be journaled in several runs of the scope. */
function distinct(rows: AnswerTable[]): Answer[] {
  return [...new Map(rows.map((row) => [row.key, row])).values()].map(answerOf);
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
