// Layer: kill-and-resume of a whole run on SQL tasks, whose queries run in processes of the worker's own.
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Lab, type LabRequest, outcomeOf, until } from '../helpers/lab.ts';
import { childrenOf } from '../helpers/processes.ts';

const request: LabRequest = { environment: 'sql-demo', limit: 6 };
let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open({
    address: inject('temporal').address,
    sql: true,
    latency: { distribution: 'fixed', meanMs: 40 },
  });
});
afterAll(() => lab.close());

// Processes are looked up in /proc, which only Linux has.
it.skipIf(!existsSync('/proc'))(
  'a killed worker leaves no query process behind, and the run comes to the same pairs',
  async () => {
    const worker = await lab.workApart();
    const undisturbed = await lab.start(request);
    await undisturbed.result();
    const expected = await outcomeOf(lab.store, undisturbed.id);
    const calls = await lab.countAnswers(undisturbed.id);
    expect(expected).toContain('"pairId"');

    const run = await lab.start(request);
    await until('half of the calls', async () => (await lab.countAnswers(run.id)) >= calls / 2);
    const children = childrenOf(worker.pid);
    expect(children.length).toBeGreaterThan(0);
    await worker.end('SIGKILL');
    await until('the query processes are gone', () => children.every((pid) => !isAlive(pid)));

    const other = await lab.workApart();
    expect(await run.result()).toMatchObject({ state: 'finished', done: 6 });
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
    const those = childrenOf(other.pid);
    expect(await other.end('SIGTERM')).toBe(0);
    await until('the query processes are gone', () => those.every((pid) => !isAlive(pid)));
  },
);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
