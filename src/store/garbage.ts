/**
 * What runs leave in a store, and how it is deleted: the rows of a run, then what no other run refers to of the states, with their transitions,
 * snapshots and outcomes. It is deleted in parts, so that workers on the store never wait long.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { chunks } from './chunks.ts';
import { holdsNow } from './claims.ts';
import type { Database } from './database.ts';
import { importScope } from './findings.ts';
import type { Schema } from './schema.ts';

/**
 * Tables whose rows belong to one run, in the order in which they are emptied. The run itself is last, so that an interrupted deletion is found
 * again.
 */
export const runTables = [
  'answers',
  'unusable_answers',
  'served_models',
  'faults',
  'reservations',
  'environment_costs',
  'spending',
  'claims',
  'waits',
  'rollouts',
  'cut_observations',
  'shared_results',
  'candidates',
  'scores',
  'steps',
  'proposals',
  'branches',
  'pairs',
  'examples',
  'audits',
  'trajectories',
  'run_tasks',
] as const satisfies (keyof Schema)[];

export const treeTables = ['nodes', 'transitions', 'snapshots', 'outcomes_so_far'] as const satisfies (keyof Schema)[];

export type RowCounts = { [table in (typeof runTables)[number] | (typeof treeTables)[number]]: number };

/** Columns that name states. Imported trajectories are among these rows, so their states stay. */
const references = [
  ['answers', 'node_id'],
  ['answers', 'asked_in'],
  ['candidates', 'node_id'],
  ['steps', 'node_id'],
  ['branches', 'node_id'],
  ['branches', 'leaf_id'],
  ['pairs', 'node_id'],
  ['pairs', 'chosen_leaf'],
  ['pairs', 'rejected_leaf'],
  ['examples', 'leaf_id'],
  ['trajectories', 'root_id'],
  ['trajectories', 'leaf_id'],
] as const;

const rowsPerDelete = 2_000;
const idsPerDelete = 500;

/** Parts of the tree that are no longer needed. */
export type TreeGarbage = { [table in (typeof treeTables)[number]]: string[] } & {
  /** Runs that were in progress when it was looked for: what they may need is no garbage. */
  inProgress: string[];
  /** How all other runs stood then. One that was started, taken up or audited since may need what was garbage. */
  mark: string;
};

