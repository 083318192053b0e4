// Layer: whole runs on a real Temporal server whose activities hand their work over at each step, beside the same runs without one.
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { DirectLab, type DirectRequest } from '../helpers/direct-lab.ts';
import { Lab, outcomeOf } from '../helpers/lab.ts';

let lab: Lab;
let direct: DirectLab;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address, yieldAfterMs: 0 });
  await lab.work();
  direct = await DirectLab.open();
});
afterAll(async () => {
  await direct?.close();
  await lab?.close();
});

/** How often Temporal gave out the activity of a task that was repeated most. */
async function mostAttempts(runId: string): Promise<number> {
  const [task] = await lab.store.runs.tasks(runId);
  const { events } = await lab.client.workflow.getHandle(`${runId}/${task!.taskId}/0`).fetchHistory();
  return Math.max(...(events ?? []).map((event) => event.activityTaskStartedEventAttributes?.attempt ?? 0));
}

const runs: [string, DirectRequest][] = [
  ['CSO', { method: 'cso', limit: 2 }],
  ['RRO', { method: 'rro', limit: 1, options: { draws: 2, valueRollouts: 2 } }],
  ['IPR with an expert model', { method: 'ipr', limit: 1, options: { experts: 'model', valueRollouts: 2 } }],
];

it.each(runs)('%s goes on from what is stored: it comes to the same, and no call is sent twice', async (_, request) => {
  const expected = await direct.outcome(request);
  const run = await lab.start(request);
  await run.result();
  expect(await mostAttempts(run.id)).toBeGreaterThan(2);
  expect(await outcomeOf(lab.store, run.id)).toBe(expected);
  const keys = await lab.requestedKeys();
  expect(new Set(keys).size).toBe(keys.length);
});
