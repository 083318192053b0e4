// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store, of configurations that leave models out.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { calibrationView } from '../../../src/views/calibration.ts';
import { evaluationOf } from '../../../src/views/evaluation.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { outcomeOf } from '../../helpers/outcome.ts';

let lab: DirectLab;

beforeAll(async () => {
  // Its worker has no other models either.
  lab = await DirectLab.open({ sql: true, worker: () => only('policy') });
});
afterAll(() => lab.close());

type Named = 'policy' | 'policy and expert' | 'policy and prm';

function only(named: Named): NonNullable<DirectRequest['config']> {
  const role = (model: string) => ({ endpoint: 'simulated', model, maxTokens: 256 });
  return {
    models: {
      policy: role('sim-policy@skill=0.4'),
      ...(named.endsWith('expert') && { expert: role('sim-expert') }),
      ...(named.endsWith('prm') && { prm: role('sim-prm') }),
    },
  };
}

async function finished(request: DirectRequest): Promise<string> {
  const run = await lab.start(request);
  expect((await run.result()).state).toBe('finished');
  return run.id;
}

/** What a run came to, but for the models that its certificates name. */
async function foundBy(runId: string): Promise<object[]> {
  const lines = (await outcomeOf(lab.store, runId)).split('\n');
  return lines.map((line) => ({ ...JSON.parse(line), models: null }));
}

const methods: [Named, DirectRequest][] = [
  ['policy', { method: 'rro', limit: 2 }],
  ['policy', { method: 'anchor' }],
  ['policy', { method: 'ipr', environment: 'sql-demo', limit: 2, options: { experts: 'scripted' } }],
  ['policy and expert', { method: 'cso', limit: 8, options: { gate: false } }],
  ['policy and prm', { method: 'step-dpo', options: { select: 'first-error' } }],
];

describe.each(methods)('with %s alone, %j', (named, request) => {
  it('finds what it finds with all three, and its certificates name no other model and hold', async () => {
    const run = await finished({ ...request, config: only(named) });
    expect(await foundBy(run)).toEqual(await foundBy(await finished(request)));
    const pairs = await lab.store.findings.pairs(run);
    expect(pairs.length).toBeGreaterThan(0);
    const environments = new EnvironmentRegistry(lab.config().environments);
    for (const pair of pairs) {
      expect(Object.keys(pair.certificate.models)).toEqual(named.split(' and '));
      expect(await verifyPair(lab.store, environments, pair)).toMatchObject({ ok: true, problems: [] });
    }
    expect(Object.keys((await runSummary(lab.store, run)).models)).toEqual(named.split(' and '));
  });
});

it('an evaluation asks the policy, and needs no other model', async () => {
  const evaluation: DirectRequest = { method: 'evaluate', split: 'train', limit: 3, samples: 2, trainedOn: ['none'] };
  const alone = await finished({ ...evaluation, config: only('policy') });
  const figures = async (run: string) => (await evaluationOf(lab.store, run))!.overall;
  expect(await figures(alone)).toEqual(await figures(await finished(evaluation)));
});

it('a run without a PRM has no scores to calibrate, and says so', async () => {
  const run = await finished({ method: 'rro', limit: 1, config: only('policy') });
  const environments = new EnvironmentRegistry(lab.config().environments);
  await expect(calibrationView(lab.store, environments, run)).rejects.toMatchObject({
    kind: 'User.Config',
    message: `Run ${run} has no models.prm: there are no scores to calibrate.`,
  });
});
