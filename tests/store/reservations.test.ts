// Layer: the store on both engines.
import { expect, it } from 'vitest';
import { type CeilingChanges, ceilingsFrom } from '../../src/domain/run/ceilings.ts';
import { answer, describeEngines } from '../helpers/store.ts';

const scope = { runId: 'run-1', taskId: 'task-1', stepId: 'node-1' };
const worst = { tokens: 100, costMicroUsd: 10 };
const minuteMs = 60_000;

describeEngines('reservations', (engine) => {
  it('grants reservations up to each ceiling and not beyond', async () => {
    const { reservations } = await engine.open();
    const reserve = (runId: string, key: string, ceilings: CeilingChanges) =>
      reservations.reserve({ ...scope, runId }, key, worst, minuteMs, ceilingsFrom(ceilings));
    for (const [run, ceilings] of [
      ['calls', { calls: 2 }],
      ['tokens', { tokens: 200 }],
      ['cost', { costMicroUsd: 20 }],
    ] as const) {
      expect(await reserve(run, 'a', ceilings)).toBe(true);
      expect(await reserve(run, 'b', ceilings)).toBe(true);
      expect(await reserve(run, 'c', ceilings)).toBe(false);
      // The same call again, as after a fault, needs no more room than it has.
      expect(await reserve(run, 'b', ceilings)).toBe(true);
      await reservations.release(run, 'a');
      expect(await reserve(run, 'c', ceilings)).toBe(true);
    }
  });

  it('counts what was spent in place of what was reserved once a call is over', async () => {
    const { journal, reservations } = await engine.open();
    const ceilings = ceilingsFrom({ tokens: 200 });
    await reservations.reserve(scope, 'key-1', worst, minuteMs, ceilings);
    await journal.write('run-1', answer({ promptTokens: 40, completionTokens: 10, costMicroUsd: 5 }));
    expect(await reservations.use(scope, 'run')).toMatchObject({ calls: 1, tokens: 50, costMicroUsd: 5 });
    expect(await reservations.reserve(scope, 'key-2', { ...worst, tokens: 151 }, minuteMs, ceilings)).toBe(false);
    expect(await reservations.reserve(scope, 'key-2', { ...worst, tokens: 150 }, minuteMs, ceilings)).toBe(true);
  });

  it('counts an answer once, however many processes write it, and none that was reused', async () => {
    const store = await engine.open();
    const stores = [store, await engine.reopen(store), await engine.reopen(store)];
    const paid = answer({ promptTokens: 40, completionTokens: 10, costMicroUsd: 5 });
    await Promise.all(stores.map(({ journal }) => journal.write('run-1', paid)));
    await store.journal.write(
      'run-1',
      answer({ key: 'key-2', promptTokens: 1, completionTokens: 1, costMicroUsd: null }),
    );
    await store.journal.read(['run-2', 'run-1'], paid.key);
    expect(await store.reservations.use(scope, 'run')).toEqual({ calls: 2, tokens: 52, costMicroUsd: 5, rollouts: 0 });
    expect(await store.reservations.use({ ...scope, runId: 'run-2' }, 'run')).toMatchObject({ calls: 0, tokens: 0 });
  });

  it('counts a call whose use nobody told at its worst case, for good', async () => {
    const { journal, reservations, runs } = await engine.open();
    const ceilings = ceilingsFrom({ calls: 3, tokens: 250 });
    await reservations.reserve(scope, 'key-1', worst, 0, ceilings);
    await journal.write('run-1', answer({ promptTokens: null, completionTokens: null, costMicroUsd: null }));
    for (const level of ['run', 'task'] as const)
      expect(await reservations.use(scope, level)).toMatchObject({ calls: 1, tokens: 100, costMicroUsd: 10 });
    expect(await runs.spentUnder('run-', 'run-2')).toMatchObject({ calls: 1, tokens: 100, costMicroUsd: 10 });
    expect(await reservations.reserve(scope, 'key-2', worst, minuteMs, ceilings)).toBe(true);
    expect(await reservations.reserve(scope, 'key-3', worst, minuteMs, ceilings)).toBe(false);
  });

  it('takes no notice of a reservation whose holder is dead', async () => {
    const { reservations } = await engine.open();
    const ceilings = ceilingsFrom({ calls: 1 });
    await reservations.reserve(scope, 'key-1', worst, -1, ceilings);
    expect(await reservations.reserve(scope, 'key-2', worst, minuteMs, ceilings)).toBe(true);
  });

  it('never grants more than the ceiling to many who ask at once on several connections', async () => {
    const store = await engine.open();
    const stores = [store, await engine.reopen(store), await engine.reopen(store)];
    const granted = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        stores[index % 3]!.reservations.reserve(
          scope,
          `key-${index}`,
          worst,
          minuteMs,
          ceilingsFrom({ tokens: 1_550 }),
        ),
      ),
    );
    expect(granted.filter(Boolean).length).toBe(15);
  });

  it.each(['task', 'step'] as const)('keep a ceiling on each %s apart from the others', async (level) => {
    const { reservations, journal } = await engine.open();
    const ceilings = ceilingsFrom({ [level]: { calls: 2 } });
    const reserve = (key: string, other: Partial<typeof scope> = {}) =>
      reservations.reserve({ ...scope, ...other }, key, worst, minuteMs, ceilings);
    const elsewhere = level === 'task' ? { taskId: 'task-2' } : { stepId: 'node-2' };
    expect(await reserve('a')).toBe(true);
    await journal.write('run-1', answer({ key: 'a', taskId: 'task-1', stepId: 'node-1' }));
    expect(await reserve('b')).toBe(true);
    expect(await reserve('c')).toBe(false);
    expect(await reserve('d', elsewhere)).toBe(true);
    expect(await reserve('e', elsewhere)).toBe(true);
    expect(await reserve('f', elsewhere)).toBe(false);
    expect(await reservations.use(scope, level)).toMatchObject({ calls: 1, tokens: 110 });
  });

  it('do not count for a step what belongs to none', async () => {
    const { reservations } = await engine.open();
    const ceilings = ceilingsFrom({ step: { calls: 1 } });
    const exploring = { ...scope, stepId: null };
    for (const key of ['a', 'b', 'c'])
      expect(await reservations.reserve(exploring, key, worst, minuteMs, ceilings)).toBe(true);
  });

  it('count a rollout once however often it starts, and no more than the ceiling', async () => {
    const store = await engine.open();
    const stores = [store, await engine.reopen(store)];
    const ceilings = ceilingsFrom({ rollouts: 5 });
    const start = async (index: number) => {
      const id = `branch-${index % 10}`;
      return (await stores[index % 2]!.reservations.startRollouts(scope, [id], ceilings)).has(id);
    };
    const started = await Promise.all(Array.from({ length: 30 }, (_, index) => start(index)));
    const names = new Set(started.flatMap((isStarted, index) => (isStarted ? [index % 10] : [])));
    expect(names.size).toBe(5);
    for (const name of names) expect(await start(name)).toBe(true);
    expect(await store.reservations.use(scope, 'run')).toMatchObject({ rollouts: 5, calls: 0, tokens: 0 });
  });

  it.each(['task', 'step'] as const)('hold a ceiling on the rollouts of a %s', async (level) => {
    const { reservations } = await engine.open();
    const ceilings = ceilingsFrom({ [level]: { rollouts: 1 } });
    const elsewhere = level === 'task' ? { taskId: 'task-2' } : { stepId: 'node-2' };
    const started = async (where: object, ids: string[]) => [
      ...(await reservations.startRollouts({ ...scope, ...where }, ids, ceilings)),
    ];
    expect(await started({}, ['a', 'b'])).toEqual(['a']);
    expect(await started({}, ['b', 'a'])).toEqual(['a']);
    expect(await started(elsewhere, ['c'])).toEqual(['c']);
    expect(await started({ runId: 'run-2' }, ['a'])).toEqual(['a']);
  });
});
