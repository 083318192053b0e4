// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MethodName } from '../../../src/domain/methods/index.ts';
import { type RunSummary, runSummary } from '../../../src/views/run-summary.ts';
import { type StepLedgerLine, stepLedger } from '../../../src/views/step-ledger.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';

let lab: DirectLab;
beforeAll(async () => {
  lab = await DirectLab.open();
});
afterAll(() => lab.close());

async function finished(request: DirectRequest): Promise<RunSummary> {
  const run = await lab.start(request);
  expect((await run.result()).state).toBe('finished');
  return runSummary(lab.store, run.id);
}

async function stepsOf({ runId }: RunSummary): Promise<StepLedgerLine[]> {
  const tasks = new Set((await lab.store.runs.tasks(runId)).map(({ taskId }) => taskId));
  const run = await lab.store.runs.get(runId);
  return (await Promise.all([...tasks].map((taskId) => stepLedger(lab.store, run, taskId)))).flat();
}

const sum = (values: readonly (number | null)[]) => values.reduce<number>((total, value) => total + value!, 0);

/** The parts of a run's ledger, added up from those of its steps. */
function addedUp(steps: StepLedgerLine[]) {
  const environment = (name: 'demand' | 'fresh' | 'fromCache' | 'replayed') =>
    sum(steps.map(({ environmentSteps }) => environmentSteps[name]));
  const roles = steps.flatMap(({ tokens }) => Object.values(tokens));
  return {
    environmentSteps: {
      demand: environment('demand'),
      fresh: environment('fresh'),
      fromCache: environment('fromCache'),
      replayed: environment('replayed'),
    },
    candidates: sum(steps.map(({ candidates }) => candidates)),
    prmCalls: sum(steps.map(({ prmCalls }) => prmCalls)),
    rollouts: sum(steps.map(({ rollouts }) => rollouts)),
    calls: sum(roles.map(({ calls }) => calls)),
    tokens: sum(roles.flatMap(({ prompt, completion }) => [prompt, completion])),
    costMicroUsd: sum(steps.map(({ costMicroUsd }) => costMicroUsd)),
    pairs: sum(steps.map(({ pairs }) => pairs)),
  };
}

function wholeOf(summary: RunSummary): ReturnType<typeof addedUp> {
  const { ledger } = summary;
  return {
    environmentSteps: summary.environmentSteps as ReturnType<typeof addedUp>['environmentSteps'],
    candidates: summary.candidates,
    prmCalls: sum(ledger.filter(({ role }) => role === 'prm').map(({ calls }) => calls)),
    rollouts: sum(Object.values(summary.branches).map(({ total }) => total)),
    calls: sum(ledger.map(({ calls }) => calls)),
    tokens: sum(ledger.flatMap(({ promptTokens, completionTokens }) => [promptTokens, completionTokens])),
    costMicroUsd: sum(ledger.map(({ costMicroUsd }) => costMicroUsd)),
    pairs: summary.pairs.total,
  };
}

describe('environment steps of a run', () => {
  const priced = { input: 1, output: 2 };
  const methods: MethodName[] = ['rro', 'cso', 'ipr', 'eto', 'step-dpo', 'rft', 'sft', 'evaluate'];

  it.each(methods)('under %s are the sum of those of its steps, as all that it took', async (method) => {
    const { models } = lab.config();
    const roles = Object.entries(models).map(([role, settings]) => [role, { ...settings, price: priced }]);
    const config = { models: Object.fromEntries(roles) as typeof models };
    const summary = await finished({ method, limit: 3, samples: method === 'rft' || method === 'sft' ? 1 : 2, config });
    const { demand, fresh, fromCache } = summary.environmentSteps;
    expect(demand).toBeGreaterThan(0);
    expect(fresh! + fromCache!).toBe(demand);
    const steps = await stepsOf(summary);
    expect(addedUp(steps)).toEqual(wholeOf(summary));
    // Every step that was judged has a pair, or a reason for having none.
    const { unpaired } = summary;
    if (unpaired === null) return;
    expect(unpaired.steps.withPair + sum(Object.values(unpaired.steps.without))).toBe(unpaired.steps.judged);
    expect(Object.keys({ ...unpaired.steps.without, ...unpaired.pairs.notMade })).not.toContain('not-recorded');
    for (const { environmentSteps } of steps) expect(environmentSteps.fromCache).toBeGreaterThanOrEqual(0);
  });

  it('are the same demand again, all of it from the cache', async () => {
    const first = await finished({ method: 'cso', limit: 3, seed: 71 });
    expect(first.environmentSteps.replayed).toBeGreaterThan(0);
    const again = await finished({ method: 'cso', limit: 3, seed: 71 });
    const { demand, replayed } = first.environmentSteps;
    expect(again.environmentSteps).toEqual({ demand, fresh: 0, fromCache: demand, replayed });
  });

  it('are not told apart where a ceiling cut ways short', async () => {
    const run = await lab.start({ method: 'cso', limit: 3, seed: 73, ceilings: { calls: 9 } });
    expect((await run.result()).state).toBe('budget');
    expect((await runSummary(lab.store, run.id)).environmentSteps.fromCache).toBeNull();
  });
});
