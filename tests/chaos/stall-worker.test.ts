// Layer: kill-and-resume. A worker is a process of its own that stands still for a while, and lives on.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, inject, it, onTestFinished } from 'vitest';
import { Lab, until } from '../helpers/lab.ts';
import { startModelEndpoint } from '../helpers/model-endpoint.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';

it('a worker that is taken for dead while it stands still wakes up, and the calls that it was making are not made again', async () => {
  const { address } = inject('temporal');
  const lab = await Lab.open({ address });
  onTestFinished(() => lab.close());
  const hold = Promise.withResolvers<void>();
  const endpoint = await startModelEndpoint(() => ({ after: hold.promise }));
  const startWorker = async () => {
    const worker = await startWorkerProcess({
      home: lab.home,
      address,
      simulationUrl: endpoint.url.replace(/\/v1$/, ''),
    });
    onTestFinished(async () => void (await worker.end('SIGKILL')));
    return worker;
  };
  const run = await lab.start({ method: 'evaluate', split: 'train', limit: 4, config: { run: { stepLimit: 1 } } });
  const { pid } = await startWorker();
  await endpoint.requested(4);
  await stopOutsideTransactions(pid, join(lab.home, 'crux.db'));
  try {
    await startWorker();
    // Temporal has given the work to the other worker, which finds a call claimed by one that does not renew its claims.
    const wanted = lab.store.database.kysely.selectFrom('claims').selectAll().where('taken_over', '=', 1);
    await until('a call is about to be made again', async () => (await wanted.execute()).length > 0);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const renewed = lab.store.database.kysely
    .selectFrom('claims')
    .selectAll()
    .where('expires_at', '>', Date.now() + 5_000);
  await until('the claims are renewed', async () => (await renewed.execute()).length === 4);
  hold.resolve();
  expect(await run.result()).toMatchObject({ state: 'finished', done: 4 });
  expect(endpoint.requests.length).toBe(4);
});

/** A worker that is stopped while it writes keeps SQLite's lock, and no other worker can do anything until it goes on. */
async function stopOutsideTransactions(pid: number, file: string): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 200 });
  try {
    await until('the worker stands still and does not write', async () => {
      process.kill(pid, 'SIGSTOP');
      try {
        database.exec('BEGIN IMMEDIATE; ROLLBACK');
        return true;
      } catch {
        process.kill(pid, 'SIGCONT');
        return false;
      }
    });
  } finally {
    database.close();
  }
}
