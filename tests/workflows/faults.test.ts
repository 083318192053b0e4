// Layer: whole runs against a real Temporal server, simulated models over HTTP and a real store: what breaks ends, and the rest goes on.
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { launchRun } from '../../src/start/launch.ts';
import { taskQueue } from '../../src/temporal/task-queues.ts';
import { Lab, outcomeOf, until } from '../helpers/lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address, latency: { distribution: 'fixed', meanMs: 20 } });
  const simulated = { baseUrl: `${lab.simulation.url}/v1` };
  // Nobody listens at port 9 (discard).
  await lab.work({ endpoints: { simulated, dead: { baseUrl: 'http://127.0.0.1:2/v1' } } });
});
afterAll(() => lab.close());

const models = () => lab.config().models;
const endpoints = { simulated: { baseUrl: 'http://127.0.0.1/v1' }, dead: { baseUrl: 'http://127.0.0.1/v1' } };

describe('an endpoint that answers nobody', () => {
  it.each(['policy', 'expert'] as const)(
    'of the %s keeps the run waiting, says for what, and ends no task; cancelled, the run ends',
    async (role) => {
      const config = { endpoints, models: { ...models(), [role]: { ...models()[role], endpoint: 'dead' } } };
      const run = await lab.start({ config });
      await until('an outage is told', async () => {
        const waits = await lab.store.waits.waitingFor(run.id);
        return waits.some(
          ({ reason, words }) => reason === 'outage' && /dead.*the connection failed/.test(words ?? ''),
        );
      });
      await run.cancel();
      const { state, endings } = await run.result();
      expect(state).toBe('cancelled');
      expect(endings['model-fault']).toBeUndefined();
      expect(await lab.store.findings.pairs(run.id)).toEqual([]);
    },
  );
});

it('a model that its provider does not know blocks the run at once, and ends no task', async () => {
  const config = { models: { ...models(), policy: { ...models().policy, model: 'gpt-99' } } };
  const run = await lab.start({ config });
  await until('the run is blocked', async () => (await lab.store.runs.get(run.id)).state === 'blocked');
  expect((await lab.store.runs.get(run.id)).block).toMatchObject({
    kind: 'Model.NotServed',
    message: expect.stringContaining('The model "gpt-99" does not exist'),
  });
  // The campaign hears of it after the store.
  await expect.poll(() => run.progress()).toMatchObject({ state: 'blocked', done: 0, inFlight: 5 });
  await run.cancel();
  expect(await run.result()).toMatchObject({ state: 'cancelled' });
});

it('an environment that breaks ends its trajectories as environment-fault, and the others go on', async () => {
  const run = await lab.start({ environment: 'brittle-maze', limit: 8 });
  const result = await run.result();
  expect(result).toMatchObject({ state: 'finished', done: 8, endings: { 'environment-fault': 3 } });
  const trajectories = await lab.store.findings.trajectories(run.id);
  const broken = trajectories.filter(({ ending }) => ending === 'environment-fault');
  // Broken in passing only, the sixth went on after a moment.
  expect(trajectories.find(({ taskId: id }) => id === 'maze-1-5')).toMatchObject({ ending: 'submitted' });
  expect(broken.map(({ taskId: id }) => id)).toEqual(['maze-1-0', 'maze-1-1', 'maze-1-2']);
  expect(broken.every(({ success, reward }) => success === null && reward === null)).toBe(true);
  expect(broken[0]!.details?.fault).toMatch(/the floor gave way/);
  expect(broken[2]!.details?.fault).toMatch(/the maze is closed/);
});

