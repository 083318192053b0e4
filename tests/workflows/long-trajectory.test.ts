// Layer: a whole run against a real Temporal server, simulated models over HTTP and a real store: one trajectory of 1,000 steps.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Lab } from '../helpers/lab.ts';

const steps = 1_000;
let lab: Lab;

beforeAll(async () => {
  const stage = join(import.meta.dirname, '../../bench/stages/long-maze.ts');
  lab = await Lab.open({ address: inject('temporal').address, stage });
  await lab.work();
});
afterAll(() => lab.close());

it('a trajectory of 1,000 steps continues as new, at most 2.5 KB of history a step, and no event is large', async () => {
  // A policy without fault, so that nothing is mined and all history is of exploring.
  const { models } = lab.config();
  const config = { models: { ...models, policy: { ...models.policy, model: 'sim-policy@skill=1' } } };
  const run = await lab.start({ environment: 'long-maze', limit: 1, config });
  expect(await run.result()).toMatchObject({ done: 1, endings: { success: 1 } });
  const [trajectory] = await lab.store.findings.trajectories(run.id);
  expect(trajectory).toMatchObject({ steps, ending: 'submitted' });
  expect((await lab.store.tree.path(trajectory!.leaf_id)).length).toBe(steps + 1);
  expect(await lab.countAnswers(run.id)).toBe(steps);

  let [executions, bytes, largestEvent] = [0, 0, 0];
  const query = `CruxRun = '${run.id}' AND WorkflowType = 'trajectory'`;
  for await (const { workflowId, runId } of lab.client.workflow.list({ query })) {
    const handle = lab.client.workflow.getHandle(workflowId, runId);
    executions++;
    bytes += (await handle.describe()).historySize ?? 0;
    const { events } = await handle.fetchHistory();
    for (const event of events ?? []) largestEvent = Math.max(largestEvent, JSON.stringify(event).length);
  }
  expect(executions).toBeGreaterThan(1);
  expect(bytes / steps).toBeLessThan(2_500);
  expect(largestEvent).toBeLessThan(20_000);
}, 300_000);
