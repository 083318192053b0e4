/**
 * The journal of paid calls (docs/architecture.md). Every complete answer of a model is written here before any code acts on it, under a key that is
 * known before the call. A later request for the same key reads it instead of paying again.
 */
import { sql } from 'kysely';
import type { Json } from '../domain/canonical-json.ts';
import type { AssistantMessage } from '../domain/message.ts';
import type { FaultKind } from '../errors.ts';
import { chunks } from './chunks.ts';
import type { Database } from './database.ts';
import type { Reservations } from './reservations.ts';
import type { AnswerTable } from './schema.ts';
import { sortedBy } from './sorted-by.ts';
import { storableText } from './text.ts';
import { waitedSoFar } from './waits.ts';

export type Answer = {
  key: string;
  /** Task whose ceilings it counts for. Null for none, as in an audit, and for answers from earlier versions that did not record it. */
  taskId: string | null;
  /** State that the step starts from; null for a call that explores. */
  stepId: string | null;
  nodeId: string;
  role: string;
  purpose: string;
  stream: string;
  sample: number;
  ask: number;
  /** Of a session's question: the state in which the step is taken, and what for. Null for all other calls. */
  within: { nodeId: string; purpose: string } | null;
  model: string;
  /** Seed that was sent with the request. */
  seed: number;
  message: AssistantMessage;
  finishReason: string;
  /** Null if the provider gave no `usage`. */
  promptTokens: number | null;
  completionTokens: number | null;
  /** Null if price or usage is unknown. */
  costMicroUsd: number | null;
  latencyMs: number;
  /** How long the provider kept the call waiting: refused, cooling down, or away. Null for answers from earlier versions that did not record it. */
  throttledMs: number | null;
  /** How long our own limits on places and rate kept it waiting. Null for answers from earlier versions, which counted it in `throttledMs`. */
  queuedMs: number | null;
  /** Log-probability of the whole answer, as the model reported it. Null if it was not requested or not reported. */
  logprob: number | null;
  /** The model's thoughts apart from its message. Null if there were none, or the server reported none. */
  reasoning: string | null;
  /** The server's name for the model that answered. Null if it gave none, and for answers from earlier versions that did not record it. */
  servedModel: string | null;
  /** The server's own ids of the message's tool calls, null for a call without one; null if the message has no calls. */
  callIds: (string | null)[] | null;
  /** What was really sent: members of the request, and changes to its messages. Null if that was not recorded. */
  sent: Json | null;
};

const keysPerQuery = 500;

export class Journal {
  readonly #database: Database;
  readonly #reservations: Reservations;

  constructor(database: Database, reservations: Reservations) {
    this.#database = database;
    this.#reservations = reservations;
  }

