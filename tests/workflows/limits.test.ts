// Layer: whole runs against a real Temporal server, simulated models over HTTP and a real store: ceilings on parts, and long waits.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { TrajectoryResult } from '../../src/domain/wire/trajectory.ts';
import { providerOf } from '../../src/models/provider.ts';
import { retuneRun } from '../../src/start/launch.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { Lab, type LabRequest, type LabRun, outcomeOf, until } from '../helpers/lab.ts';

let lab: Lab;
/** Two mazes that the policy fails, so that both are mined. */
const failed: LabRequest = { taskIds: ['maze-1-3', 'maze-1-5'] };
/** A run of these under no ceiling. */
let undisturbed: LabRun;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address });
  await lab.work();
  undisturbed = await lab.start(failed);
  await undisturbed.result();
});
afterAll(() => lab.close());

async function results(run: LabRun): Promise<TrajectoryResult[]> {
  const tasks = await lab.store.runs.tasks(run.id);
  return tasks.map(({ result }) => result!);
}

/** Paid calls by task, or by step of a task. */
async function callsBy(run: LabRun, column: 'task_id' | 'step_id'): Promise<number[]> {
  const rows = await lab.store.database.kysely
    .selectFrom('answers')
    .select(({ fn }) => [column, fn.countAll<number>().as('calls')])
    .where('run_id', '=', run.id)
    .where(column, 'is not', null)
    .groupBy(column)
    .execute();
  return rows.map(({ calls }) => Number(calls));
}

/** Activities of a run's trajectories that are not over, and a way to let time pass for those that wait for their next attempt. */
async function pendingActivities({ id }: LabRun): Promise<{ isAtWorker: boolean; wake(): Promise<unknown> }[]> {
  const query = `CruxRun = "${id}" AND WorkflowType = "trajectory" AND ExecutionStatus = "Running"`;
  await until('both trajectories are listed', async () => (await lab.client.workflow.count(query)).count === 2);
  const found = [];
  for await (const { workflowId } of lab.client.workflow.list({ query })) {
    const { raw } = await lab.client.workflow.getHandle(workflowId).describe();
    for (const activity of raw.pendingActivities ?? []) {
      found.push({
        isAtWorker: activity.state === pendingAtWorker,
        wake: () =>
          lab.client.workflowService.resetActivity({
            namespace: 'default',
            execution: { workflowId },
            id: activity.activityId,
          }),
      });
    }
  }
  return found;
}

/** PENDING_ACTIVITY_STATE_STARTED */
const pendingAtWorker = 2;

describe('a ceiling on rollouts', () => {
  it('of the run ends it with the pairs so far; raised, it goes on to what an undisturbed one comes to', async () => {
    const run = await lab.start({ ...failed, ceilings: { rollouts: 4 } });
    const result = await run.result();
    expect(result.state).toBe('budget');
    expect(result.pairs).toBe((await lab.store.findings.pairs(run.id)).length);
    expect((await lab.store.findings.branches(run.id)).length).toBeLessThanOrEqual(4);
    expect((await lab.store.findings.branches(run.id)).length).toBeGreaterThan(1);
    await retuneRun(lab.client, lab.store, run.id, {});
    expect(await lab.client.workflow.getHandle(run.id).result()).toMatchObject({ state: 'finished', done: 2 });
    const ids = async ({ id }: LabRun) => (await lab.store.findings.pairs(id)).map((pair) => pair.id).sort();
    expect(await ids(run)).toEqual(await ids(undisturbed));
  });
});

