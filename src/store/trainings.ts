/**
 * Which process trains in which folder. A lease belongs to the supervisor of a training, a process that outlives workers: it renews the lease, and
 * records how far the training is and how it ended. Two trainings never write one folder: a lease is taken from a given holder, so of several who
 * found the same dead one only one gets it.
 */
import { dirname } from 'node:path';
import { type PhaseRecord, resultOf } from '../domain/improve/rounds.ts';
import type { StopReason, TrainingExit, TrainingProgress, TrainingState } from '../domain/improve/training.ts';
import type { ProcessPlace } from '../temporal/process-identity.ts';
import { storeTime } from './clock.ts';
import type { Database } from './database.ts';
import { jsonColumn, jsonOf } from './json-column.ts';
import type { Schema } from './schema.ts';

/** What a start inherits from those before it, of the same training. */
export type TrainingHistory = {
  /** How often the trainer was started, this start included. */
  starts: number;
  ranMs: number;
  /** The newest step that was reached before. */
  reachedBefore: number;
  /** Deaths in a row for the same reason without a new step. */
  deaths: number;
  /** Why it died last; null if it never did. */
  death: string | null;
};

export type Training = TrainingHistory & {
  /** Absolute. */
  folder: string;
  holder: string;
  host: string;
  /** The supervisor; null if the system does not tell. */
  process: ProcessPlace | null;
  state: TrainingState;
  /** How long ago the supervisor was heard of, and for how long it was, in milliseconds by the store's clock. */
  silentMs: number;
  heldMs: number;
  progress: TrainingProgress | null;
  stop: StopReason | null;
  exit: TrainingExit | null;
};

export class Trainings {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async get(folder: string): Promise<Training | null> {
    const row = await this.#database.kysely
      .selectFrom('trainings')
      .selectAll()
      .select(storeTime(this.#database).as('now'))
      .where('folder', '=', folder)
      .executeTakeFirst();
    return row ? trainingOf(row, Number(row.now)) : null;
  }

  /** The training of a round on a machine of our own, where its export was written; null if there is none. @param phases of the improvement */
  async ofRound(phases: readonly PhaseRecord[], round: number): Promise<Training | null> {
    const exported = resultOf(phases, round, 'export');
    return exported && this.get(dirname(exported.folder));
  }

  /**
   * Takes the lease of a folder.
   * @param from the holder that is known to be dead, or to have ended; null if the folder has none
   * @returns whether the caller has it; false if somebody else came first
   */
  async take(
    lease: Pick<Training, 'folder' | 'holder' | 'host' | 'process'>,
    history: TrainingHistory,
    from: string | null,
  ): Promise<boolean> {
    const now = storeTime(this.#database);
    const values = {
      holder: lease.holder,
      host: lease.host,
      pid: lease.process?.pid ?? null,
      start_mark: lease.process?.startMark ?? null,
      process_space: lease.process?.space ?? null,
      state: 'running',
      started_at: now,
      seen_at: now,
      starts: history.starts,
      ran_ms: history.ranMs,
      reached_before: history.reachedBefore,
      deaths: history.deaths,
      death: history.death,
      progress: null,
      stop: null,
      exit: null,
    };
    const { numInsertedOrUpdatedRows } = await this.#database.kysely
      .insertInto('trainings')
      .values({ folder: lease.folder, ...values })
      .onConflict((conflict) =>
        conflict
          .column('folder')
          .doUpdateSet(values)
          .where('trainings.holder', '=', from ?? ''),
      )
      .executeTakeFirst();
    return Number(numInsertedOrUpdatedRows) > 0;
  }

  /** Says that the holder lives, and how far it is. @returns why it is told to end, null if it is not; `lost` if it has the lease no more */
  async renew(folder: string, holder: string, progress: TrainingProgress | null): Promise<StopReason | null> {
    const row = await this.#database.kysely
      .updateTable('trainings')
      .set({ seen_at: storeTime(this.#database), progress: jsonColumn(progress) })
      .where('folder', '=', folder)
      .where('holder', '=', holder)
      .returning('stop')
      .executeTakeFirst();
    return row ? (row.stop as StopReason | null) : 'lost';
  }

  /** Tells a holder that is at work to end its training. */
  async requestStop(folder: string, holder: string): Promise<void> {
    const stop: StopReason = 'cancelled';
    await this.#of(folder, holder).set({ stop }).where('state', '=', 'running').execute();
  }

  /** The holder's last word. @returns whether it still had the lease */
  async end(
    folder: string,
    holder: string,
    end: { exit: TrainingExit; progress: TrainingProgress | null },
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.#of(folder, holder)
      .set({
        state: 'ended',
        exit: jsonColumn(end.exit),
        progress: jsonColumn(end.progress),
        seen_at: storeTime(this.#database),
      })
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Notes that the fault of a training was reported: the next one in its folder begins with a new count of deaths. */
  async giveUp(folder: string, holder: string): Promise<void> {
    await this.#of(folder, holder).set({ state: 'given-up' }).execute();
  }

  /** Deletes what is known of a folder's training: the next one there is another. */
  async forget(folder: string): Promise<void> {
    await this.#database.kysely.deleteFrom('trainings').where('folder', '=', folder).execute();
  }

  #of(folder: string, holder: string) {
    return this.#database.kysely.updateTable('trainings').where('folder', '=', folder).where('holder', '=', holder);
  }
}

function trainingOf(row: Schema['trainings'], now: number): Training {
  const { pid, start_mark: startMark, process_space: space } = row;
  return {
    folder: row.folder,
    holder: row.holder,
    host: row.host,
    process: pid === null || startMark === null || space === null ? null : { pid, startMark, space },
    state: row.state as TrainingState,
    silentMs: now - row.seen_at,
    heldMs: row.seen_at - row.started_at,
    starts: row.starts,
    ranMs: row.ran_ms,
    reachedBefore: row.reached_before,
    deaths: row.deaths,
    death: row.death,
    progress: jsonOf(row.progress),
    stop: row.stop as StopReason | null,
    exit: jsonOf(row.exit),
  };
}
