// Layer: whole runs against a real Temporal server, simulated models over HTTP and a real store: tasks that slots play.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { MethodName } from '../../src/domain/methods/index.ts';
import { retuneRun } from '../../src/start/launch.ts';
import type { RunningWorker } from '../../src/worker/worker.ts';
import { Lab, type LabRequest, until } from '../helpers/lab.ts';

let lab: Lab;
let worker: RunningWorker;
/** What an undisturbed evaluation comes to, and the calls that it takes. */
let expected: { found: unknown; calls: number };

const evaluation = { method: 'evaluate', split: 'train', limit: 6, samples: 2 } as const;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address, latency: { distribution: 'fixed', meanMs: 40 } });
  worker = await lab.work();
  const run = await lab.start(evaluation);
  await run.result();
  expected = { found: await found(run.id), calls: requestsOf() };
});
afterAll(() => lab.close());

const requestsOf = () => lab.simulation.stats().requests;

/** Trajectories and examples of a run, without its name and times. */
async function found(runId: string): Promise<unknown> {
  const { findings, runs } = lab.store;
  const rows = [...(await findings.trajectories(runId)), ...(await findings.examples(runId))];
  return {
    rows: rows.map((row) => JSON.stringify({ ...row, runId: null })).toSorted(),
    results: (await runs.tasks(runId)).map(({ state, result }) => ({ state, result })),
  };
}

/** Waits until a run has so many answers. */
const answered = (runId: string, count: number) =>
  until(`${count} answers`, async () => (await lab.countAnswers(runId)) >= count);

async function workflowsOf(runId: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of lab.client.workflow.list({ query: `WorkflowId STARTS_WITH "${runId}"` }))
    ids.push(workflowId);
  return [...new Set(ids)];
}

describe('the tasks of a method that mines nothing', () => {
  it('wait while the run is paused, and then come to the same', async () => {
    // Two at once, so that most are left when a busy machine hears of the pause.
    const run = await lab.start({ ...evaluation, config: { run: { window: 2 } } });
    await answered(run.id, 5);
    await run.pause();
    await until('calls under way end', () => lab.simulation.stats().inFlight === 0);
    const before = requestsOf();
    expect(await run.progress()).toMatchObject({ state: 'paused' });
    expect((await lab.store.runs.countTasks(run.id)).done).toBeLessThan(12);
    expect(requestsOf()).toBe(before);
    await run.resume();
    expect(await run.result()).toMatchObject({ state: 'finished', done: 12 });
    expect(await found(run.id)).toEqual(expected.found);
  });

  it('end as cancelled when the run is cancelled, and those that nobody began stay open', async () => {
    // Many more than are played until a busy machine hears of the cancellation, and so many at once that not all end with their next call.
    const run = await lab.start({ ...evaluation, samples: 32, config: { run: { window: 12 } } });
    await answered(run.id, 5);
    await run.cancel();
    const { state, done, endings } = await run.result();
    expect(state).toBe('cancelled');
    expect(endings.cancelled).toBeGreaterThan(0);
    expect(done).toBeLessThan(192);
    const results = (await lab.store.runs.tasks(run.id)).flatMap(({ result }) => result ?? []);
    expect(results.filter(({ ending }) => ending === 'cancelled').every((one) => one.stoppedBy === 'cancelled')).toBe(
      true,
    );
    expect(await lab.store.runs.takenTasks(run.id)).toEqual([]);
  });

  it('stay open when the run is out of budget, and go on under a higher ceiling', async () => {
    const run = await lab.start({ ...evaluation, ceilings: { calls: 20 } });
    const ended = await run.result();
    expect(ended.state).toBe('budget');
    expect(ended.endings.budget).toBeGreaterThan(0);
    expect(await lab.countAnswers(run.id)).toBe(20);
    await retuneRun(lab.client, lab.store, run.id, { calls: 1_000 });
    expect(await run.result()).toMatchObject({ state: 'finished', done: 12 });
    expect(await found(run.id)).toEqual(expected.found);
  });

  it('go on when the campaign continues as new, and no call is made twice', async () => {
    const before = requestsOf();
    const few = { config: { run: { window: 1 } }, limits: { historyLimit: 26, settleEveryMs: 50 } };
    const run = await lab.start({ ...evaluation, ...few });
    expect(await run.result()).toMatchObject({ state: 'finished', done: 12 });
    expect(requestsOf() - before).toBe(expected.calls);
    expect(await found(run.id)).toEqual(expected.found);
    const [started] = (await run.handle.fetchHistory()).events!;
    expect(started!.workflowExecutionStartedEventAttributes!.continuedExecutionRunId).toBeTruthy();
  });

  it('are seen in the progress of the run while it is at work', async () => {
    const run = await lab.start({ ...evaluation, config: { run: { window: 2 } }, limits: { settleEveryMs: 100 } });
    await until('some tasks are done', async () => (await run.progress()).done > 0);
    expect(await run.progress()).toMatchObject({ state: 'running', total: 12, inFlight: expect.any(Number) });
    await run.result();
  });

  it('are shared with a worker that comes later', async () => {
    const run = await lab.start({
      ...evaluation,
      samples: 25,
      config: { run: { window: 4 } },
      limits: { settleEveryMs: 100 },
    });
    await answered(run.id, 20);
    await lab.workApart();
    expect(await run.result()).toMatchObject({ state: 'finished', done: 150 });
    const own = worker.calls().get(run.id) ?? 0;
    const others = (await lab.countAnswers(run.id)) - own;
    expect(Math.min(own, others)).toBeGreaterThan(20);
  });

  // Last: what they keep to be imitated may no longer be tested on.
  it.each<[MethodName, LabRequest]>([
    ['evaluate', { split: 'train', samples: 2 }],
    ['rft', { options: { trajectories: 3, leastSuccesses: 1 } }],
    ['sft', {}],
  ])('come to the same in slots and each in a workflow: %s', async (method, request) => {
    const inSlots = await lab.start({ method, limit: 4, ...request });
    await inSlots.result();
    const inWorkflows = await lab.start({ method, limit: 4, ...request, granularity: 'step' });
    await inWorkflows.result();
    expect(await found(inSlots.id)).toEqual(await found(inWorkflows.id));
    expect((await workflowsOf(inWorkflows.id)).length).toBeGreaterThan(4);
    expect(await workflowsOf(inSlots.id)).toEqual([inSlots.id]);
  });
});
