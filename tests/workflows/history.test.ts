// Layer: whole runs against a real Temporal server, simulated models over HTTP and a real store: what is left in Temporal.
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { emptyCounts } from '../../src/domain/run/campaign-counts.ts';
import type { TrajectoryInput } from '../../src/domain/wire/trajectory.ts';
import { prepareRun } from '../../src/start/prepare.ts';
import { taskQueue } from '../../src/temporal/task-queues.ts';
import { Lab, type LabRequest, type LabRun, outcomeOf } from '../helpers/lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address });
  await lab.work();
});
afterAll(() => lab.close());

const historyOf = (workflowId: string) => lab.client.workflow.getHandle(workflowId).fetchHistory();

/** Models with a policy that makes no mistake. */
function faultless() {
  const { models } = lab.config();
  return { ...models, policy: { ...models.policy, model: 'sim-policy@skill=1' } };
}

/** How many executions of the run's workflows of this type continued as new. */
async function continued(run: LabRun, type: string): Promise<number> {
  const query = `CruxRun = "${run.id}" AND WorkflowType = "${type}" AND ExecutionStatus = "ContinuedAsNew"`;
  return (await lab.client.workflow.count(query)).count;
}

/** What the executions of the run's workflows of this type were started with. */
async function inputs(run: LabRun, type: string): Promise<TrajectoryInput[]> {
  const found = [];
  for await (const { workflowId, runId } of lab.client.workflow.list({
    query: `CruxRun = "${run.id}" AND WorkflowType = "${type}"`,
  })) {
    const { events } = await lab.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const { data } = events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!;
    found.push(JSON.parse(Buffer.from(data!).toString()) as TrajectoryInput);
  }
  return found;
}

describe('history', () => {
  it('holds at most 2.5 KB a step, and no text of any message', async () => {
    // A policy without fault, so that nothing is mined and all history is of exploring.
    const run = await lab.start({
      ...{ environment: 'long-maze', limit: 1, granularity: 'step', config: { models: faultless() } },
    });
    await run.result();
    const [trajectory] = await lab.store.findings.trajectories(run.id);
    expect(trajectory!.steps).toBe(18);
    const text = historyToJSON(await historyOf(`${run.id}/maze-2-0/0`));
    const decoded = text.replace(/"data": ?"([A-Za-z0-9+/=]+)"/g, (_, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    // Words of the opening message, of the policy's thoughts, of its actions and of the observations.
    const { messages } = await lab.store.tree.state(trajectory!.leafId);
    const spoken = JSON.stringify(messages);
    for (const phrase of ['maze of rooms', 'looks promising', 'Action Input', 'You are in']) {
      expect(spoken).toContain(phrase);
      expect(decoded).not.toContain(phrase);
    }
    // The activities themselves are there.
    expect(decoded).toContain('"kind":"step"');
    const { historySize } = await lab.client.workflow.getHandle(`${run.id}/maze-2-0/0`).describe();
    expect(historySize! / 18).toBeLessThan(2_500);
  });

  it('is as short for a long trajectory as for a short one, if it is explored in one activity', async () => {
    const run = await lab.start({ environment: 'long-maze', limit: 1, config: { models: faultless() } });
    await run.result();
    const { historyLength } = await lab.client.workflow.getHandle(`${run.id}/maze-2-0/0`).describe();
    expect(historyLength).toBeLessThan(40);
  });

  it('has a summary for a person on every activity and child', async () => {
    const run = await lab.start({ taskIds: ['maze-1-3'], granularity: 'step' });
    await run.result();
    const { events } = await historyOf(`${run.id}/maze-1-3/0`);
    const summaries = events!
      .filter(
        (event) =>
          event.activityTaskScheduledEventAttributes || event.startChildWorkflowExecutionInitiatedEventAttributes,
      )
      .map((event) => event.userMetadata?.summary?.data)
      .map((data) => (data ? Buffer.from(data).toString() : 'none'));
    expect(summaries).toContain('"step 1: policy and environment"');
    expect(summaries.some((summary) => /^"step \d: verify [0-9a-f]{8} #0"$/.test(summary))).toBe(true);
    expect(summaries).not.toContain('none');
  });

  it('gives search attributes and current details to campaign and trajectories', async () => {
    const run = await lab.start({ taskIds: ['maze-1-3'] });
    const { pairs } = await run.result();
    const campaign = await run.handle.describe();
    expect(campaign.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])).toEqual(
      expect.arrayContaining([
        ['CruxRun', run.id],
        ['CruxMethod', 'cso'],
        ['CruxEnvironment', 'maze'],
        ['CruxStatus', 'finished'],
        ['CruxPairs', pairs],
      ]),
    );
    const trajectory = await lab.client.workflow.getHandle(`${run.id}/maze-1-3/0`).describe();
    expect(trajectory.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])).toEqual(
      expect.arrayContaining([
        ['CruxRun', run.id],
        ['CruxTask', 'maze-1-3'],
        ['CruxStatus', 'submitted'],
        ['CruxStep', 5],
        ['CruxReward', 0],
        ['CruxPairs', pairs],
      ]),
    );
    const details = await run.handle.query('__temporal_workflow_metadata');
    expect(JSON.stringify(details)).toContain('1 of 1 done');
  });
});