describe('a ceiling on each task', () => {
  it.each([{ calls: 30 }, { rollouts: 3 }])('of %j ends the tasks that reach it, and the run goes on', async (task) => {
    const run = await lab.start({ ceilings: { task } });
    expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
    const stopped = (await results(run)).filter(({ stoppedBy }) => stoppedBy === 'task-budget');
    expect(stopped.length).toBeGreaterThan(0);
    expect(stopped.length).toBeLessThan(5);
    if (task.calls) expect(Math.max(...(await callsBy(run, 'task_id')))).toBeLessThanOrEqual(task.calls);
    if (task.calls) expect(Math.max(...(await callsBy(run, 'task_id')))).toBeGreaterThan(task.calls / 2);
    const branches = await lab.store.findings.branches(run.id);
    for (const rows of Map.groupBy(branches, (row) => row.trajectoryId).values())
      expect(rows.length).toBeLessThanOrEqual(task.rollouts ?? Number.POSITIVE_INFINITY);
    const pairs = await lab.store.findings.pairs(run.id);
    for (const { taskId, pairs: counted } of stopped)
      expect(counted).toBe(pairs.filter((pair) => pair.taskId === taskId).length);
    expect((await runSummary(lab.store, run.id)).tasks.stoppedBy['task-budget']).toBe(stopped.length);
  });

  it('that is reached while exploring ends the trajectory as budget, which is no failure to learn from', async () => {
    const run = await lab.start({ ceilings: { task: { calls: 1 } }, granularity: 'step' });
    expect(await run.result()).toMatchObject({ state: 'finished', done: 5, pairs: 0, branches: 0 });
    for (const { stoppedBy, ending, success } of await results(run)) {
      expect({ stoppedBy, ending, success }).toEqual({ stoppedBy: 'task-budget', ending: 'budget', success: null });
    }
  });
});

describe('a ceiling on each step', () => {
  it.each(['rollout', 'call'] as const)(
    'leaves out the steps that reach it, and the others give their pairs (%s)',
    async (granularity) => {
      const run = await lab.start({ ...failed, ceilings: { step: { rollouts: 2 } }, granularity });
      expect(await run.result()).toMatchObject({ state: 'finished', done: 2 });
      const all = await results(run);
      expect(all.every(({ stoppedBy }) => stoppedBy === null)).toBe(true);
      const leftOut = all.reduce((sum, { stepsLeftOut = 0 }) => sum + stepsLeftOut, 0);
      expect(leftOut).toBeGreaterThan(0);
      expect((await runSummary(lab.store, run.id)).stepsLeftOut).toBe(leftOut);
      const branches = await lab.store.findings.branches(run.id);
      for (const rows of Map.groupBy(branches, (row) => row.nodeId).values())
        expect(rows.length).toBeLessThanOrEqual(2);
      expect(all.reduce((sum, { pairs }) => sum + pairs, 0)).toBe((await lab.store.findings.pairs(run.id)).length);
    },
  );

  it('counts proposals, scores and rollouts of a step together', async () => {
    const run = await lab.start({ ...failed, ceilings: { step: { calls: 14 } } });
    expect(await run.result()).toMatchObject({ state: 'finished', done: 2 });
    const most = Math.max(...(await callsBy(run, 'step_id')));
    expect(most).toBeLessThanOrEqual(14);
    expect(most).toBeGreaterThan(10);
  });
});

describe('RRO under a ceiling', () => {
  it.each([
    [{ calls: 150 }, 'budget'],
    [{ task: { calls: 100 } }, 'task-budget'],
    [{ step: { rollouts: 12 } }, 'step-budget'],
  ] as const)('of %j ends with the pairs of the steps so far', async (ceilings, stoppedBy) => {
    const run = await lab.start({ method: 'rro', limit: 2, ceilings });
    const result = await run.result();
    expect(result.state).toBe(stoppedBy === 'budget' ? 'budget' : 'finished');
    expect(result.pairs).toBe((await lab.store.findings.pairs(run.id)).length);
    expect(result.endings.budget).toBeGreaterThan(0);
    if (stoppedBy !== 'budget') {
      expect((await results(run)).map((task) => task.stoppedBy)).toContain(stoppedBy);
      return;
    }
    await retuneRun(lab.client, lab.store, run.id, {});
    expect(await lab.client.workflow.getHandle(run.id).result()).toMatchObject({ state: 'finished', done: 2 });
    const endings = (await lab.store.findings.trajectories(run.id)).map(({ ending }) => ending);
    expect(endings).not.toContain('budget');
  });
});

