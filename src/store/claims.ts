/**
 * Which process is sending which call, over all processes of a store. The journal alone cannot keep two workers that come to one state at the
 * same moment (several samples of a task, branches that meet) from paying for the same call: neither finds an answer, and both ask.
 *
 * A claim is held for as long as its call is under way or its answer waits to be written. The holder renews it; one that is dead leaves a
 * claim behind that expires, and is taken over.
 */
import { sql } from 'kysely';
import type { Database } from './database.ts';

/** `mine`: the caller may send. `taken`: another holder has it. `taken-over`: it had expired, and is the caller's if nobody objects soon. */
export type ClaimState = 'mine' | 'taken' | 'taken-over';

export class Claims {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Claims a call. Whoever has it must look into the journal once more before it sends: the answer may have been written meanwhile.
   * @param untilMs until when it holds unless it is renewed, in milliseconds since 1970
   */
  async take(runId: string, key: string, holder: string, untilMs: number): Promise<ClaimState> {
    const { rows } = await sql<{ taken_over: number }>`
      INSERT INTO claims (run_id, key, holder, expires_at, taken_over) VALUES (${runId}, ${key}, ${holder}, ${untilMs}, 0)
      ON CONFLICT (run_id, key) DO UPDATE SET
        holder = excluded.holder,
        expires_at = excluded.expires_at,
        taken_over = CASE WHEN claims.holder = excluded.holder THEN 0 ELSE 1 END
      WHERE claims.holder = excluded.holder OR claims.expires_at < ${Date.now()}
      RETURNING taken_over`.execute(this.#database.kysely);
    const [row] = rows;
    if (!row) return 'taken';
    return Number(row.taken_over) === 1 ? 'taken-over' : 'mine';
  }

  async renew(holder: string, untilMs: number): Promise<void> {
    await this.#database.kysely
      .updateTable('claims')
      .set({ expires_at: untilMs })
      .where('holder', '=', holder)
      .execute();
  }

  async release(runId: string, key: string, holder: string): Promise<void> {
    const claim = this.#database.kysely.deleteFrom('claims').where('run_id', '=', runId).where('key', '=', key);
    await claim.where('holder', '=', holder).execute();
  }
}
