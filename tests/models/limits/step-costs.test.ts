// Layer: steps that cost, in the session cache with a real store.
import { describe, expect, it, vi } from 'vitest';
import type { CeilingChanges } from '../../../src/domain/run/ceilings.ts';
import type { EnvironmentDefinition } from '../../../src/environments/contract.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { SessionCache } from '../../../src/environments/sessions/session-cache.ts';
import { stepAccount } from '../../../src/models/limits/step-costs.ts';
import type { Store } from '../../../src/store/store.ts';
import { positionAfter, type State } from '../../../src/store/tree.ts';
import { type DoorsOptions, doors, go, goText } from '../../activities/doors.ts';
import { makeReadOnly, refused } from '../../helpers/away-store.ts';
import { addRun, describeEngines, temporaryStore } from '../../helpers/store.ts';

const never = new AbortController().signal;

type Options = { ceilings?: CeilingChanges; doors?: DoorsOptions; store?: Store } & Pick<
  EnvironmentDefinition,
  'maxStepCost'
>;

/** Doors that cost a quarter of a dollar each. */
async function place({ ceilings = {}, doors: changes, store: given, ...most }: Options = {}) {
  const store = given ?? (await temporaryStore());
  const run = await addRun(store, { ceilings });
  const seen = doors({ step: (way) => ({ observation: way.join(), done: false, cost: 0.25 }), ...most, ...changes });
  const root = await store.tree.addRoot({
    ...{ environment: 'doors', version: '1', taskId: 'task-1', tools: [], format: 'react' },
    messages: [{ role: 'user', content: 'The doors.' }],
  });
  const registry = new EnvironmentRegistry([seen.environment]);
  const cache = () => new SessionCache(store.tree, registry, { account: stepAccount(store) });
  const caller = { recordedBy: 'run', run, purpose: 'explore', stream: 'sample-0' };
  const step = (sessions: SessionCache, state: State, door: string, where = {}) =>
    sessions.step(state, go(door), never, { ...caller, ...where });
  const take = async (sessions: SessionCache, parent: State, door: string) => {
    const transition = await step(sessions, parent, door);
    const assistant = { role: 'assistant' as const, content: goText(door) };
    return store.tree.addStep({
      parent,
      assistant,
      observation: [],
      reached: positionAfter(parent, go(door), transition),
    });
  };
  const lines = () => store.environmentCosts.lines(run.id);
  const use = () => store.reservations.use({ runId: run.id, taskId: 'task-1', stepId: null }, 'task');
  return { store, run, seen, root, cache, caller, step, take, lines, use };
}

describeEngines('steps that cost', (engine) => {
  it('count for ledger and ceilings each time that they are taken, replays too; recorded results cost nothing', async () => {
    const { cache, root, take, step, lines, use, caller, store, run } = await place({ store: await engine.open() });
    const sessions = cache();
    const first = await take(sessions, root, 'a');
    const second = await take(sessions, first, 'b');
    await step(sessions, root, 'a');
    expect(await lines()).toMatchObject([{ purpose: 'explore', steps: 2, costMicroUsd: 500_000, unknown: 0 }]);
    await cache().checkPrefix(second, never, { ...caller, purpose: 'verify', stream: `${second.id}/candidate/0` });
    expect(await lines()).toMatchObject([
      { purpose: 'explore', steps: 2 },
      { purpose: 'verify', steps: 2, costMicroUsd: 500_000 },
    ]);
    expect((await use()).costMicroUsd).toBe(1_000_000);
    const ofStep = await store.reservations.use({ runId: run.id, taskId: 'task-1', stepId: second.id }, 'step');
    expect(ofStep).toMatchObject({ costMicroUsd: 500_000, calls: 0, tokens: 0 });
    const ofRun = await store.reservations.use({ runId: run.id, taskId: null, stepId: null }, 'run');
    expect(ofRun).toMatchObject({ costMicroUsd: 1_000_000, calls: 0 });
  });

  it('are not taken beyond a ceiling, however many begin at once', async () => {
    const ceilings = { costMicroUsd: 600_000 };
    const { cache, root, step, seen, lines, run, store } = await place({
      maxStepCost: 0.25,
      ceilings,
      store: await engine.open(),
    });
    const sessions = cache();
    const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map((door) => step(sessions, root, door)));
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(refused).toHaveLength(2);
    for (const reason of refused) expect(reason).toMatchObject({ kind: 'Run.Budget' });
    expect(seen.stepped).toBe(2);
    expect(await lines()).toMatchObject([{ steps: 2, costMicroUsd: 500_000 }]);
    await store.runs.setControl(run.id, { ceilings: { ...run.ceilings, costMicroUsd: 2_000_000 } });
    expect(await step(sessions, root, 'd')).toMatchObject({ observation: 'd' });
  });
});