export class Garbage {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Rows of these runs, by table. */
  async countRows(runIds: string[]): Promise<RowCounts> {
    const counts = Object.fromEntries([...runTables, ...treeTables].map((name) => [name, 0])) as RowCounts;
    for (const part of chunks(runIds, idsPerDelete)) {
      for (const name of runTables) {
        const { rows } = await sql<{ count: number }>`
          SELECT count(*) AS count FROM ${sql.table(name)} WHERE run_id IN (${sql.join(part)})`.execute(this.#kysely);
        counts[name] += Number(rows[0]!.count);
      }
    }
    return counts;
  }

  /** Runs with calls in progress, whatever their state says: an audit of a finished run makes calls too. */
  async runsWithCalls(): Promise<Set<string>> {
    const query = this.#kysely.selectFrom('claims').select('run_id').distinct().where(holdsNow(this.#database));
    return new Set((await query.execute()).map(({ run_id }) => run_id));
  }

  /**
   * Deletes a run with all that belongs to it alone.
   * @param progress gets the number of deleted rows of a table so far
   * @returns false if it is in progress again; nothing was deleted then
   */
  async deleteRun(runId: string, progress: (table: string, rows: number) => void): Promise<boolean> {
    // A cancelled run is never taken up again, not even if this deletion is interrupted.
    const { numUpdatedRows } = await this.#kysely
      .updateTable('runs')
      .set({ state: 'cancelled' })
      .where('id', '=', runId)
      .where(sql<SqlBool>`NOT ${this.#isInProgress()}`)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return false;
    await this.#rememberUses(runId);
    for (const name of runTables) {
      for (let gone = 0; ; ) {
        const deleted = await this.#deleteSome(name, runId);
        gone += deleted;
        if (deleted > 0) progress(name, gone);
        if (deleted < rowsPerDelete) break;
      }
    }
    await this.#kysely.deleteFrom('runs').where('id', '=', runId).execute();
    return true;
  }

  /** A model may have learned from deleted data: the leak guard must remember the groups. */
  async #rememberUses(runId: string): Promise<void> {
    for (const [table, use] of [
      ['pairs', 'pairs'],
      ['examples', 'sft'],
    ] as const) {
      await sql`
        INSERT INTO data_uses (run_id, use, environment, task_group, given_at)
        SELECT DISTINCT held.run_id, ${use}, runs.environment, held.task_group, CAST(${Date.now()} AS bigint)
        FROM ${sql.table(table)} held JOIN runs ON runs.id = held.run_id WHERE held.run_id = ${runId}
        ON CONFLICT DO NOTHING`.execute(this.#kysely);
    }
  }

  /**
   * States, transitions, snapshots and outcomes that nothing refers to, not counting the rows of some runs. The trees of tasks of runs in progress count as
   * needed: a worker may have just made a state that nothing refers to yet. A transition out of a needed state is kept too.
   */
  async findTreeGarbage(withoutRuns: string[]): Promise<TreeGarbage> {
    const busy = await sql<{ id: string }>`SELECT id FROM runs WHERE ${this.#isInProgress()}`.execute(this.#kysely);
    const inProgress = busy.rows.map(({ id }) => id);
    const mark = await this.#mark([...withoutRuns, ...inProgress]).execute(this.#kysely);
    const needed = this.#needed(withoutRuns);
    const ids = async (query: RawBuilder<{ id: string }>) =>
      (await query.execute(this.#kysely)).rows.map(({ id }) => id);
    // A message with several actions leads through states of the environment that no node has.
    const between =
      this.#database.engine === 'sqlite'
        ? sql`SELECT value FROM nodes, json_each(nodes.action_keys)`
        : sql`SELECT value FROM nodes, json_array_elements_text(CAST(nodes.action_keys AS json)) AS value`;
    const keys = sql`keys AS (
      SELECT state_key FROM nodes WHERE id IN (SELECT id FROM needed)
      UNION ${between} WHERE nodes.id IN (SELECT id FROM needed))`;
    const ofStates = (table: 'snapshots' | 'outcomes_so_far', state: RawBuilder<unknown>) =>
      ids(sql`${needed}, ${keys}
        SELECT state_key AS id FROM ${sql.table(table)} WHERE ${state} NOT IN (SELECT state_key FROM keys)`);
    return {
      nodes: await ids(sql`${needed} SELECT id FROM nodes WHERE id NOT IN (SELECT id FROM needed)`),
      transitions: await ids(sql`${needed}, ${keys}
        SELECT key AS id FROM transitions
        WHERE key NOT IN (SELECT state_key FROM keys) AND parent_key NOT IN (SELECT state_key FROM keys)`),
      snapshots: await ofStates('snapshots', sql`state_key`),
      outcomes_so_far: await ofStates('outcomes_so_far', sql`coalesce(of_state, state_key)`),
      inProgress,
      mark: mark.rows[0]!.mark,
    };
  }

  /**
   * Deletes what was found, unless a run was started, taken up or audited since, or an import is in progress: they may need it.
   * @returns whether all of it is gone
   */
  async deleteTree(garbage: TreeGarbage, progress: (table: string, rows: number) => void): Promise<boolean> {
    // An import has a claim of its own.
    const isQuiet = sql`(${this.#mark(garbage.inProgress)}) = ${garbage.mark} AND NOT EXISTS (
      SELECT 1 FROM claims WHERE ${noneOf('run_id', garbage.inProgress)} AND ${holdsNow(this.#database)})`;
    for (const name of treeTables) {
      const key = sql.ref(name === 'nodes' ? 'id' : name === 'transitions' ? 'key' : 'state_key');
      let gone = 0;
      for (const part of chunks(garbage[name], idsPerDelete)) {
        const { numAffectedRows } = await sql`
          DELETE FROM ${sql.table(name)} WHERE ${key} IN (${sql.join(part)}) AND ${isQuiet}`.execute(this.#kysely);
        gone += Number(numAffectedRows ?? 0);
        progress(name, gone);
      }
      if (gone < garbage[name].length) return false;
    }
    return true;
  }

  /** Bytes that the store occupies on its disk, deleted rows included. */
  async size(): Promise<number> {
    const query =
      this.#database.engine === 'sqlite'
        ? sql<{ size: number }>`SELECT page_count * page_size AS size FROM pragma_page_count(), pragma_page_size()`
        : sql<{ size: number }>`SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) AS size FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind = 'r'`;
    return Number((await query.execute(this.#kysely)).rows[0]!.size);
  }

  /** Returns the space of deleted rows to the disk. @throws CruxError `Store.Unavailable` while others use the store, `Store.Full` */
  async giveSpaceBack(): Promise<void> {
    if (this.#database.engine === 'postgres') {
      for (const name of [...runTables, ...treeTables]) await sql`VACUUM FULL ${sql.table(name)}`.execute(this.#kysely);
      return;
    }
    await sql`VACUUM`.execute(this.#kysely);
    await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(this.#kysely);
  }

  get #kysely() {
    return this.#database.kysely;
  }

  async #deleteSome(name: (typeof runTables)[number], runId: string): Promise<number> {
    // Both engines have a name for the place of a row. Nothing else can select a part of any table.
    const place = sql.ref(this.#database.engine === 'sqlite' ? 'rowid' : 'ctid');
    const { numAffectedRows } = await sql`
      DELETE FROM ${sql.table(name)} WHERE ${place} IN (
        SELECT ${place} FROM ${sql.table(name)} WHERE run_id = ${runId} LIMIT ${rowsPerDelete})`.execute(this.#kysely);
    return Number(numAffectedRows ?? 0);
  }

  /** SQL that holds for the runs that may take tasks or make calls. An audit of a finished run makes calls too. */
  #isInProgress(): RawBuilder<SqlBool> {
    return sql`(runs.finished_at IS NULL OR runs.id IN (SELECT run_id FROM claims WHERE ${holdsNow(this.#database)}))`;
  }

  /** SQL for what is another text when a run, but for some, is started, taken up, over or charged, and when a trajectory is imported. */
  #mark(except: string[]): RawBuilder<{ mark: string }> {
    // The character after the colon.
    const [imports, afterImports] = [importScope(''), 'import;'];
    const figures = [
      ...[
        sql`count(*)`,
        sql`coalesce(sum(created_at), 0)`,
        sql`count(finished_at)`,
        sql`coalesce(sum(finished_at), 0)`,
      ],
      sql`coalesce(sum(calls + reused + rollouts), 0)`,
      sql`(SELECT count(*) FROM trajectories WHERE run_id >= ${imports} AND run_id < ${afterImports})`,
    ];
    const texts = figures.map((figure) => sql`CAST(${figure} AS text)`);
    return sql`
      SELECT ${sql.join(texts, sql` || ' ' || `)} AS mark
      FROM runs LEFT JOIN spending ON spending.run_id = runs.id WHERE ${noneOf('runs.id', except)}`;
  }

  #needed(withoutRuns: string[]): RawBuilder<unknown> {
    const gone = withoutRuns.length === 0 ? sql`false` : sql`id IN (${sql.join(withoutRuns)})`;
    const named = references.map(
      ([name, column]) =>
        sql`SELECT ${sql.ref(column)} AS id FROM ${sql.table(name)} WHERE run_id NOT IN (SELECT id FROM gone)`,
    );
    const underWay = sql`
      SELECT nodes.id FROM nodes WHERE (nodes.environment, nodes.task_id) IN (
        SELECT runs.environment, run_tasks.task_id FROM runs JOIN run_tasks ON run_tasks.run_id = runs.id
        WHERE ${this.#isInProgress()})`;
    return sql`WITH RECURSIVE gone AS (SELECT id FROM runs WHERE ${gone}), named AS (${sql.join([...named, underWay], sql` UNION `)}),
      needed AS (
        SELECT id FROM named WHERE id IS NOT NULL
        UNION
        SELECT nodes.parent_id FROM nodes JOIN needed ON nodes.id = needed.id WHERE nodes.parent_id IS NOT NULL)`;
  }
}

function noneOf(column: string, ids: string[]): RawBuilder<SqlBool> {
  return ids.length === 0 ? sql`true` : sql`${sql.ref(column)} NOT IN (${sql.join(ids)})`;
}
