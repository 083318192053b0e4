// Layer: the store on both engines.
import { expect, it } from 'vitest';
import type { FaultKind } from '../../src/errors.ts';
import { ledgerLines } from '../../src/store/ledger.ts';
import { answer, describeEngines } from '../helpers/store.ts';

const scope = { runId: 'run-1', taskId: 'task-1', stepId: null };

describeEngines('journal', (engine) => {
  it('reads back an answer as it was written, unknown usage included', async () => {
    const { journal } = await engine.open();
    const known = answer();
    const unknown = answer({
      key: 'key-2',
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1_0', type: 'function', function: { name: 'go', arguments: '{"door":"\\u0000"}' } }],
      },
      promptTokens: null,
      completionTokens: null,
      costMicroUsd: null,
    });
    expect(await journal.write('run-1', known)).toEqual(known);
    expect(await journal.write('run-1', unknown)).toEqual(unknown);
    expect(await journal.read(['run-1'], 'key-1')).toEqual(known);
    expect(await journal.read(['run-1'], 'key-2')).toEqual(unknown);
    expect(await journal.read(['run-1'], 'key-3')).toBeNull();
  });

  it('keeps the first answer under a key: one that comes back late reads what the other stored', async () => {
    const { journal, reservations } = await engine.open();
    const first = await journal.write('run-1', answer());
    const late = answer({ message: { role: 'assistant', content: 'Too late.' }, costMicroUsd: 999 });
    expect(await journal.write('run-1', late)).toEqual(first);
    expect(await reservations.use(scope, 'run')).toMatchObject({ calls: 1, tokens: 110, costMicroUsd: 120 });
  });

  it('reads another run only when that is reused, and does not count its answers as paid', async () => {
    const { journal, reservations } = await engine.open();
    await journal.write('run-1', answer());
    expect(await journal.read(['run-2'], 'key-1')).toBeNull();
    expect(await journal.read(['run-2', 'run-1'], 'key-1')).toEqual(answer());
    // It is in the run's own journal now, where the ledger and the certificates find it.
    expect(await journal.read(['run-2'], 'key-1')).toEqual(answer());
    expect(await journal.inState('run-2', 'node-1', ['explore'])).toEqual([answer()]);
    expect(await reservations.use({ ...scope, runId: 'run-2' }, 'run')).toMatchObject({
      calls: 0,
      tokens: 0,
      costMicroUsd: 0,
    });
  });

  it('prefers its own answer, then the reused run that was named first', async () => {
    const { journal } = await engine.open();
    const says = (content: string) => answer({ message: { role: 'assistant', content } });
    await journal.write('run-a', says('a'));
    await journal.write('run-b', says('b'));
    expect((await journal.read(['run-1', 'run-b', 'run-a'], 'key-1'))?.message.content).toBe('b');
    expect((await journal.read(['run-2', 'run-a', 'run-b'], 'key-1'))?.message.content).toBe('a');
    await journal.write('run-3', says('own'));
    expect((await journal.read(['run-3', 'run-a'], 'key-1'))?.message.content).toBe('own');
  });

  it('lists what a run used in a state and in a rollout, in an order that does not depend on time', async () => {
    const { journal } = await engine.open();
    await journal.write('run-1', answer({ key: 'c', purpose: 'score' }));
    await journal.write('run-1', answer({ key: 'a', purpose: 'propose' }));
    await journal.write('run-1', answer({ key: 'b', purpose: 'verify', stream: 'branch-1' }));
    await journal.write('run-2', answer({ key: 'd', purpose: 'propose' }));
    const keys = (answers: { key: string }[]) => answers.map(({ key }) => key);
    expect(keys(await journal.inState('run-1', 'node-1', ['propose', 'score']))).toEqual(['a', 'c']);
    expect(keys(await journal.inStream('run-1', 'verify', 'branch-1'))).toEqual(['b']);
    expect(keys(await journal.inStream('run-1', 'baseline', 'branch-1'))).toEqual([]);
  });

  it('counts the faults of a call by their kinds', async () => {
    const { journal } = await engine.open();
    const add = (key: string, kind: FaultKind) =>
      journal.addFault('run-1', { key, role: 'policy', kind, message: 'cut\u0000' });
    expect(await add('key-1', 'Model.Transport')).toEqual({ 'Model.Transport': 1 });
    expect(await add('key-1', 'Model.RateLimit')).toEqual({ 'Model.Transport': 1, 'Model.RateLimit': 1 });
    expect(await add('key-1', 'Model.Transport')).toEqual({ 'Model.Transport': 2, 'Model.RateLimit': 1 });
    expect(await add('key-2', 'Model.Transport')).toEqual({ 'Model.Transport': 1 });
    expect(await journal.countFaults('run-1', ['key-1', 'key-2', 'key-3'])).toBe(4);
    expect(await journal.countFaults('run-2', ['key-1'])).toBe(0);
    expect(await journal.countFaults('run-1', [])).toBe(0);
    const many = Array.from({ length: 40_000 }, (_, index) => `other-${index}`);
    expect(await journal.countFaults('run-1', [...many, 'key-1'])).toBe(3);
  });

  it('adds to an answer what the call waited by the store, which ends the wait', async () => {
    const { database, journal, waits } = await engine.open();
    const until = Date.now() + 3_600_000;
    const why = { reason: 'outage' as const, words: 'ECONNREFUSED' };
    const waited = { throttledMs: 3_600_000, queuedMs: 5 };
    const wait = { runId: 'run-1', key: 'key-1', role: 'policy', endpoint: 'models', until, ...waited, ...why };
    await waits.add(wait);
    await waits.add({ ...wait, until: until + 5, throttledMs: 40 });
    await waits.add({ ...wait, key: 'key-2', until: until - 5 });
    await waits.add({ ...wait, key: 'key-3', until: until - 5, throttledMs: 0, queuedMs: 3_600_000, reason: 'queue' });
    const queue = { endpoint: 'models', until: until - 5, calls: 1, reason: 'queue', words: 'ECONNREFUSED' };
    expect(await waits.waitingFor('run-1')).toEqual([
      { endpoint: 'models', until: until + 5, calls: 2, ...why },
      queue,
    ]);
    // The hours to come are no wait yet.
    expect((await waits.waited('run-1')).throttledMs).toBeLessThan(60_000);
    expect((await waits.waited('run-1')).queuedMs).toBeLessThan(60_000);
    await database.kysely.updateTable('waits').set({ until: 1 }).where('key', '=', 'key-1').execute();
    await journal.write('run-1', answer({ throttledMs: 3_600_000, queuedMs: 7 }));
    const written = await journal.read(['run-1'], 'key-1');
    expect(written!.queuedMs).toBe(17);
    expect(written!.throttledMs).toBeGreaterThan(3_540_000);
    expect(written!.throttledMs).toBeLessThanOrEqual(3_660_000);
    expect((await waits.waitingFor('run-1')).map(({ calls }) => calls)).toEqual([1, 1]);
    expect((await waits.waited('run-1')).throttledMs).toBeGreaterThan(3_540_000);
    expect(await waits.waitingFor('run-2')).toEqual([]);
    expect(await waits.waited('run-2')).toEqual({ queuedMs: 0, throttledMs: 0 });
  });

  it('calls waits of earlier versions what they are: our own limits and the provider in one figure', async () => {
    const { database, journal, waits } = await engine.open();
    await journal.write('run-1', answer({ throttledMs: 40, queuedMs: 2 }));
    await journal.write('run-1', answer({ key: 'key-2', throttledMs: 50 }));
    await database.kysely.updateTable('answers').set({ queued_ms: null }).where('key', '=', 'key-2').execute();
    expect(await waits.waited('run-1')).toEqual({ queuedMs: null, throttledMs: 92 });
    expect(await ledgerLines(database, 'run-1')).toMatchObject([{ queuedMs: null, throttledMs: 92 }]);
  });
});
