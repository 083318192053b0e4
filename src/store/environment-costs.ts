/**
 * What the steps of environments cost: one row for each time that a step was really taken, a replay of it included. Recorded results cost nothing
 * and have no row.
 */
import { sql } from 'kysely';
import { purposesThat } from '../domain/purpose.ts';
import type { Database } from './database.ts';
import type { Reservations, Scope } from './reservations.ts';

/** A step that was really taken, of an environment whose steps cost. */
export type StepCost = {
  /** Drawn when the step began: also the key of what was held for it. */
  id: string;
  scope: Scope;
  environment: string;
  /** Task of the step, also in an audit, which counts for no task. */
  taskId: string;
  /** State in which the step is taken; in a replay, the state that is restored. */
  nodeId: string;
  /** What it was taken for, and in which rollout. */
  purpose: string;
  stream: string;
  /** Null if the step failed or reported none. */
  costMicroUsd: number | null;
  /** The most that it may cost, as the environment says; null if it says nothing. */
  mostMicroUsd: number | null;
};

/** The cost of the steps of one purpose. */
export type EnvironmentCostLine = {
  purpose: string;
  /** Steps that were really taken, as often as they were. */
  steps: number;
  /** Of these, the ones that failed or reported no cost, though the environment says that its steps cost. */
  unknown: number;
  /** Of these, the ones that cost more than the environment's `maxStepCost`. */
  aboveMost: number;
  /** What the others cost together. */
  knownMicroUsd: number;
  /** Null if the cost of any step is unknown. */
  costMicroUsd: number | null;
};

/** The cost of the steps of one task or state. Null if the cost of any step is unknown. */
export type EnvironmentCostOf = { id: string; costMicroUsd: number | null };

export class EnvironmentCosts {
  readonly #database: Database;
  readonly #reservations: Reservations;

  constructor(database: Database, reservations: Reservations) {
    this.#database = database;
    this.#reservations = reservations;
  }

  /** Records a step, and ends what was held for it. A step of unknown cost keeps it: it counts for ceilings at its most. Twice is once. */
  async add(step: StepCost): Promise<void> {
    const { runId } = step.scope;
    await this.#database.atomically([
      this.#reservations.settle(runId, step.id, step.costMicroUsd !== null),
      this.#database.kysely
        .insertInto('environment_costs')
        .values({
          run_id: runId,
          id: step.id,
          task_id: step.scope.taskId,
          step_id: step.scope.stepId,
          environment: step.environment,
          of_task: step.taskId,
          node_id: step.nodeId,
          purpose: step.purpose,
          stream: step.stream,
          cost_micro_usd: step.costMicroUsd,
          most_micro_usd: step.mostMicroUsd,
          created_at: Date.now(),
        })
        .onConflict((conflict) => conflict.doNothing()),
    ]);
  }

  /** @param of the run's own steps, or those of its audit */
  async lines(runId: string, of: 'run' | 'audit' = 'run'): Promise<EnvironmentCostLine[]> {
    const rows = await this.#database.kysely
      .selectFrom('environment_costs')
      .select(({ fn }) => [
        'purpose',
        fn.countAll<number>().as('steps'),
        fn.count<number>('cost_micro_usd').as('known'),
        fn.sum<number | null>('cost_micro_usd').as('cost'),
        sql<number>`coalesce(sum(CASE WHEN cost_micro_usd > most_micro_usd THEN 1 ELSE 0 END), 0)`.as('above'),
      ])
      .where('run_id', '=', runId)
      .where('purpose', of === 'audit' ? '=' : '<>', 'reference')
      .groupBy('purpose')
      .orderBy('purpose')
      .execute();
    return rows.map(({ purpose, steps, known, cost, above }) => {
      const knownMicroUsd = Number(cost ?? 0);
      const unknown = Number(steps) - Number(known);
      const costMicroUsd = unknown > 0 ? null : knownMicroUsd;
      return { purpose, steps: Number(steps), unknown, aboveMost: Number(above), knownMicroUsd, costMicroUsd };
    });
  }

  /** By task, without steps that only measure something. */
  async byTask(runId: string): Promise<EnvironmentCostOf[]> {
    const query = this.#costs('of_task', runId);
    return costsOf(await query.where('purpose', 'not in', purposesThat('measures')).execute());
  }

  /** Of one task by state: that of the step for which its ceilings count, else the one in which it was taken. Without an audit. */
  async byStateOf(runId: string, taskId: string): Promise<EnvironmentCostOf[]> {
    const query = this.#costs(sql<string>`coalesce(step_id, node_id)`, runId).where('of_task', '=', taskId);
    return costsOf(await query.where('purpose', '<>', 'reference').execute());
  }

  /** Everything that is known to have been spent, audits included. For progress displays. */
  async known(runId: string): Promise<number> {
    const query = this.#database.kysely
      .selectFrom('environment_costs')
      .select(({ fn }) => fn.sum<number | null>('cost_micro_usd').as('cost'));
    return Number((await query.where('run_id', '=', runId).executeTakeFirstOrThrow()).cost ?? 0);
  }

  #costs(by: 'of_task' | ReturnType<typeof sql<string>>, runId: string) {
    const column = typeof by === 'string' ? sql<string>`${sql.ref(by)}` : by;
    return this.#database.kysely
      .selectFrom('environment_costs')
      .select(({ fn }) => [
        column.as('id'),
        fn.countAll<number>().as('steps'),
        fn.count<number>('cost_micro_usd').as('known'),
        fn.sum<number | null>('cost_micro_usd').as('cost'),
      ])
      .where('run_id', '=', runId)
      .groupBy(column)
      .orderBy('id');
  }
}

function costsOf(rows: { id: string; steps: number; known: number; cost: number | null }[]): EnvironmentCostOf[] {
  return rows.map(({ id, steps, known, cost }) => ({
    id,
    costMicroUsd: Number(known) < Number(steps) ? null : Number(cost ?? 0),
  }));
}
