import { sql } from 'kysely';
import { brokenEndings, isWorthAnother } from '../domain/fault-ending.ts';
import { type CeilingChanges, type Ceilings, ceilingsFrom } from '../domain/run/ceilings.ts';
import type { RunConfig, RunState } from '../domain/run/run-config.ts';
import type { TrajectoryResult } from '../domain/wire/trajectory.ts';
import { CruxError, type FaultKind } from '../errors.ts';
import { chunks } from './chunks.ts';
import type { Database } from './database.ts';
import { jsonOf } from './json-column.ts';
import type { RunTable, RunTaskTable } from './schema.ts';
import { sortedBy } from './sorted-by.ts';
import { storableText } from './text.ts';

export type Run = {
  id: string;
  method: string;
  environment: string;
  seed: number;
  config: RunConfig;
  state: RunState;
  /** Null if it is not blocked. */
  block: Block | null;
  ceilings: Ceilings;
  reuse: string[];
  createdAt: number;
  finishedAt: number | null;
};

/** Why a run stands still until the user acts. */
export type Block = {
  kind: FaultKind;
  /** Endpoint, by its name in the configuration, and its provider in the store. */
  endpoint: string;
  provider: string;
  model: string;
  /** The server's words. */
  message: string;
  /** In milliseconds since 1970. */
  since: number;
};

export type RunTask = {
  position: number;
  taskId: string;
  sample: number;
  importedId: string | null;
  /** Null in runs from earlier versions. */
  group: string | null;
  difficulty: string | null;
  title: string | null;
  state: 'waiting' | 'done';
  /** Its result; null while it waits. */
  result: TrajectoryResult | null;
};

/** A task as it is added to a run. */
export type NewRunTask = Pick<RunTask, 'position' | 'taskId' | 'sample' | 'importedId'> &
  Partial<Pick<RunTask, 'group' | 'difficulty' | 'title'>>;

/** The control row of a run: every call and every workflow obeys it. A run that re-uses the id of a deleted one was created at another time. */
export type Control = Pick<Run, 'state' | 'ceilings' | 'block' | 'createdAt'>;

const insertChunk = 500;

export class Runs {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Records a run and its tasks, all or nothing. A run that already exists is left as it is, whichever process made it. */
  async create(run: Omit<Run, 'state' | 'block' | 'createdAt' | 'finishedAt'>, tasks: NewRunTask[]): Promise<void> {
    const { kysely } = this.#database;
    const statements = [
      kysely.insertInto('runs').values({
        id: run.id,
        method: run.method,
        environment: run.environment,
        seed: run.seed,
        config: JSON.stringify(run.config),
        state: 'running',
        block: null,
        ceilings: JSON.stringify(run.ceilings),
        reuse: JSON.stringify(run.reuse),
        created_at: Date.now(),
        finished_at: null,
      }),
      ...chunks(tasks, insertChunk).map((part) =>
        kysely.insertInto('run_tasks').values(
          part.map((task) => ({
            run_id: run.id,
            position: task.position,
            task_id: task.taskId,
            sample: task.sample,
            task_group: task.group ?? null,
            difficulty: task.difficulty ?? null,
            title: task.title === undefined || task.title === null ? null : storableText(task.title),
            imported_id: task.importedId,
            state: 'waiting',
            result: null,
            slot: null,
          })),
        ),
      ),
    ];
    try {
      await this.#database.atomically(statements);
    } catch (error) {
      if (!(await this.find(run.id))) throw error;
    }
  }

  async find(id: string): Promise<Run | null> {
    const row = await this.#database.kysely.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst();
    return row ? runOf(row) : null;
  }

  /** @throws CruxError `User.NotFound` */
  async get(id: string): Promise<Run> {
    const run = await this.find(id);
    if (run) return run;
    const known = (await this.list()).slice(0, 5).map((other) => other.id);
    throw new CruxError('User.NotFound', `There is no run "${id}" in the store ${this.#database.location}.`, {
      remedy: known.length
        ? `Its newest runs: ${known.map((name) => `"${name}"`).join(', ')}. \`crux status\` lists all.`
        : 'No run was started in this store yet.',
    });
  }

