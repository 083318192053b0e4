// Layer: SQLite files of earlier versions.
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, it, onTestFinished } from 'vitest';
import { migrations } from '../../src/store/migrations.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { openStore } from '../../src/store/store.ts';
import { temporaryFolder } from '../helpers/store.ts';

it('a store from before spending was counted knows what its runs used', async () => {
  const path = join(temporaryFolder(), 'crux.db');
  const database = openSqlite(path);
  for (let version = 1; version <= 8; version++) {
    await database.migrate(version, migrations[version - 1]!(database.kysely, 'sqlite'));
  }
  for (const [run, key, tokens, reused] of [
    ['run-1', 'key-1', 10, 0],
    ['run-1', 'key-2', null, 0],
    ['run-1', 'key-3', 10, 1],
    ['run-2', 'key-1', 7, 0],
  ]) {
    await sql`
      INSERT INTO answers (run_id, key, node_id, role, purpose, stream, sample, ask, model, seed, message, finish_reason,
                           prompt_tokens, completion_tokens, cost_micro_usd, latency_ms, reused, created_at)
      VALUES (${run}, ${key}, '', '', '', '', 0, 0, '', 0, '{}', '', ${tokens}, 5, ${tokens}, 0, ${reused}, 0)`.execute(
      database.kysely,
    );
  }
  await sql`INSERT INTO rollouts (run_id, id) VALUES ('run-1', 'rollout-1'), ('run-3', 'rollout-1')`.execute(
    database.kysely,
  );
  await database.close();
  const store = await openStore(path);
  onTestFinished(() => store.close());
  const used = (runId: string) => store.reservations.use({ runId, taskId: null, stepId: null }, 'run');
  expect(await used('run-1')).toEqual({ calls: 2, tokens: 20, costMicroUsd: 10, rollouts: 1 });
  expect(await used('run-2')).toEqual({ calls: 1, tokens: 12, costMicroUsd: 7, rollouts: 0 });
  expect(await used('run-3')).toEqual({ calls: 0, tokens: 0, costMicroUsd: 0, rollouts: 1 });
});
