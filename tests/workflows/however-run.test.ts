// Layer: whole runs of the methods on a real Temporal server, beside the same runs without one.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DirectLab, type DirectRequest } from '../helpers/direct-lab.ts';
import { Lab, type LabRun } from '../helpers/lab.ts';
import { outcomeOf } from '../helpers/outcome.ts';

let lab: Lab;
let direct: DirectLab;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address });
  await lab.work();
  direct = await DirectLab.open();
});
afterAll(async () => {
  await direct?.close();
  await lab?.close();
});

/** Executions of the run's trajectories that continued as new. */
async function continued({ id }: LabRun): Promise<number> {
  const query = `CruxRun = "${id}" AND WorkflowType = "trajectory" AND ExecutionStatus = "ContinuedAsNew"`;
  return (await lab.client.workflow.count(query)).count;
}

const firstError = { select: 'first-error', reestimateRate: 0 };

/** How long a history may grow: so short that trajectories continue as new at every few steps. */
const runs: [string, DirectRequest, historyLimit: number][] = [
  // First: before anything was made for a policy to learn from.
  ['an evaluation', { method: 'evaluate', split: 'train', limit: 2, samples: 2 }, 10],
  ['CSO with calibration', { method: 'cso', limit: 2, options: { calibrationRate: 0.5 } }, 40],
  ['RRO', { method: 'rro', limit: 1, options: { reestimateRate: 1, valueRollouts: 2 } }, 40],
  ['IPR', { method: 'ipr', limit: 1, options: { valueRollouts: 2 } }, 40],
  ['anchor', { method: 'anchor', limit: 1, preset: 'sound', config: { run: { window: 8 } } }, 40],
  ['Step-DPO', { method: 'step-dpo', limit: 2 }, 20],
  ['Step-DPO as published', { method: 'step-dpo', limit: 2, options: firstError }, 20],
];

describe.each(runs)('%s comes to the same as without a server', (_name, request, historyLimit) => {
  let expected: string;

  beforeAll(async () => {
    expected = await direct.outcome(request);
    expect(expected).not.toBe('');
  });

  it('where each trajectory and each branch is one activity', async () => {
    expect(await lab.outcome(request)).toBe(expected);
  });

  it('where they go step by step, one at a time, and continue as new every few steps', async () => {
    const config = { run: { ...request.config?.run, parallel: 1 } };
    const run = await lab.start({ ...request, granularity: 'step', config, limits: { historyLimit } });
    await run.result();
    expect(await outcomeOf(lab.store, run.id)).toBe(expected);
    expect(await continued(run)).toBeGreaterThan(0);
  });
});

it('environment steps of a run are the same demand step by step, all of it from the cache', async () => {
  const { runSummary } = await import('../../src/views/run-summary.ts');
  const steps = async (granularity: 'activity' | 'step') => {
    const run = await lab.start({ limit: 3, seed: 71, granularity });
    await run.result();
    return (await runSummary(lab.store, run.id)).environmentSteps;
  };
  const { demand, replayed } = await steps('activity');
  expect(replayed).toBeGreaterThan(0);
  expect(await steps('step')).toEqual({ demand, fresh: 0, fromCache: demand, replayed });
});
