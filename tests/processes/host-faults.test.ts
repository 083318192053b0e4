// Layer: real processes, struck from outside. What the host does to a query is never what the database says.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { observationText } from '../../src/domain/observation.ts';
import { interCodeSql } from '../../src/environments/intercode-sql/environment.ts';
import { type ExecutorOptions, SqlExecutor } from '../../src/environments/intercode-sql/executor.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { SessionCache } from '../../src/environments/sessions/session-cache.ts';
import { nextStateKey, positionAfter } from '../../src/store/tree.ts';
import { demoFolder } from '../helpers/sql-datasets.ts';
import { temporaryStore } from '../helpers/store.ts';

const { signal } = new AbortController();
const execute = (query: string) => ({ tool: 'execute_sql', arguments: { query } });
const submit = { tool: 'submit', arguments: {} };
const counting = (to: number) =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${to}) SELECT COUNT(*) FROM n`;
/** Some tenths of a second of processor time. */
const long = counting(1_000_000);
const short = counting(100_000);
const endless = counting(1e15);
const cakes = 'SELECT name, price FROM product WHERE category = "cake"';
const limits = { rows: 1000, characters: 100_000 };

type Strike = (processIds: number[]) => void;
const sends =
  (name: NodeJS.Signals): Strike =>
  (processIds) => {
    for (const id of processIds) {
      try {
        process.kill(id, name);
      } catch {
        // It ended meanwhile.
      }
    }
  };

/** An executor whose processes are struck as soon as they have a query, as often as it says. */
class StruckExecutor extends SqlExecutor {
  strike: Strike = () => {};
  reads = 0;
  decisions = 0;
  struck = 0;

  override run(...call: Parameters<SqlExecutor['run']>) {
    return this.#struck(super.run(...call), () => this.reads-- > 0);
  }

  override decide(...call: Parameters<SqlExecutor['decide']>) {
    return this.#struck(super.decide(...call), () => this.decisions-- > 0);
  }

  #struck<Result>(running: Promise<Result>, isDue: () => boolean): Promise<Result> {
    if (isDue()) {
      this.struck++;
      this.strike(this.processIds());
    }
    return running;
  }
}

let folder: string;
beforeAll(async () => {
  folder = await demoFolder();
});

let executor: StruckExecutor;
afterEach(() => executor.close());

function start(options: ExecutorOptions = {}): StruckExecutor {
  executor = new StruckExecutor({ size: 1, stallLimitMs: 2000, ...options });
  return executor;
}

/** Strikes every process once, as soon as it was given a query. @returns how to stop that */
function striking(sql: SqlExecutor, name: NodeJS.Signals): () => void {
  const known = new Set<number>();
  let isOver = false;
  const look = () => {
    if (isOver) return;
    const fresh = sql.busyProcessIds().filter((id) => !known.has(id));
    for (const id of fresh) known.add(id);
    sends(name)(fresh);
    setImmediate(look);
  };
  look();
  return () => {
    isOver = true;
  };
}

const request = (query: string) => {
  return { path: join(folder, 'databases', 'bakery.sqlite'), database: 'bakery', query, limits, lenient: false };
};
const strikes = [
  ['killed', 'SIGKILL'],
  ['stopped', 'SIGSTOP'],
] as const;

describe('a query', () => {
  it.each(strikes)('whose process is %s from outside gives its rows from a fresh process', async (_, name) => {
    const sql = start();
    await sql.run(request('SELECT 1'));
    const [first] = sql.processIds();
    const running = sql.run(request(long));
    await sleep(50);
    sends(name)(sql.processIds());
    expect(await running).toMatchObject({ kind: 'rows', rows: ['(1000000,)'] });
    expect(sql.processIds()).not.toContain(first);
  });

  it('whose processes are killed while they start runs in the next one, and is a fault when none starts', async () => {
    const sql = start();
    const killing = (times: number) => {
      const known = new Set<number>();
      return setInterval(() => {
        const fresh = sql.processIds().filter((id) => !known.has(id));
        for (const id of fresh) known.add(id);
        if (known.size <= times) sends('SIGKILL')(fresh);
      }, 1);
    };
    const twice = killing(2);
    expect(await sql.run(request('SELECT 1'))).toMatchObject({ rows: ['(1,)'] });
    clearInterval(twice);
    sends('SIGKILL')(sql.processIds());
    const always = killing(1000);
    await expect(sql.run(request('SELECT 1'))).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringContaining('3 in a row failed, the last one killed by SIGKILL'),
    });
    clearInterval(always);
    expect(await sql.run(request('SELECT 2'))).toMatchObject({ rows: ['(2,)'] });
  });

  it.each([
    ['killed', 'SIGKILL', /ended 3 times .* killed by SIGKILL; killed by SIGKILL; killed by SIGKILL/],
    ['stopped', 'SIGSTOP', /ended 3 times .* stood still for 0\.5 s/],
  ] as const)('whose processes are %s each time is a fault, and the next one runs', async (_, name, message) => {
    const sql = start({ stallLimitMs: 500 });
    await sql.run(request('SELECT 1'));
    const running = expect(sql.run(request(endless))).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringMatching(message),
      remedy: expect.stringContaining('lack of memory'),
    });
    const endStrikes = striking(sql, name);
    await running;
    endStrikes();
    expect(await sql.run(request('SELECT 2'))).toMatchObject({ rows: ['(2,)'] });
  });

  it('that stands still for longer than its time limit goes on where it was', async () => {
    const sql = start({ queryTimeLimitMs: 1500, stallLimitMs: 60_000 });
    await sql.run(request('SELECT 1'));
    const before = sql.processIds();
    const running = sql.run(request(long));
    await sleep(50);
    sends('SIGSTOP')(before);
    await sleep(1800);
    sends('SIGCONT')(before);
    expect(await running).toMatchObject({ rows: ['(1000000,)'] });
    expect(sql.processIds()).toEqual(before);
  });

  it('is cut on a slow machine where it is cut on a fast one, and nowhere else', async () => {
    const sql = start({ queryTimeLimitMs: 400 });
    await sql.run(request('SELECT 1'));
    const fast = [await sql.run(request(short)), await sql.run(request(endless))];
    // A machine that gives its processes a fifth of their time: wall time passes five times as fast as processor time.
    let isSlow = true;
    const slowing = (async () => {
      for (let turn = 0; isSlow; turn++) {
        for (const id of sql.processIds()) {
          try {
            process.kill(id, turn % 5 ? 'SIGSTOP' : 'SIGCONT');
          } catch {
            // It ended itself meanwhile.
          }
        }
        await sleep(20);
      }
    })();
    const slow = [await sql.run(request(short)), await sql.run(request(endless))];
    isSlow = false;
    await slowing;
    expect(slow).toEqual(fast);
    expect(fast).toEqual([
      expect.objectContaining({ rows: ['(100000,)'] }),
      { kind: 'error', message: 'time limit of 0.4 s exceeded' },
    ]);
  });

  it('that decides an outcome has no result when it meets a limit, which is a fault', async () => {
    const sql = start({ queryTimeLimitMs: 100 });
    await expect(sql.decide(request(endless))).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringContaining('time limit of 0.4 s exceeded'),
    });
  });
});

describe('a task', () => {
  it.each(strikes)('plays the same when the process is %s in each phase', async (_, name) => {
    const sql = start({ stallLimitMs: 1000 });
    const environment = interCodeSql({ data: folder, pool: sql, rowLimit: 1 });
    const task = (await environment.tasks()).find(({ id }) => id === 'bakery-2')!;
    const play = async () => {
      const session = await environment.open(task);
      const steps = [await session.step(execute(cakes), signal), await session.step(submit, signal)];
      return [...steps, await environment.confirm!(task, [execute(cakes), submit], signal)];
    };
    await sql.run(request('SELECT 1'));
    sql.strike = sends(name);
    // One strike at the step, two at the grading (the rows, then the gold), two at the confirmation.
    Object.assign(sql, { reads: 1, decisions: 2 });
    const session = await environment.open(task);
    const steps = [await session.step(execute(cakes), signal), await session.step(submit, signal)];
    sql.decisions = 2;
    const confirmation = await environment.confirm!(task, [execute(cakes), submit], signal);
    expect(sql.struck).toBe(5);
    expect([...steps, confirmation]).toEqual(await play());
    expect(steps[1]).toMatchObject({ reward: 1, success: true });
    expect(confirmation).toMatchObject({ confirmed: true });
  });

  it('whose processes are killed each time is a fault in each phase, and nothing of it is stored', async () => {
    const sql = start();
    const environment = interCodeSql({ data: folder, pool: sql, rowLimit: 1 });
    const store = await temporaryStore();
    const sessions = new SessionCache(store.tree, new EnvironmentRegistry([environment]));
    const task = (await environment.tasks()).find(({ id }) => id === 'bakery-2')!;
    const { name, version } = environment;
    const opening = { environment: name, version, taskId: task.id, messages: [], tools: [], format: 'react' as const };
    const root = await store.tree.addRoot(opening);
    const killing = async (work: () => Promise<unknown>) => {
      await sql.run(request('SELECT 1'));
      const endStrikes = striking(sql, 'SIGKILL');
      try {
        await expect(work()).rejects.toMatchObject({ kind: 'Environment.Fault' });
      } finally {
        endStrikes();
      }
    };

    await killing(() => sessions.step(root, execute(long), signal));
    expect(await store.tree.transition(nextStateKey(root.stateKey, execute(long)))).toBeNull();
    const read = await sessions.step(root, execute(cakes), signal);
    const parent = await store.tree.addStep({
      parent: root,
      assistant: { role: 'assistant', content: 'cakes' },
      observation: [{ role: 'user', content: observationText(read.observation) }],
      reached: positionAfter(root, execute(cakes), read),
    });
    await killing(() => sessions.step(parent, submit, signal));
    expect(await store.tree.transition(nextStateKey(parent.stateKey, submit))).toBeNull();
    expect(await sessions.step(parent, submit, signal)).toMatchObject({ reward: 1, success: true });
    await killing(() => environment.confirm!(task, [execute(cakes), submit], signal));
    expect(await environment.confirm!(task, [execute(cakes), submit], signal)).toMatchObject({ confirmed: true });
    await sessions.close();
  });

  it('whose answer cannot be read whole within the limits of grading has no reward', async () => {
    const environment = interCodeSql({ data: folder, pool: start({ queryTimeLimitMs: 150 }), rowLimit: 1 });
    const session = await environment.open((await environment.tasks())[0]!);
    const rare = endless.replace('COUNT(*)', 'i').concat(' WHERE i < 3 OR i > 1000000000000');
    expect(await session.step(execute(rare), signal)).toMatchObject({
      observation: expect.stringMatching(/^\[\(1,\)\]/),
    });
    await expect(session.step(submit, signal)).rejects.toMatchObject({ kind: 'Environment.Fault' });
  });

  it('whose last query was cut at its step has an answer without rows, also in a session that was restored', async () => {
    const environment = interCodeSql({ data: folder, pool: start({ queryTimeLimitMs: 150 }) });
    const task = (await environment.tasks())[0]!;
    const session = await environment.open(task);
    expect(await session.step(execute(endless), signal)).toMatchObject({
      observation: 'Error executing query: time limit of 0.15 s exceeded',
    });
    const restored = await environment.open(task, await session.snapshot!());
    expect(await session.step(submit, signal)).toMatchObject({ reward: 0, success: false });
    expect(await restored.step(submit, signal)).toMatchObject({ reward: 0, success: false });
  });
});