describe('continuing as new', () => {
  it('changes nothing in a campaign', async () => {
    const expected = await lab.outcome();
    const run = await lab.start({ config: { run: { window: 2 } }, limits: { historyLimit: 25 } });
    expect(await run.result()).toMatchObject({ state: 'finished', total: 5, done: 5 });
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
    expect(await continued(run, 'campaign')).toBeGreaterThan(1);
  });

  it('forgets no ceiling that was raised shortly before: a task that met the old one goes on', async () => {
    const runId = `raised-${lab.store.id}`;
    const run = await prepareRun(lab.config(), lab.store, { method: 'cso', environment: 'maze', limit: 2, runId });
    // Continued with a task in flight that began under the ceilings of before.
    const handle = await lab.client.workflow.start('campaign', {
      workflowId: run.id,
      taskQueue: taskQueue(lab.store.id),
      args: [
        {
          ...{ runId: run.id, method: 'cso', window: 2 },
          cursor: {
            ...{ nextPosition: 2, inFlight: [{ position: 0, workflowId: `${run.id}/gone` }], state: 'running' },
            ...{ counts: emptyCounts(2), cutShort: emptyCounts(0), sinceRetune: [0] },
          },
        },
      ],
    });
    const found = { success: null, reward: null, steps: 0, criticalSteps: 0, branches: 0, pairs: 0, fault: null };
    const cut = { position: 0, taskId: 'maze-1-0', ending: 'budget', stoppedBy: 'budget', ...found };
    await handle.signal('trajectoryDone', cut);
    expect(await handle.result()).toMatchObject({ state: 'finished', done: 2 });
  });

  it('comes soon in a campaign that always has more to start', async () => {
    // A policy without fault, so that tasks end as fast as they start.
    const config = { run: { window: 10 }, models: faultless() };
    const run = await lab.start({ limit: 8, samples: 5, config, limits: { historyLimit: 40 } });
    expect(await run.result()).toMatchObject({ state: 'finished', done: 40 });
    const lengths = [];
    const query = `CruxRun = "${run.id}" AND WorkflowType = "campaign"`;
    for await (const { historyLength } of lab.client.workflow.list({ query })) lengths.push(historyLength);
    // What comes while a full window is started and reports back.
    expect(Math.max(...lengths)).toBeLessThan(40 + 10 * 8);
  });

  it('changes nothing in a trajectory that explores and mines', async () => {
    // So many rollouts are planned for each step that the 18 steps are mined in two parts; none of them is made.
    const verification = { ...lab.verification(), rollouts: 64, baselineRollouts: 64 };
    const request: LabRequest = {
      environment: 'long-maze',
      limit: 1,
      granularity: 'step',
      options: { alternatives: 1, verify: false, verification },
    };
    const expected = await lab.outcome(request);
    const run = await lab.start({ ...request, limits: { historyLimit: 50 } });
    await run.result();
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
    const phases = (await inputs(run, 'trajectory')).map(({ cursor }) => cursor?.phase);
    expect(phases.filter((phase) => phase === 'explore').length).toBeGreaterThan(1);
    expect(phases.filter((phase) => phase === 'mine').length).toBeGreaterThan(0);
  });

  it('changes nothing in branches', async () => {
    const options = { alternatives: 2, branchesPerStep: 1 };
    const request: LabRequest = { environment: 'long-maze', limit: 1, granularity: 'step', options };
    const expected = await lab.outcome(request);
    const run = await lab.start({ ...request, limits: { historyLimit: 50 } });
    await run.result();
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
    expect(await continued(run, 'branch')).toBeGreaterThan(0);
  });
});
