// Layer: the store on both engines.
import { expect, it } from 'vitest';
import type { Ceilings } from '../../src/domain/run-config.ts';
import { answer, describeEngines } from '../helpers/store.ts';

const unlimited: Ceilings = { calls: null, tokens: null, costMicroUsd: null };
const worst = { tokens: 100, costMicroUsd: 10 };
const minuteMs = 60_000;

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
    const { journal } = await engine.open();
    const first = await journal.write('run-1', answer());
    const late = answer({ message: { role: 'assistant', content: 'Too late.' }, costMicroUsd: 999 });
    expect(await journal.write('run-1', late)).toEqual(first);
    expect(await journal.spending('run-1')).toEqual({ calls: 1, tokens: 110, costMicroUsd: 120 });
  });

  it('reads another run only when that is reused, and does not count its answers as paid', async () => {
    const { journal } = await engine.open();
    await journal.write('run-1', answer());
    expect(await journal.read(['run-2'], 'key-1')).toBeNull();
    expect(await journal.read(['run-2', 'run-1'], 'key-1')).toEqual(answer());
    // It is in the run's own journal now, where the ledger and the certificates find it.
    expect(await journal.read(['run-2'], 'key-1')).toEqual(answer());
    expect(await journal.inState('run-2', 'node-1', ['explore'])).toEqual([answer()]);
    expect(await journal.spending('run-2')).toEqual({ calls: 0, tokens: 0, costMicroUsd: 0 });
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

  it('counts the faults of a call, and rate limits apart from those that exhaust it', async () => {
    const { journal } = await engine.open();
    const add = (key: string, kind: string) =>
      journal.addFault('run-1', { key, role: 'policy', kind, message: 'cut\u0000' });
    expect(await add('key-1', 'Model.Transport')).toBe(1);
    expect(await add('key-1', 'Model.RateLimit')).toBe(1);
    expect(await add('key-1', 'Model.Transport')).toBe(2);
    expect(await add('key-2', 'Model.Transport')).toBe(1);
    expect(await journal.countFaults('run-1', ['key-1', 'key-2', 'key-3'])).toBe(4);
    expect(await journal.countFaults('run-2', ['key-1'])).toBe(0);
    expect(await journal.countFaults('run-1', [])).toBe(0);
    const many = Array.from({ length: 40_000 }, (_, index) => `other-${index}`);
    expect(await journal.countFaults('run-1', [...many, 'key-1'])).toBe(3);
  });

  it('grants reservations up to each ceiling and not beyond', async () => {
    const { journal } = await engine.open();
    const reserve = (run: string, key: string, ceilings: Partial<Ceilings>) =>
      journal.reserve(run, key, worst, minuteMs, { ...unlimited, ...ceilings });
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
      await journal.release(run, 'a');
      expect(await reserve(run, 'c', ceilings)).toBe(true);
    }
  });

  it('counts what was spent in place of what was reserved once a call is over', async () => {
    const { journal } = await engine.open();
    const ceilings = { ...unlimited, tokens: 200 };
    await journal.reserve('run-1', 'key-1', worst, minuteMs, ceilings);
    await journal.write('run-1', answer({ promptTokens: 40, completionTokens: 10, costMicroUsd: 5 }));
    expect(await journal.spending('run-1')).toEqual({ calls: 1, tokens: 50, costMicroUsd: 5 });
    expect(await journal.reserve('run-1', 'key-2', { ...worst, tokens: 151 }, minuteMs, ceilings)).toBe(false);
    expect(await journal.reserve('run-1', 'key-2', { ...worst, tokens: 150 }, minuteMs, ceilings)).toBe(true);
  });

  it('counts a call whose use nobody told at its worst case, for good', async () => {
    const { journal } = await engine.open();
    const ceilings = { ...unlimited, calls: 3, tokens: 250 };
    await journal.reserve('run-1', 'key-1', worst, 0, ceilings);
    await journal.write('run-1', answer({ promptTokens: null, completionTokens: null, costMicroUsd: null }));
    expect(await journal.spending('run-1')).toEqual({ calls: 1, tokens: 100, costMicroUsd: 10 });
    expect(await journal.reserve('run-1', 'key-2', worst, minuteMs, ceilings)).toBe(true);
    expect(await journal.reserve('run-1', 'key-3', worst, minuteMs, ceilings)).toBe(false);
  });

  it('takes no notice of a reservation whose holder is dead', async () => {
    const { journal } = await engine.open();
    const ceilings = { ...unlimited, calls: 1 };
    await journal.reserve('run-1', 'key-1', worst, -1, ceilings);
    expect(await journal.reserve('run-1', 'key-2', worst, minuteMs, ceilings)).toBe(true);
  });

  it('never grants more than the ceiling to many who ask at once on several connections', async () => {
    const store = await engine.open();
    const stores = [store, await engine.reopen(store), await engine.reopen(store)];
    const granted = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        stores[index % 3]!.journal.reserve('run-1', `key-${index}`, worst, minuteMs, { ...unlimited, tokens: 1_550 }),
      ),
    );
    expect(granted.filter(Boolean).length).toBe(15);
  });

  it('keeps the latest end of a cool-down, for all workers', async () => {
    const store = await engine.open();
    const other = await engine.reopen(store);
    expect(await other.journal.coolDownUntil('provider')).toBe(0);
    await store.journal.coolDown('provider', 1_900_000_000_000);
    await other.journal.coolDown('provider', 1_800_000_000_000);
    expect(await other.journal.coolDownUntil('provider')).toBe(1_900_000_000_000);
  });
});
