/**
 * What a run's environment read from the world outside, once for each name that the environment gives it: every branch and rollout of the run gets
 * the same. The first record of a name wins.
 */
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import type { Observation } from '../domain/observation.ts';
import type { TransitionOwner } from '../domain/run/transitions.ts';
import type { Database } from './database.ts';
import { contentHash } from './hash.ts';
import { jsonColumn, jsonOf } from './json-column.ts';

/** A result that did not end the task. */
export type SharedResult = { observation: Observation; details: { [name: string]: Json } | null };

export class SharedResults {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find({ runId, since }: TransitionOwner, name: string): Promise<SharedResult | null> {
    const row = await this.#database.kysely
      .selectFrom('shared_results')
      .select(['observation', 'details'])
      .where('run_id', '=', runId)
      .where('since', '=', since)
      .where('name_hash', '=', contentHash(name))
      .executeTakeFirst();
    return row ? { observation: JSON.parse(row.observation) as Observation, details: jsonOf(row.details) } : null;
  }

  /** @returns the record that counts: this one, or the one that was there before */
  async add(owner: TransitionOwner, name: string, result: SharedResult): Promise<SharedResult> {
    const { numInsertedOrUpdatedRows } = await this.#database.kysely
      .insertInto('shared_results')
      .values({
        run_id: owner.runId,
        since: owner.since,
        // A name may be longer than an index takes, and hold what a database refuses in a text.
        name_hash: contentHash(name),
        name: JSON.stringify(name),
        observation: canonicalJson(result.observation),
        details: jsonColumn(result.details),
        created_at: Date.now(),
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows ? result : ((await this.find(owner, name)) ?? result);
  }
}