  /**
   * @param scope runs whose answers count: the run itself, then those it re-uses, earlier ones before later ones. An answer of another run is
   * recorded in the run's own journal as reused, so that its ledger shows what it needed and what it paid for.
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
        .values({ ...found, run_id: scope[0]!, reused: 1, throttled_ms: 0, queued_ms: 0, created_at: Date.now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    return answerOf(found);
  }

  /**
   * Writes a complete answer, ends the claim on its call and settles its reservation. The call's earlier waits, as recorded in the store, are added
   * to it. The first write under a key wins, and is returned.
   */
  async write(runId: string, answer: Answer): Promise<Answer> {
    const { kysely } = this.#database;
    const isToldUse = answer.promptTokens !== null && answer.completionTokens !== null;
    const waited = (column: 'throttled_ms' | 'queued_ms') =>
      kysely
        .selectFrom('waits')
        .select(waitedSoFar(column).as('waited'))
        .where('run_id', '=', runId)
        .where('key', '=', answer.key);
    // The answer is written late: the write locks the row in which Postgres counts the run's spending, and others wait for that row.
    const [, , written] = await this.#database.atomically([
      this.#reservations.settle(runId, answer.key, isToldUse),
      kysely.deleteFrom('claims').where('run_id', '=', runId).where('key', '=', answer.key),
      kysely
        .insertInto('answers')
        .values({
          run_id: runId,
          key: answer.key,
          task_id: answer.taskId,
          step_id: answer.stepId,
          node_id: answer.nodeId,
          role: answer.role,
          purpose: answer.purpose,
          stream: answer.stream,
          sample: answer.sample,
          ask: answer.ask,
          asked_in: answer.within?.nodeId ?? null,
          asked_for: answer.within?.purpose ?? null,
          model: answer.model,
          seed: answer.seed,
          message: JSON.stringify(answer.message),
          finish_reason: answer.finishReason,
          prompt_tokens: answer.promptTokens,
          completion_tokens: answer.completionTokens,
          cost_micro_usd: answer.costMicroUsd,
          latency_ms: answer.latencyMs,
          throttled_ms: sql<number>`${answer.throttledMs} + coalesce(${waited('throttled_ms')}, 0)`,
          queued_ms: sql<number>`${answer.queuedMs} + coalesce(${waited('queued_ms')}, 0)`,
          logprob: answer.logprob,
          reasoning: answer.reasoning === null ? null : storableText(answer.reasoning),
          served_model: answer.servedModel === null ? null : storableText(answer.servedModel),
          call_ids: answer.callIds && JSON.stringify(answer.callIds),
          sent: answer.sent === null ? null : JSON.stringify(answer.sent),
          reused: 0,
          created_at: Date.now(),
        })
        .onConflict((conflict) => conflict.doNothing()),
      kysely.deleteFrom('waits').where('run_id', '=', runId).where('key', '=', answer.key),
    ]);
    return written === 1 ? answer : ((await this.read([runId], answer.key)) ?? answer);
  }

  /** Answers that a run used in a state for these purposes, in a fixed order. */
  async inState(runId: string, nodeId: string, purposes: string[]): Promise<Answer[]> {
    const rows = await this.#database.kysely
      .selectFrom('answers')
      .selectAll()
      .where('node_id', '=', nodeId)
      .where('run_id', '=', runId)
      .where('purpose', 'in', purposes)
      .execute();
    return sortedBy(rows, ['key']).map(answerOf);
  }

  /** The same in several places: states, or steps in which sessions asked. */
  async inStates(runId: string, nodeIds: readonly string[], purposes: readonly string[]): Promise<Answer[]> {
    const rows: AnswerTable[] = [];
    for (const part of chunks([...nodeIds], keysPerQuery)) {
      const query = this.#database.kysely.selectFrom('answers').selectAll().where('node_id', 'in', part);
      rows.push(
        ...(await query
          .where('run_id', '=', runId)
          .where('purpose', 'in', [...purposes])
          .execute()),
      );
    }
    return sortedBy(rows, ['key']).map(answerOf);
  }

  /** Answers that a run used in one rollout, in a fixed order. */
  async inStream(runId: string, purpose: string, stream: string): Promise<Answer[]> {
    const rows = await this.#database.kysely
      .selectFrom('answers')
      .selectAll()
      .where('stream', '=', stream)
      .where('purpose', '=', purpose)
      .where('run_id', '=', runId)
      .execute();
    return sortedBy(rows, ['key']).map(answerOf);
  }

  /** The texts of all answers of a role for some purposes. */
  async textsOf(runId: string, role: string, purposes: readonly string[]): Promise<(string | null)[]> {
    const rows = await this.#database.kysely
      .selectFrom('answers')
      .select('message')
      .where('run_id', '=', runId)
      .where('role', '=', role)
      .where('purpose', 'in', [...purposes])
      .execute();
    return rows.map(({ message }) => (JSON.parse(message) as AssistantMessage).content);
  }

  /** The thoughts of models apart from their messages, in a run or in one task of it. */
  async reasonings(
    runId: string,
    taskId?: string,
  ): Promise<{ nodeId: string; message: AssistantMessage; reasoning: string }[]> {
    const query = this.#database.kysely
      .selectFrom('answers')
      .select(['node_id', 'message', 'reasoning'])
      .where('run_id', '=', runId)
      .where('reasoning', 'is not', null)
      .orderBy('key');
    const rows = await (taskId === undefined ? query : query.where('task_id', '=', taskId)).execute();
    return rows.map((row) => ({
      nodeId: row.node_id,
      message: JSON.parse(row.message) as AssistantMessage,
      reasoning: row.reasoning!,
    }));
  }

  /** Number of faults of these calls together, rate limits included. */
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

  /** Counts a fault of a call. @returns how many faults of each kind this call has had so far */
  async addFault(
    runId: string,
    fault: { key: string; role: string; kind: FaultKind; message: string },
  ): Promise<{ [kind in FaultKind]?: number }> {
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
    const rows = await this.#database.kysely
      .selectFrom('faults')
      .select(['kind', 'count'])
      .where('run_id', '=', runId)
      .where('key', '=', fault.key)
      .execute();
    return Object.fromEntries(rows.map(({ kind, count }) => [kind, Number(count)]));
  }

  /** Whether a model has answered any call of these roles in a run. */
  async hasAnswer(runId: string, roles: string[]): Promise<boolean> {
    const query = this.#database.kysely.selectFrom('answers').select('key').where('run_id', '=', runId);
    const paid = query.where('reused', '=', 0).where('role', 'in', roles);
    return (await paid.limit(1).executeTakeFirst()) !== undefined;
  }
}

function answerOf(row: AnswerTable): Answer {
  return {
    key: row.key,
    taskId: row.task_id,
    stepId: row.step_id,
    nodeId: row.node_id,
    role: row.role,
    purpose: row.purpose,
    stream: row.stream,
    sample: row.sample,
    ask: row.ask,
    within: row.asked_in === null || row.asked_for === null ? null : { nodeId: row.asked_in, purpose: row.asked_for },
    model: row.model,
    seed: row.seed,
    message: JSON.parse(row.message) as AssistantMessage,
    finishReason: row.finish_reason,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
    costMicroUsd: row.cost_micro_usd,
    latencyMs: row.latency_ms,
    throttledMs: row.throttled_ms,
    queuedMs: row.queued_ms,
    logprob: row.logprob,
    reasoning: row.reasoning,
    servedModel: row.served_model,
    callIds: row.call_ids === null ? null : (JSON.parse(row.call_ids) as (string | null)[]),
    sent: row.sent === null ? null : (JSON.parse(row.sent) as Json),
  };
}
