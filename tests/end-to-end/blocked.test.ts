// Layer: end to end: what a user sees when it is the provider that fails, not the policy.
import { randomUUID } from 'node:crypto';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { type Mode, refusingDoor } from '../helpers/refusing-door.ts';
import { demoConfig, simulateDemoModels, temporaryProject } from './crux.ts';

async function projectBehind(first: Mode) {
  const project = temporaryProject({ TEMPORAL_ADDRESS: inject('temporal').address, CRUX_BLOCKED_PATIENCE: '1' });
  const simulation = await simulateDemoModels(project);
  onTestFinished(() => simulation.close());
  const front = await refusingDoor(simulation.url, first);
  project.write('crux.config.ts', demoConfig(front.url));
  return { project, front, runId: `e2e-blocked-${randomUUID()}` };
}

const evaluate = (runId: string, ...more: string[]) => [
  'evaluate',
  '--run-id',
  runId,
  '--limit',
  '4',
  '--allow-leak',
  ...more,
];

describe('a provider that stops', () => {
  test.each([
    ['a wrong key', { status: 401, message: 'Incorrect API key provided.' }],
    ['a missing model', { status: 404, message: 'The model `sim-policy` does not exist.' }],
    ['a request that does not fit', { status: 400, message: "This model's maximum context length is 64 tokens." }],
  ])('(%s) blocks the run in its own words with exit 4, ends no task, and lets it go on', async (_name, mode) => {
    const { project, front, runId } = await projectBehind(mode);
    const stopped = await project.crux(...evaluate(runId));
    expect(stopped.code, stopped.stderr).toBe(4);
    expect(stopped.stderr).toContain(mode.message);
    expect(stopped.stderr).toContain('is blocked');
    const status = await project.json('status', runId);
    expect(status).toMatchObject({
      state: 'blocked',
      tasksDone: 0,
      block: { message: expect.stringContaining(mode.message) },
    });
    const shown = await project.crux('show', runId);
    expect(shown.stdout).toContain(mode.message);
    // Somebody has mended it.
    front.state.mode = null;
    const again = await project.crux(...evaluate(runId, '--json'));
    expect(again.code, again.stderr).toBe(0);
    const summary = JSON.parse(again.stdout) as { state: string; tasks: object; withoutOutcome: object };
    expect(summary).toMatchObject({ state: 'finished', tasks: { done: 4, total: 4 }, withoutOutcome: {} });
  });
});

test('a run whose tasks all end by faults ends with 4 and says which, and the same command tries them again', async () => {
  const { project, front, runId } = await projectBehind({ status: 500, message: 'CUDA error: device-side assert' });
  project.write('crux.config.ts', demoConfig(front.url).replace("/v1' }", "/v1', maxFaults: 1, concurrency: 1 }"));
  const one = ['evaluate', '--run-id', runId, '--limit', '1', '--allow-leak'];
  const broken = await project.crux(...one);
  expect(broken.code, broken.stderr).toBe(4);
  expect(broken.stdout).toMatch(/Faults: policy Model\.Exhausted 1: ".*CUDA error/);
  expect(broken.stdout).toContain('1 of 1 trajectories have no outcome (model-fault 1)');
  front.state.mode = null;
  const again = await project.crux(...one, '--json');
  expect(again.code, again.stderr).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ state: 'finished', withoutOutcome: {} });
});