  /** All runs, newest first. */
  async list(): Promise<Run[]> {
    const rows = await this.#database.kysely
      .selectFrom('runs')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .execute();
    return rows.map(runOf);
  }

  /** Runs whose ids begin so, the oldest first. */
  async under(prefix: string): Promise<Run[]> {
    const query = this.#database.kysely.selectFrom('runs').selectAll().where('id', '>=', prefix);
    const rows = await query.where('id', '<', `${prefix}\uffff`).orderBy('created_at').orderBy('id').execute();
    return rows.map(runOf);
  }

  async control(id: string): Promise<Control> {
    const row = await this.#database.kysely
      .selectFrom('runs')
      .select(['state', 'ceilings', 'block', 'created_at'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (!row) throw new CruxError('User.NotFound', `There is no run "${id}" in the store ${this.#database.location}.`);
    return {
      state: row.state as RunState,
      ceilings: ceilingsFrom(JSON.parse(row.ceilings) as CeilingChanges),
      block: blockOf(row),
      createdAt: row.created_at,
    };
  }

  /** @returns whether the run is now blocked; a run that is no longer at work does not become blocked */
  async block(id: string, block: Block): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.kysely
      .updateTable('runs')
      .set({ state: 'blocked', block: JSON.stringify({ ...block, message: storableText(block.message) }) })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  /**
   * Its reason is mended: the run goes on.
   * @returns whether it does; a run that is blocked by something else by now, or not any more, is left as it is
   */
  async unblock(id: string, { kind, since }: Pick<Block, 'kind' | 'since'>): Promise<boolean> {
    const { block } = await this.control(id);
    if (block?.kind !== kind || block.since !== since) return false;
    const { numUpdatedRows } = await this.#database.kysely
      .updateTable('runs')
      .set({ state: 'running', block: null })
      .where('id', '=', id)
      .where('state', '=', 'blocked')
      .where('block', '=', JSON.stringify(block))
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  /** Another state ends a block. A cancelled run stays as it is. */
  async setControl(id: string, control: Partial<Pick<Control, 'state' | 'ceilings'>>): Promise<void> {
    if (!control.state && !control.ceilings) return;
    await this.#database.kysely
      .updateTable('runs')
      .set({
        ...(control.state && { state: control.state, block: null }),
        // A run that continues is not over.
        ...(control.state === 'running' && { finished_at: null }),
        ...(control.ceilings && { ceilings: JSON.stringify(control.ceilings) }),
      })
      .where('id', '=', id)
      .$if(control.state !== undefined, (query) => query.where('state', '<>', 'cancelled'))
      .execute();
  }

  /** @returns false if the run is over or cancelled; nothing was changed then */
  async steer(id: string, state: 'paused' | 'running' | 'cancelled'): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.kysely
      .updateTable('runs')
      .set({ state, block: null })
      .where('id', '=', id)
      .where('finished_at', 'is', null)
      .where('state', '<>', 'cancelled')
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  /** Replaces a run's configuration by one that differs only in settings of the wire. */
  async reshape(id: string, config: RunConfig): Promise<void> {
    await this.#database.kysely
      .updateTable('runs')
      .set({ config: JSON.stringify(config) })
      .where('id', '=', id)
      .execute();
  }

  /** Marks a run as over. A cancelled one stays cancelled. */
  async finish(id: string, state: RunState): Promise<void> {
    await this.#database.kysely
      .updateTable('runs')
      .set({
        state: sql<string>`CASE WHEN state = 'cancelled' THEN state ELSE ${state} END`,
        block: null,
        finished_at: sql<number>`coalesce(finished_at, ${Date.now()})`,
      })
      .where('id', '=', id)
      .execute();
  }

  /** Puts a working run to rest. One that is paused or blocked stays so: no worker continues it either. @returns whether it rests now */
  async rest(id: string): Promise<boolean> {
    await this.#database.kysely
      .updateTable('runs')
      .set({ state: 'resting' })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .where('finished_at', 'is', null)
      .execute();
    return (await this.control(id)).state === 'resting';
  }

  /**
   * Tasks that a fault of host or model ended wait again. Journal and tree stay. What is known of their steps goes, because the fault is part of it;
   * so do branches that a fault ended.
   * @returns how many
   */
  async reopen(id: string): Promise<number> {
    const { kysely } = this.#database;
    const worth = (await this.tasks(id)).filter(({ result }) => result !== null && isWorthAnother(result));
    for (const part of chunks(worth, insertChunk)) {
      const positions = part.map(({ position }) => position);
      const trajectories = kysely
        .selectFrom('trajectories')
        .innerJoin('run_tasks', (join) =>
          join
            .onRef('run_tasks.run_id', '=', 'trajectories.run_id')
            .onRef('run_tasks.task_id', '=', 'trajectories.task_id')
            .onRef('run_tasks.sample', '=', 'trajectories.sample'),
        )
        .select('trajectories.id')
        .where('trajectories.run_id', '=', id)
        .where('run_tasks.position', 'in', positions);
      const steps = kysely.selectFrom('steps').where('run_id', '=', id).where('trajectory_id', 'in', trajectories);
      await this.#database.atomically([
        kysely
          .deleteFrom('branches')
          .where('run_id', '=', id)
          .where('ending', 'in', [...brokenEndings])
          // Samples of a task share the branches of a state: it is recorded with the trajectory that was there first.
          .where(({ eb, or }) =>
            or([eb('trajectory_id', 'in', trajectories), eb('node_id', 'in', steps.select('node_id'))]),
          ),
        kysely.deleteFrom('steps').where('run_id', '=', id).where('trajectory_id', 'in', trajectories),
        kysely
          .updateTable('run_tasks')
          .set({ state: 'waiting', result: null, slot: null })
          .where('run_id', '=', id)
          .where('position', 'in', positions),
      ]);
    }
    return worth.length;
  }

  /** Tasks from a position on, in the campaign's order. */
  async tasks(id: string, options: { from?: number; limit?: number } = {}): Promise<RunTask[]> {
    const rows = await this.#database.kysely
      .selectFrom('run_tasks')
      .selectAll()
      .where('run_id', '=', id)
      .where('position', '>=', options.from ?? 0)
      .orderBy('position')
      .limit(options.limit ?? 1_000_000)
      .execute();
    return rows.map(runTaskOf);
  }

  async task(id: string, position: number): Promise<RunTask> {
    const [task] = await this.tasks(id, { from: position, limit: 1 });
    if (task?.position !== position) throw new Error(`Run ${id} has no task at position ${position}.`);
    return task;
  }

  /** The samples of a task. */
  async samplesOf(id: string, taskId: string): Promise<RunTask[]> {
    const query = this.#database.kysely.selectFrom('run_tasks').selectAll();
    const rows = await query.where('run_id', '=', id).where('task_id', '=', taskId).execute();
    return sortedBy(rows, ['position']).map(runTaskOf);
  }

  async countTasks(id: string): Promise<{ total: number; done: number }> {
    const rows = await this.#database.kysely
      .selectFrom('run_tasks')
      .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
      .where('run_id', '=', id)
      .groupBy('state')
      .execute();
    const count = (state?: string) =>
      rows.filter((row) => !state || row.state === state).reduce((sum, row) => sum + Number(row.count), 0);
    return { total: count(), done: count('done') };
  }

  /** What all runs but one have spent whose ids begin so. Costs: as far as they are known. */
  async spentUnder(
    prefix: string,
    except: string,
  ): Promise<{ calls: number; tokens: number; costMicroUsd: number; rollouts: number }> {
    const { kysely } = this.#database;
    const sum = (name: 'calls' | 'tokens' | 'cost_micro_usd' | 'rollouts') =>
      sql<number>`coalesce(sum(${sql.ref(name)}), 0)`.as(name);
    const row = await kysely
      .selectFrom('spending')
      .select([sum('calls'), sum('tokens'), sum('cost_micro_usd'), sum('rollouts')])
      .where('run_id', '<>', except)
      .where('run_id', '>=', prefix)
      .where('run_id', '<', `${prefix}\uffff`)
      .executeTakeFirstOrThrow();
    return {
      calls: Number(row.calls),
      tokens: Number(row.tokens),
      costMicroUsd: Number(row.cost_micro_usd),
      rollouts: Number(row.rollouts),
    };
  }

  /** A slot takes the next waiting task that no slot has, from a position on. @returns null when there is none */
  async takeTask(id: string, slot: number, from: number): Promise<RunTask | null> {
    const { kysely, engine } = this.#database;
    const next = kysely
      .selectFrom('run_tasks')
      .select('position')
      .where('run_id', '=', id)
      .where('state', '=', 'waiting')
      .where('slot', 'is', null)
      .where('position', '>=', from)
      .orderBy('position')
      .limit(1);
    const row = await kysely
      .updateTable('run_tasks')
      .set({ slot })
      .where('run_id', '=', id)
      // Two workers that ask Postgres at once must not get the same one.
      .where('position', '=', engine === 'postgres' ? next.forUpdate().skipLocked() : next)
      .returningAll()
      .executeTakeFirst();
    return row ? runTaskOf(row) : null;
  }

  /** Waiting tasks that a slot has taken, or any slot. */
  async takenTasks(id: string, slot?: number): Promise<RunTask[]> {
    const taken = this.#database.kysely.selectFrom('run_tasks').selectAll().where('run_id', '=', id);
    const waiting = taken.where('state', '=', 'waiting').where('slot', 'is not', null).orderBy('position');
    return (await (slot === undefined ? waiting : waiting.where('slot', '=', slot)).execute()).map(runTaskOf);
  }

  /** Tasks that slots have taken, and have not done, are free again. */
  async freeTasks(id: string): Promise<void> {
    const tasks = this.#database.kysely.updateTable('run_tasks').set({ slot: null }).where('run_id', '=', id);
    await tasks.where('state', '=', 'waiting').where('slot', 'is not', null).execute();
  }

  /** Records how a task ended that has no result of its own. @returns its result, which is another one if it has one by now */
  async loseTask(id: string, result: TrajectoryResult): Promise<TrajectoryResult> {
    const { numUpdatedRows } = await this.#database.kysely
      .updateTable('run_tasks')
      .set({ state: 'done', result: JSON.stringify(result) })
      .where('run_id', '=', id)
      .where('position', '=', result.position)
      .where('result', 'is', null)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n ? result : ((await this.task(id, result.position)).result ?? result);
  }

  async finishTask(id: string, position: number, result: TrajectoryResult): Promise<void> {
    await this.#database.kysely
      .updateTable('run_tasks')
      .set({ state: 'done', result: JSON.stringify(result) })
      .where('run_id', '=', id)
      .where('position', '=', position)
      .execute();
  }
}

function runOf(row: RunTable): Run {
  return {
    id: row.id,
    method: row.method,
    environment: row.environment,
    seed: row.seed,
    config: JSON.parse(row.config) as RunConfig,
    state: row.state as RunState,
    block: blockOf(row),
    ceilings: ceilingsFrom(JSON.parse(row.ceilings) as CeilingChanges),
    reuse: JSON.parse(row.reuse) as string[],
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

function blockOf({ state, block }: Pick<RunTable, 'state' | 'block'>): Block | null {
  return state !== 'blocked' || block === null ? null : (JSON.parse(block) as Block);
}

function runTaskOf(row: RunTaskTable): RunTask {
  return {
    position: row.position,
    taskId: row.task_id,
    sample: row.sample,
    importedId: row.imported_id,
    group: row.task_group,
    difficulty: row.difficulty,
    title: row.title,
    state: row.state as RunTask['state'],
    result: jsonOf(row.result),
  };
}