describe('a step', () => {
  it('whose cost is written twice, because the connection ended before it said so, counts once', async () => {
    const { store, run, lines, use } = await place();
    const scope = { runId: run.id, taskId: 'task-1', stepId: null };
    const costs = { costMicroUsd: 250_000, mostMicroUsd: null, purpose: 'explore', stream: 'sample-0' };
    const step = { id: 'step-1', scope, environment: 'doors', taskId: 'task-1', nodeId: 'node-1', ...costs };
    await store.environmentCosts.add(step);
    await store.environmentCosts.add(step);
    expect(await lines()).toMatchObject([{ steps: 1, costMicroUsd: 250_000 }]);
    expect((await use()).costMicroUsd).toBe(250_000);
  });

  it('that is put off leaves its session as it was', async () => {
    const { cache, root, take, step, seen, store, run } = await place({ maxStepCost: 0.25 });
    const sessions = cache();
    const first = await take(sessions, root, 'a');
    await store.runs.setControl(run.id, { state: 'paused' });
    await expect(step(sessions, first, 'b')).rejects.toMatchObject({ kind: 'Run.Paused' });
    await store.runs.setControl(run.id, { state: 'running' });
    await step(sessions, first, 'b');
    expect(seen).toMatchObject({ opened: 1, stepped: 2 });
  });

  it('whose cost cannot be written yet is not lost, nor taken again', async () => {
    const { cache, root, step, seen, lines, store } = await place({
      doors: {
        step: async (way) => {
          await makeReadOnly(store, true);
          return { observation: way.join(), done: false, cost: 0.25 };
        },
      },
    });
    const writing = vi.spyOn(store.environmentCosts, 'add');
    const taking = step(cache(), root, 'a');
    await refused(writing);
    await makeReadOnly(store, false);
    expect(await taking).toMatchObject({ observation: 'a' });
    expect(seen.stepped).toBe(1);
    expect(await lines()).toMatchObject([{ steps: 1, costMicroUsd: 250_000 }]);
  });

  it('of an environment without maxStepCost is held nowhere, and counts afterwards', async () => {
    const { cache, root, step, lines, use } = await place({ ceilings: { costMicroUsd: 100_000 } });
    await step(cache(), root, 'a');
    expect(await lines()).toMatchObject([{ steps: 1, costMicroUsd: 250_000, aboveMost: 0 }]);
    expect((await use()).costMicroUsd).toBe(250_000);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('The host is gone.'))],
    ['reports no cost', (way: string[]) => ({ observation: way.join(), done: false })],
  ])('that %s has an unknown cost, which ceilings count at the most', async (_, broken) => {
    const step = broken as DoorsOptions['step'];
    const place1 = await place({ maxStepCost: 0.4, ceilings: { costMicroUsd: 1_000_000 }, doors: { step } });
    await place1.step(place1.cache(), place1.root, 'a').catch(() => {});
    expect(await place1.lines()).toEqual([
      { purpose: 'explore', steps: 1, unknown: 1, aboveMost: 0, knownMicroUsd: 0, costMicroUsd: null },
    ]);
    expect((await place1.use()).costMicroUsd).toBe(400_000);
  });

  it('that costs more than the environment said stands, and is counted', async () => {
    const { cache, root, step, lines } = await place({ maxStepCost: 0.1 });
    await step(cache(), root, 'a');
    expect(await lines()).toMatchObject([{ steps: 1, aboveMost: 1, costMicroUsd: 250_000 }]);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('cannot cost %s', async (cost) => {
    const { cache, root, step, lines, store } = await place({
      doors: { step: () => ({ observation: 'x', done: false, cost }) },
    });
    await expect(step(cache(), root, 'a')).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringContaining(`failed in step 1 of task task-1: its cost is ${cost}`),
    });
    expect(await lines()).toEqual([]);
    expect(await store.database.kysely.selectFrom('transitions').selectAll().execute()).toEqual([]);
  });

  it('for nobody is on nobody’s account', async () => {
    const { cache, root, step, lines } = await place({ maxStepCost: 1 });
    await step(cache(), root, 'a', { run: null });
    expect(await lines()).toEqual([]);
  });
});

it('an environment names a most that can be a cost', () => {
  for (const maxStepCost of [-1, Number.NaN])
    expect(() => doors({ maxStepCost })).toThrow('maxStepCost of doors must be');
});
