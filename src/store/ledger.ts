/**
 * The ledger of a run: a query over stored rows, never a counter that is incremented. Figures count logical demand, as if nothing had been cached;
 * separate figures count what was paid.
 */
import { type RawBuilder, sql } from 'kysely';
import { type LedgerPurpose, purposesThat } from '../domain/purpose.ts';
import type { Database } from './database.ts';

/** Calls of one role for one purpose. */
export type LedgerLine = LedgerPurpose & {
  role: string;
  calls: number;
  /** Of those, read from the journal of another run. */
  reused: number;
  /** Null if any answer has no usage. */
  promptTokens: number | null;
  completionTokens: number | null;
  /** Null if any price or usage is unknown. */
  costMicroUsd: number | null;
  /** Mean time of a call, without waits for the limiter. */
  meanLatencyMs: number;
  /** How long the provider kept the calls waiting, all added up. Null if no answer recorded it. */
  throttledMs: number | null;
  /** How long our own limits on places and rate kept them waiting. Null if the two were not recorded apart: `throttledMs` then holds both. */
  queuedMs: number | null;
};

/** Faults of the calls of one role. */
export type FaultLine = {
  role: string;
  kind: string;
  count: number;
  /** Calls that had such a fault. */
  calls: number;
  /** The message of one of them. */
  message: string;
};

/** @param of the run's own calls, or those of its audit, which are not part of the run's demand */
export async function ledgerLines(
  database: Database,
  runId: string,
  of: 'run' | 'audit' = 'run',
): Promise<LedgerLine[]> {
  const rows = await database.kysely
    .selectFrom('answers')
    .select(({ fn }) => [
      'role',
      'purpose',
      'asked_for as within',
      fn.countAll<number>().as('calls'),
      fn.sum<number>('reused').as('reused'),
      sumIfKnown('prompt_tokens').as('prompt'),
      sumIfKnown('completion_tokens').as('completion'),
      sumIfKnown('cost_micro_usd').as('cost'),
      fn.avg<number>('latency_ms').as('latency'),
      sumIfKnown('throttled_ms').as('throttled'),
      sumIfKnown('queued_ms').as('queued'),
      fn.sum<number>('queued_ms').as('queuedOfSome'),
    ])
    .where('run_id', '=', runId)
    .where(work, of === 'audit' ? '=' : '<>', 'reference')
    .groupBy(['role', 'purpose', 'asked_for'])
    .orderBy('role')
    .orderBy('purpose')
    .orderBy('asked_for')
    .execute();
  return rows.map((row) => ({
    role: row.role,
    purpose: row.purpose,
    within: row.within,
    calls: Number(row.calls),
    reused: Number(row.reused),
    promptTokens: numberOrNull(row.prompt),
    completionTokens: numberOrNull(row.completion),
    costMicroUsd: numberOrNull(row.cost),
    meanLatencyMs: Number(row.latency),
    ...waitedOf(row),
  }));
}

/** The usage of one task's calls, without those that only measure something. */
export type TaskLedger = {
  taskId: string;
  /** Prompt and generated tokens. Null if any answer has no usage. */
  tokens: number | null;
  /** Null if any price or usage is unknown. */
  costMicroUsd: number | null;
};

export async function ledgerByTask(database: Database, runId: string): Promise<TaskLedger[]> {
  const rows = await database.kysely
    .selectFrom('answers')
    // What a session asked stands under a step, which is no state.
    .leftJoin('nodes', 'nodes.id', 'answers.node_id')
    .select([
      sql<string>`coalesce(nodes.task_id, answers.task_id)`.as('taskId'),
      sumIfKnown('prompt_tokens').as('prompt'),
      sumIfKnown('completion_tokens').as('completion'),
      sumIfKnown('cost_micro_usd').as('cost'),
    ])
    .where('answers.run_id', '=', runId)
    .where(work, 'not in', purposesThat('measures'))
    .groupBy(sql`coalesce(nodes.task_id, answers.task_id)`)
    .orderBy('taskId')
    .execute();
  return rows.map(({ taskId, prompt, completion, cost }) => ({
    taskId,
    tokens: prompt === null || completion === null ? null : Number(prompt) + Number(completion),
    costMicroUsd: numberOrNull(cost),
  }));
}

/** One call of a task, with its usage. */
export type LedgerCall = LedgerPurpose & {
  role: string;
  stream: string;
  /** State in which it is made; of a session's question, the state in which the step is taken. */
  nodeId: string;
  /** Null if the answer has no usage. */
  promptTokens: number | null;
  completionTokens: number | null;
  /** Null if price or usage is unknown. */
  costMicroUsd: number | null;
};

/** The calls of a task, without those of an audit. */
export async function callsOfTask({ kysely }: Database, runId: string, taskId: string): Promise<LedgerCall[]> {
  const query = kysely
    .selectFrom('answers')
    .select(['role', 'purpose', 'asked_for as within', 'stream', 'prompt_tokens as promptTokens'])
    .select(sql<string>`coalesce(answers.asked_in, answers.node_id)`.as('nodeId'))
    .select(['completion_tokens as completionTokens', 'cost_micro_usd as costMicroUsd'])
    .where('answers.run_id', '=', runId)
    .where(work, '<>', 'reference');
  const noted = await query.where('answers.task_id', '=', taskId).execute();
  // Answers from earlier versions, which did not record the task.
  const others = query.where('answers.task_id', 'is', null).innerJoin('nodes', 'nodes.id', 'answers.node_id');
  return [...noted, ...(await others.where('nodes.task_id', '=', taskId).execute())];
}

/** Words of sealed tasks stay sealed. */
export async function faultLines(database: Database, runId: string): Promise<FaultLine[]> {
  const rows = await database.kysely
    .withoutPlugins()
    .selectFrom('faults')
    .select(({ fn }) => [
      'role',
      'kind',
      fn.sum<number>('count').as('count'),
      fn.countAll<number>().as('calls'),
      fn.max('last_message').as('message'),
    ])
    .where('run_id', '=', runId)
    .groupBy(['role', 'kind'])
    .orderBy('role')
    .orderBy('kind')
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count), calls: Number(row.calls) }));
}

function waitedOf(row: { throttled: number | null; queued: number | null; queuedOfSome: number | null }) {
  const [throttledMs, queuedMs] = [numberOrNull(row.throttled), numberOrNull(row.queued)];
  // If some answers have both in one figure, the sum does too.
  if (queuedMs !== null || throttledMs === null) return { throttledMs, queuedMs };
  return { throttledMs: throttledMs + Number(row.queuedOfSome ?? 0), queuedMs };
}

/** Which work a call is part of (`workOf`). */
const work = sql<string>`coalesce(answers.asked_for, answers.purpose)`;

/** A sum with an unknown part is unknown. */
function sumIfKnown(
  column: 'prompt_tokens' | 'completion_tokens' | 'cost_micro_usd' | 'throttled_ms' | 'queued_ms',
): RawBuilder<number | null> {
  return sql`CASE WHEN count(*) = count(${sql.ref(column)}) THEN sum(${sql.ref(column)}) END`;
}

function numberOrNull(value: number | null): number | null {
  return value === null ? null : Number(value);
}