describe('Step-DPO under a ceiling that is reached while exploring', () => {
  it('ends as budget, without pairs', async () => {
    const run = await lab.start({ method: 'step-dpo', ceilings: { calls: 2 } });
    expect(await run.result()).toMatchObject({ state: 'budget', pairs: 0 });
  });
});

describe('a ceiling on cost', () => {
  it('is refused at a run that is under way while a model has no price, whatever it is for', async () => {
    const run = await lab.start({ limit: 1 });
    await expect(run.retune({ task: { costMicroUsd: 5 } })).rejects.toThrow();
    await expect(retuneRun(lab.client, lab.store, run.id, { costMicroUsd: 5 })).rejects.toThrow(/prices.*policy/);
    await expect(lab.start({ ceilings: { step: { costMicroUsd: 5 } } })).rejects.toThrow(/prices.*policy/);
    expect(await run.result()).toMatchObject({ state: 'finished' });
  });
});

describe('a provider that wants no calls for hours', () => {
  // Else every later run of this store would wait too.
  afterEach(() => lab.store.providers.endCoolDowns(null));

  it('holds no slot of a worker, is shown, is tried again after an hour, and the run goes on to the same end', async () => {
    const inAnHour = Date.now() + 3_600_000;
    await lab.store.providers.coolDown(providerOf(lab.config().endpoints.simulated!), inAnHour + 2 * 3_600_000);
    const run = await lab.start(failed);
    await until('both wait', async () => {
      const waits = await lab.store.waits.waitingFor(run.id);
      return waits.length === 1 && waits[0]!.calls === 2;
    });
    const [wait] = await lab.store.waits.waitingFor(run.id);
    expect(wait).toMatchObject({ endpoint: 'simulated', calls: 2 });
    expect(Math.abs(wait!.until - inAnHour)).toBeLessThan(1_000);
    expect((await runSummary(lab.store, run.id)).waitingFor).toEqual([wait]);
    // Every activity waits at Temporal for its next attempt: none is at a worker.
    let pending = await pendingActivities(run);
    await until('the workers are rid of them', async () => {
      pending = await pendingActivities(run);
      return pending.every(({ isAtWorker }) => !isAtWorker);
    });
    expect(pending.length).toBe(2);
    // The hour passes.
    await lab.store.database.kysely.updateTable('providers').set({ cool_down_until: 1 }).execute();
    await lab.store.database.kysely.updateTable('waits').set({ until: 1 }).execute();
    await Promise.all(pending.map(({ wake }) => wake()));
    expect(await run.result()).toMatchObject({ state: 'finished', done: 2 });
    expect(await lab.store.waits.waitingFor(run.id)).toEqual([]);
    const ids = async ({ id }: LabRun) => (await lab.store.findings.pairs(id)).map((pair) => pair.id).sort();
    expect(await ids(run)).toEqual(await ids(undisturbed));
    expect((await lab.store.waits.waited(run.id)).throttledMs).toBeGreaterThan(2 * 3_590_000);
  });
});

describe('a provider that enforces its rate', () => {
  it.each([1_500, null])(
    'fails no run, and changes none of its results (configured: %j)',
    async (requestsPerMinute) => {
      const rate = { requestsPerMinute: 1_500, burst: 2 };
      const other = await Lab.open({ address: inject('temporal').address, rate });
      try {
        const baseUrl = `${other.simulation.url}/v1`;
        await other.work({ endpoints: { simulated: { baseUrl, requestsPerMinute } } });
        const run = await other.start(failed);
        expect(await run.result()).toMatchObject({ state: 'finished', done: 2 });
        expect(await outcomeOf(other.store, run.id)).toBe(await outcomeOf(lab.store, undisturbed.id));
        if (requestsPerMinute === null) expect(other.simulation.stats().faults['rate-limit']).toBeGreaterThan(0);
      } finally {
        await other.close();
      }
    },
  );
});