describe('workflows that are ended from outside', () => {
  it('a terminated trajectory is settled as a fault, and the run ends', async () => {
    const run = await lab.start({ limits: { settleEveryMs: 500 } });
    const lost = lab.client.workflow.getHandle(`${run.id}/maze-1-3/0`);
    await until('the trajectory runs', async () => (await lab.store.findings.trajectories(run.id)).length > 0);
    await lost.terminate('by the test');
    const result = await run.result();
    expect(result).toMatchObject({ state: 'finished', done: 5 });
    expect(result.endings.cancelled).toBe(1);
    const task = await lab.store.runs.task(run.id, 3);
    expect(task.result).toMatchObject({
      taskId: 'maze-1-3',
      stoppedBy: 'fault',
      fault: expect.stringContaining('Workflow.TERMINATED'),
      success: null,
      reward: null,
    });
  });

  it('a terminated branch is left out, and its trajectory goes on', async () => {
    const run = await lab.start({ granularity: 'step', taskIds: ['maze-1-3', 'maze-1-5'] });
    const query = `CruxRun = "${run.id}" AND WorkflowType = "branch" AND ExecutionStatus = "Running"`;
    let terminated = 0;
    await until('a branch is terminated', async () => {
      for await (const { workflowId } of lab.client.workflow.list({ query })) {
        terminated += await lab.client.workflow
          .getHandle(workflowId)
          .terminate('by the test')
          .then(
            () => 1,
            () => 0,
          );
        break;
      }
      return terminated > 0;
    });
    const result = await run.result();
    expect(result).toMatchObject({ state: 'finished', done: 2 });
    expect(result.endings).toEqual({ submitted: 2 });
  });

  it('a terminated campaign that is launched again goes on where it was, to the same pairs', async () => {
    const expected = await lab.outcome();
    const before = lab.simulation.stats().completeAnswers;
    const run = await lab.start({ config: { run: { window: 2 } } });
    await until('a task is done', async () => (await lab.store.runs.countTasks(run.id)).done > 0);
    await run.handle.terminate('by the test');
    await launchRun(lab.client, lab.store, await lab.store.runs.get(run.id));
    expect(await lab.client.workflow.getHandle(run.id).result()).toMatchObject({
      state: 'finished',
      total: 5,
      done: 5,
    });
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
    // Every answer that was paid is in the journal: none was paid twice.
    expect(lab.simulation.stats().completeAnswers - before).toBe(await lab.countAnswers(run.id));
  });

  it('a task that ends while a campaign launched again takes stock is counted all the same', async () => {
    const run = await lab.start({ config: { run: { window: 2 } } });
    const { runs } = lab.store;
    await until('a task is done', async () => (await runs.countTasks(run.id)).done > 0);
    await run.handle.terminate('by the test');
    const tasks = runs.tasks.bind(runs);
    const reading = vi.spyOn(runs, 'tasks').mockImplementation(async (id, options) => {
      const rows = await tasks(id, options);
      if (id !== run.id || rows.length < 5) return rows;
      // What the campaign counts is old when it arrives: another of the tasks in flight is done by then.
      reading.mockRestore();
      const counted = rows.filter(({ state }) => state === 'done').length;
      await until('one more is done', async () => (await runs.countTasks(run.id)).done > counted);
      return rows;
    });
    await launchRun(lab.client, lab.store, await runs.get(run.id));
    expect(await lab.client.workflow.getHandle(run.id).result()).toMatchObject({
      state: 'finished',
      total: 5,
      done: 5,
    });
  });

  it('a trajectory whose task nobody knows fails, and the campaign is told at once', async () => {
    const run = await lab.start({ limit: 2 });
    await run.result();
    // The row of a task that no environment has, as after a data set was changed.
    await lab.store.database.kysely
      .updateTable('run_tasks')
      .set({ task_id: 'no-such-maze', state: 'waiting', result: null })
      .where('run_id', '=', run.id)
      .where('position', '=', 1)
      .execute();
    const handle = await lab.client.workflow.start('trajectory', {
      workflowId: `${run.id}/no-such-maze/0`,
      taskQueue: taskQueue(lab.store.id),
      args: [{ runId: run.id, position: 1, method: 'cso', campaignId: null }],
    });
    await expect(handle.result()).rejects.toThrow();
    expect((await lab.store.runs.task(run.id, 1)).result).toMatchObject({
      stoppedBy: 'fault',
      success: null,
    });
  });
});
