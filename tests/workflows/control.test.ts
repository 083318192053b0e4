// Layer: whole runs against a real Temporal server, simulated models over HTTP and a real store: pause, cancel, ceilings.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { retuneRun } from '../../src/start/launch.ts';
import { Lab, type LabRun, outcomeOf, until } from '../helpers/lab.ts';

let lab: Lab;
/** What an undisturbed run comes to. */
let expected: string;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address, latency: { distribution: 'fixed', meanMs: 30 } });
  await lab.work();
  expected = await lab.outcome();
});
afterAll(() => lab.close());

const requests = () => lab.simulation.stats().requests;

/** Waits until the run has made some calls. */
async function underWay(count: number): Promise<void> {
  const before = requests();
  await until(`${count} calls`, () => requests() >= before + count);
}

describe('pause', () => {
  it('lets no model call start; after resume the run ends with the pairs of an undisturbed one', async () => {
    const run = await lab.start();
    await underWay(20);
    await run.pause();
    // Calls that were sent already come to their end.
    await until('calls under way end', () => lab.simulation.stats().inFlight === 0);
    const before = requests();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(requests()).toBe(before);
    expect(await run.progress()).toMatchObject({ state: 'paused' });
    await run.resume();
    expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
  });

  it('at once after the start holds the run until it is resumed', async () => {
    const before = requests();
    const run = await lab.start();
    await run.pause();
    expect(await run.progress()).toMatchObject({ state: 'paused' });
    const made = requests() - before;
    await run.resume();
    expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
    expect(made).toBeLessThan(20);
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
  });
});

describe('cancel', () => {
  it.each(['update', 'workflow cancellation'])(
    'by %s ends the run soon, keeps its pairs and leaves nothing running',
    async (how) => {
      const run = await lab.start({ limit: 8, granularity: how === 'update' ? 'rollout' : 'call' });
      await until('a pair', async () => (await lab.store.findings.pairs(run.id)).length > 0);
      if (how === 'update') await run.cancel();
      else await run.handle.cancel();
      const result = await run.result();
      const pairs = await lab.store.findings.pairs(run.id);
      expect(result).toMatchObject({ state: 'cancelled', pairs: pairs.length });
      expect(pairs.length).toBeGreaterThan(0);
      expect(await lab.store.runs.get(run.id)).toMatchObject({ state: 'cancelled', finishedAt: expect.any(Number) });
      await expectNothingRunning(run.id);
      const before = requests();
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(requests()).toBe(before);
    },
  );

  it('while it is paused records a trajectory where it stands', async () => {
    const run = await lab.start({ environment: 'long-maze', limit: 1, seed: 9 });
    await until('some steps are explored', async () => (await lab.countAnswers(run.id)) >= 3);
    await run.pause();
    await until('nothing is in progress', () => lab.simulation.stats().inFlight === 0);
    await run.cancel();
    expect(await run.result()).toMatchObject({ state: 'cancelled' });
    const [trajectory] = await lab.store.findings.trajectories(run.id);
    expect(trajectory).toMatchObject({ ending: 'cancelled', reward: null });
    expect(trajectory!.steps).toBeGreaterThanOrEqual(3);
    expect((await lab.store.tree.state(trajectory!.leafId)).step).toBe(trajectory!.steps);
  });

  it('before the first step ends the run, with every task told as cancelled, at whatever moment it comes', async () => {
    // One after the other, so that the order meets starting children at different moments.
    for (let attempt = 0; attempt < 6; attempt++) {
      const run = await lab.start();
      await run.cancel();
      const result = await run.result();
      expect(result.state).toBe('cancelled');
      expect(result.endings.cancelled ?? 0).toBe(result.done);
      await expectNothingRunning(run.id);
    }
  });
});

describe('ceilings', () => {
  it.each([{ calls: 60 }, { tokens: 30_000 }])(
    '%j is never exceeded, and the run ends as budget with its pairs so far',
    async (ceilings) => {
      const run = await lab.start({ ceilings });
      const result = await run.result();
      expect(result.state).toBe('budget');
      expect(result.done).toBeLessThan(5);
      const spent = await spending(run);
      if (ceilings.calls) expect(spent.calls).toBeLessThanOrEqual(ceilings.calls);
      if (ceilings.calls) expect(spent.calls).toBeGreaterThan(ceilings.calls / 2);
      if (ceilings.tokens) expect(spent.tokens).toBeLessThanOrEqual(ceilings.tokens);
      expect(result.pairs).toBe((await lab.store.findings.pairs(run.id)).length);
      expect(await lab.store.runs.get(run.id)).toMatchObject({ state: 'budget' });
      await expectNothingRunning(run.id);
    },
  );

  it('raised after the end let the run go on from where it was, without paying a call again, to the same pairs', async () => {
    const before = lab.simulation.stats().completeAnswers;
    const run = await lab.start({ ceilings: { calls: 60 } });
    expect(await run.result()).toMatchObject({ state: 'budget' });
    await retuneRun(lab.client, lab.store, run.id, { calls: null, tokens: null, costMicroUsd: null });
    expect(await lab.client.workflow.getHandle(run.id).result()).toMatchObject({ state: 'finished', done: 5 });
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
    // Every answer that was paid is in the journal: none was paid twice.
    expect(lab.simulation.stats().completeAnswers - before).toBe(await lab.countAnswers(run.id));
  });

  it('raised in the middle let the run go on', async () => {
    const run = await lab.start({ ceilings: { calls: 60 }, config: { run: { window: 3 } } });
    await underWay(50);
    await run.retune({ calls: 10_000, tokens: null, costMicroUsd: null });
    expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
  });

  it('on cost are refused while a model has no price', async () => {
    await expect(lab.start({ ceilings: { costMicroUsd: 1_000_000 } })).rejects.toThrow(/prices.*policy, expert, prm/);
  });
});

async function spending(run: LabRun): Promise<{ calls: number; tokens: number }> {
  const rows = await lab.store.database.kysely
    .selectFrom('answers')
    .select(['prompt_tokens', 'completion_tokens'])
    .where('run_id', '=', run.id)
    .execute();
  const tokens = rows.reduce((sum, row) => sum + (row.prompt_tokens ?? 0) + (row.completion_tokens ?? 0), 0);
  return { calls: rows.length, tokens };
}

/** The list of workflows is brought up to date shortly after the fact. */
async function expectNothingRunning(runId: string): Promise<void> {
  const query = `CruxRun = "${runId}" AND ExecutionStatus = "Running"`;
  await until('no workflow of the run is running', async () => (await lab.client.workflow.count(query)).count === 0);
}
