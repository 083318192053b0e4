/** Improvements, and the phases that they went through. */
import { finalStates } from '../domain/improve/ends.ts';
import type { HostedJob } from '../domain/improve/hosted-job.ts';
import type { Phase, PhaseRecord, PhaseResults } from '../domain/improve/rounds.ts';
import type { ImproveSettings } from '../domain/improve/settings.ts';
import type { ImproveEnd, ImproveState } from '../domain/wire/improve.ts';
import { CruxError } from '../errors.ts';
import type { Database } from './database.ts';
import { jsonColumn, jsonOf } from './json-column.ts';
import type { ImprovementTable, PhaseTable } from './schema.ts';
import { sortedBy } from './sorted-by.ts';

export type Improvement = {
  id: string;
  settings: ImproveSettings;
  /** The control row: no phase begins, and no call is made, while it is paused. */
  state: ImproveState;
  /** What stopped it; null if nothing did. */
  fault: { kind: string; message: string } | null;
  createdAt: number;
  finishedAt: number | null;
};

export class Improvements {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Records an improvement. One that exists is left as it is. */
  async create(id: string, settings: ImproveSettings): Promise<void> {
    await this.#database.kysely
      .insertInto('improvements')
      .values({
        id,
        settings: JSON.stringify(settings),
        state: 'running',
        fault: null,
        created_at: Date.now(),
        finished_at: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async find(id: string): Promise<Improvement | null> {
    const query = this.#database.kysely.selectFrom('improvements').selectAll().where('id', '=', id);
    const row = await query.executeTakeFirst();
    return row ? improvementOf(row) : null;
  }

  /** @throws CruxError `User.NotFound` */
  async get(id: string): Promise<Improvement> {
    const found = await this.find(id);
    if (found) return found;
    throw new CruxError('User.NotFound', `There is no improvement "${id}" in the store ${this.#database.location}.`, {
      remedy: '`crux status` lists what was started.',
    });
  }

  /** Newest first. */
  async list(): Promise<Improvement[]> {
    const query = this.#database.kysely.selectFrom('improvements').selectAll().orderBy('created_at', 'desc');
    return (await query.orderBy('id').execute()).map(improvementOf);
  }

  /** @returns false if it has finished or is cancelled; nothing was changed then */
  async steer(id: string, state: 'paused' | 'running' | 'cancelled'): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.kysely
      .updateTable('improvements')
      .set({ state, ...(state === 'running' && { finished_at: null, fault: null }) })
      .where('id', '=', id)
      .where('state', 'not in', [...finalStates])
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  /** Replaces some of its settings: its ceilings, those that it was started with, or what may change while it is not over. */
  async retune(id: string, changes: Partial<ImproveSettings>): Promise<void> {
    const { settings } = await this.get(id);
    await this.#database.kysely
      .updateTable('improvements')
      .set({ settings: JSON.stringify({ ...settings, ...changes }) })
      .where('id', '=', id)
      .execute();
  }

  /** Deletes it with its phases. */
  async remove(id: string): Promise<void> {
    const { kysely } = this.#database;
    await this.#database.atomically([
      kysely.deleteFrom('improve_phases').where('improvement_id', '=', id),
      kysely.deleteFrom('improvements').where('id', '=', id),
    ]);
  }

  /** Marks it as over. A cancelled one stays cancelled. @returns the state that it ended in */
  async finish(id: string, state: ImproveEnd, fault: Improvement['fault']): Promise<ImproveEnd> {
    const known = await this.get(id);
    const ended = known.state === 'cancelled' ? known.state : state;
    await this.#database.kysely
      .updateTable('improvements')
      .set({ state: ended, fault: fault && JSON.stringify(fault), finished_at: known.finishedAt ?? Date.now() })
      .where('id', '=', id)
      .execute();
    return ended;
  }

  /** The phases that began, in their order. */
  async phases(id: string): Promise<PhaseRecord[]> {
    const query = this.#database.kysely.selectFrom('improve_phases').selectAll().where('improvement_id', '=', id);
    return sortedBy(await query.execute(), ['started_at', 'round']).map(phaseOf);
  }

  /** A phase begins; again, if it began before. */
  async beginPhase(id: string, round: number, phase: Phase): Promise<void> {
    await this.#database.kysely
      .insertInto('improve_phases')
      .values({ improvement_id: id, round, phase, result: null, started_at: Date.now(), finished_at: null, job: null })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  /** A phase that was over begins again. */
  async reopenPhase(id: string, round: number, phase: Phase): Promise<void> {
    await this.#database.kysely
      .updateTable('improve_phases')
      .set({ result: null, finished_at: null })
      .where('improvement_id', '=', id)
      .where('round', '=', round)
      .where('phase', '=', phase)
      .execute();
  }

  /** A phase is over. The first result stays. */
  async endPhase<P extends Phase>(id: string, round: number, phase: P, result: PhaseResults[P]): Promise<void> {
    await this.#database.kysely
      .updateTable('improve_phases')
      .set({ result: JSON.stringify(result), finished_at: Date.now() })
      .where('improvement_id', '=', id)
      .where('round', '=', round)
      .where('phase', '=', phase)
      .where('result', 'is', null)
      .execute();
  }

  /** What is known of the job of a round's training at a service; null if nothing was sent there. */
  async job(id: string, round: number): Promise<HostedJob | null> {
    const row = await this.#training(id, round).select('job').executeTakeFirst();
    return jsonOf(row?.job ?? null);
  }

  /**
   * Notes what is known of a job. Of two attempts that have read the same, one can.
   * @param from as it was read
   * @returns false if it is something else by now; nothing was changed then
   */
  async changeJob(id: string, round: number, from: HostedJob | null, to: HostedJob): Promise<boolean> {
    const known = jsonColumn(from);
    const { numUpdatedRows } = await this.#database.kysely
      .updateTable('improve_phases')
      .set({ job: jsonColumn(to) })
      .where('improvement_id', '=', id)
      .where('round', '=', round)
      .where('phase', '=', 'train')
      .where('job', known === null ? 'is' : '=', known)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  #training(id: string, round: number) {
    const query = this.#database.kysely.selectFrom('improve_phases').where('improvement_id', '=', id);
    return query.where('round', '=', round).where('phase', '=', 'train');
  }
}

function improvementOf(row: ImprovementTable): Improvement {
  return {
    id: row.id,
    settings: JSON.parse(row.settings) as ImproveSettings,
    state: row.state as ImproveState,
    fault: row.fault === null ? null : (JSON.parse(row.fault) as Improvement['fault']),
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

function phaseOf(row: PhaseTable): PhaseRecord {
  return {
    round: row.round,
    phase: row.phase as Phase,
    result: row.result === null ? null : JSON.parse(row.result),
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  } as PhaseRecord;
}
