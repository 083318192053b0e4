// Layer: whole runs of RRO and IPR on a real Temporal server, with simulated models over HTTP and a real store: what it changes that one activity chooses steps.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Lab, type LabRequest, type LabRun, until } from '../helpers/lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address, latency: { distribution: 'fixed', meanMs: 10 } });
  await lab.work();
});
afterAll(() => lab.close());

const rro: LabRequest = { method: 'rro', environment: 'long-maze', limit: 1, options: { draws: 2, valueRollouts: 2 } };

async function activitiesOf(run: LabRun): Promise<string[]> {
  const [task] = await lab.store.runs.tasks(run.id);
  const { events } = await lab.client.workflow.getHandle(`${run.id}/${task!.taskId}/0`).fetchHistory();
  return (events ?? []).flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
}

/** Waits until the run has chosen some steps, and has more to choose. */
async function underWay(run: LabRun): Promise<void> {
  await until('two steps are chosen', async () => (await lab.store.findings.steps(run.id)).length >= 2);
}

/** The only trajectory of a run that ended as cancelled: its steps, beside those that were chosen. */
async function cancelledAt(run: LabRun): Promise<{ steps: number; chosen: number; depth: number }> {
  const { findings, tree } = lab.store;
  const [trajectory] = await findings.trajectories(run.id);
  expect(trajectory).toMatchObject({ ending: 'cancelled', reward: null });
  const { step: depth } = await tree.state(trajectory!.leafId);
  return { steps: trajectory!.steps, chosen: (await findings.steps(run.id)).length, depth };
}

it('draws, rollouts and choices of a whole trajectory are one activity, however long it is', async () => {
  const run = await lab.start(rro);
  expect(await run.result()).toMatchObject({ state: 'finished' });
  const [trajectory] = await lab.store.findings.trajectories(run.id);
  expect(trajectory!.steps).toBeGreaterThan(5);
  expect(await activitiesOf(run)).toEqual(['openTask', 'endTask']);
  const [task] = await lab.store.runs.tasks(run.id);
  expect(task!.result!.branches).toBe((await lab.store.findings.branches(run.id)).length);
});

it.each([
  ['in the middle of its work', false],
  ['while it is paused', true],
])('a run that is cancelled %s records its trajectory where it stands, with the pairs so far', async (_, isPaused) => {
  const run = await lab.start({ ...rro, seed: isPaused ? 2 : 3 });
  await underWay(run);
  if (isPaused) {
    await run.pause();
    await until('nothing is in progress', () => lab.simulation.stats().inFlight === 0);
  }
  await run.cancel();
  const { state, pairs } = await run.result();
  expect(state).toBe('cancelled');
  const { steps, chosen, depth } = await cancelledAt(run);
  expect(steps).toBe(depth);
  // A choice is recorded before its pair is verified, and its value found.
  expect([chosen, chosen - 1]).toContain(steps);
  expect(pairs).toBe((await lab.store.findings.pairs(run.id)).length);
  expect(lab.simulation.stats().inFlight).toBe(0);
});

it('a fault ends a trajectory with the same rows as step by step', async () => {
  const request: LabRequest = { method: 'rro', environment: 'brittle-maze', taskIds: ['maze-1-1', 'maze-1-3'] };
  const whole = await lab.outcome(request);
  expect(whole).toContain('environment-fault');
  expect(await lab.outcome({ ...request, granularity: 'step' })).toBe(whole);
});

describe('IPR', () => {
  const ipr: LabRequest = { method: 'ipr', taskIds: ['maze-1-3'], options: { valueRollouts: 2, reestimateRate: 1 } };

  it('refines each step of the expert but the first in one activity', async () => {
    const run = await lab.start(ipr);
    expect(await run.result()).toMatchObject({ state: 'finished' });
    const activities = await activitiesOf(run);
    const steps = activities.filter((name) => name === 'refineStep').length;
    expect(steps).toBe((await lab.store.findings.steps(run.id)).filter(({ step }) => step > 1).length);
    expect(activities.filter((name) => name === 'rollOutAll' || name === 'contrastStep')).toEqual([]);
    const branches = await lab.store.findings.branches(run.id);
    expect(branches.length).toBeGreaterThan(steps);
    expect((await lab.store.runs.tasks(run.id))[0]!.result!.branches).toBe(branches.length);
  });

  it('leaves out the steps that reach their ceiling, as many as step by step', async () => {
    const leftOut = async (granularity: 'activity' | 'step') => {
      const options = { valueRollouts: 4 };
      const run = await lab.start({ ...ipr, options, granularity, ceilings: { step: { rollouts: 4 } } });
      expect(await run.result()).toMatchObject({ state: 'finished' });
      const [task] = await lab.store.runs.tasks(run.id);
      expect(task!.result).toMatchObject({ stoppedBy: null });
      return task!.result!.stepsLeftOut;
    };
    const steps = await leftOut('activity');
    expect(steps).toBeGreaterThan(0);
    expect(await leftOut('step')).toBe(steps);
  });

  it('ends as cancelled in the middle of its steps, and nothing of them goes on', async () => {
    const run = await lab.start({ ...ipr, environment: 'long-maze', taskIds: undefined, limit: 1, seed: 4 });
    await until('steps are refined', async () => (await lab.store.findings.branches(run.id)).length > 2);
    await run.cancel();
    expect(await run.result()).toMatchObject({ state: 'cancelled' });
    const [task] = await lab.store.runs.tasks(run.id);
    expect(task!.result).toMatchObject({ stoppedBy: 'cancelled' });
    expect(task!.result!.branches).toBe((await lab.store.findings.branches(run.id)).length);
    expect(lab.simulation.stats().inFlight).toBe(0);
  });
});
