/** A store that is away for a while, as its writers see it. */
import { sql } from 'kysely';
import { expect, type MockInstance } from 'vitest';
import type { Store } from '../../src/store/store.ts';

/** Lets nothing be written to a SQLite store: it is away, by its own fault. */
export async function makeReadOnly(store: Store, isReadOnly: boolean): Promise<void> {
  await sql`PRAGMA query_only = ${sql.lit(Number(isReadOnly))}`.execute(store.database.kysely);
}

/** Waits until a write was refused. */
export async function refused(writing: MockInstance): Promise<void> {
  await expect.poll(() => writing.mock.settledResults.some(({ type }) => type === 'rejected')).toBe(true);
}
