// Layer: whole runs without a Temporal server, on an environment whose steps cost money.
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { show } from '../../../src/cli/commands/show.ts';
import { status } from '../../../src/cli/commands/status.ts';
import { summaryText } from '../../../src/cli/terminal/summary.ts';
import { sumOrNull } from '../../../src/domain/statistics/sums.ts';
import { checkEnvironment } from '../../../src/environments/check.ts';
import { renderReport } from '../../../src/report/render-report.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { runView } from '../../../src/views/run-view.ts';
import { stepLedger } from '../../../src/views/step-ledger.ts';
import { taskSums } from '../../../src/views/task-sums.ts';
import { DirectLab } from '../../helpers/direct-lab.ts';
import { paidReach } from '../../helpers/paid-reach.ts';

let lab: DirectLab;
beforeEach(async () => {
  lab = await DirectLab.open({ stage: new URL('../../helpers/paid-reach.ts', import.meta.url).href });
});
afterEach(() => lab.close());

const role = (model: string) => ({ endpoint: 'simulated', model, maxTokens: 256, price: { input: 1, output: 2 } });
const models = { policy: role('sim-policy@skill=0.4'), expert: role('sim-expert'), prm: role('sim-prm') };
const mined = { method: 'cso', environment: 'paid', taskIds: ['5', '6', '7'], samples: 2, config: { models } } as const;

it('shows what steps cost apart from the models, and in the sums', async () => {
  const run = await lab.start({ ...mined, taskIds: [...mined.taskIds] });
  await run.result();
  const summary = await runSummary(lab.store, run.id);
  const { environmentCosts, ledger, pairs, comparison } = summary;
  expect(environmentCosts.map(({ purpose }) => purpose)).toContain('explore');
  const environment = environmentCosts.reduce((sum, { knownMicroUsd }) => sum + knownMicroUsd, 0);
  const steps = environmentCosts.reduce((sum, line) => sum + line.steps, 0);
  expect(environment).toBe(steps * 250_000);
  const whole = sumOrNull([...ledger, ...environmentCosts].map(({ costMicroUsd }) => costMicroUsd))!;
  expect(comparison.costMicroUsdPerPair).toBeCloseTo(whole / pairs.total, 3);

  const text = summaryText(summary);
  expect(text).toMatch(/environment +explore +\$\d/);
  expect(text).toContain(
    `$${(environment / 1e6).toFixed(2)} for ${steps} steps of the environment, $${(whole / 1e6).toFixed(2)} together`,
  );
  const report = renderReport(await runView(lab.store, run.id));
  expect(report).toMatch(/<td>environment, explore \(\d+ steps\)<\/td>/);
  expect(report).toContain(`$${(whole / 1e6).toFixed(2)}`);

  const stored = await lab.store.runs.get(run.id);
  const sums = [...(await taskSums(lab.store, stored)).values()].map((task) => task.costMicroUsdPerPair.part);
  expect(sumOrNull(sums)).toBeCloseTo(whole, 3);
  const ofTasks = await Promise.all(mined.taskIds.map((task) => stepLedger(lab.store, stored, task)));
  expect(sumOrNull(ofTasks.flat().map((line) => line.environmentCostMicroUsd))).toBeCloseTo(environment, 3);
});

it('is told of costs by status, and for each step by show', async () => {
  const run = await lab.start({ ...mined, taskIds: ['5'], samples: 1 });
  await run.result();
  const said: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  onTestFinished(() => write.mockRestore());
  const options = { config: 'crux.config.ts', home: lab.home } as Parameters<typeof status>[0];
  await status(options, run.id);
  const cost = (await lab.store.environmentCosts.known(run.id)) / 1e6;
  expect(said.join('')).toContain(`${run.id}: steps of the environment cost $${cost.toFixed(cost < 1 ? 4 : 2)} so far`);
  await show(options, run.id, { task: '5' });
  expect(said.join('')).toMatch(/generated +cost +env\. cost +pairs/);
});

it('stops at its ceiling on cost without passing it', async () => {
  const run = await lab.start({ ...mined, taskIds: [...mined.taskIds], ceilings: { costMicroUsd: 2_100_000 } });
  expect(await run.result()).toMatchObject({ state: 'budget' });
  const { environmentCosts, ledger } = await runSummary(lab.store, run.id);
  const spent = sumOrNull([...ledger, ...environmentCosts].map(({ costMicroUsd }) => costMicroUsd))!;
  expect(spent).toBeLessThanOrEqual(2_100_000);
  expect(spent).toBeGreaterThan(1_500_000);
});

it.each([
  [{}, true, /^\d+ steps, US dollars: [\d.]+ together, at most 0.25 \(maxStepCost 0.25\)$/],
  [{ maxStepCost: undefined }, true, /no maxStepCost: nothing is held before a step/],
  [{ maxStepCost: 0.1 }, false, /Task 5, script, action 1: the cost is 0.25, and maxStepCost is 0.1/],
  [{ cost: (): number => -1 }, false, /the cost is -1, which is no number of US dollars from 0/],
  [{ cost: (): undefined => undefined }, null, /not checked: steps report none/],
] as const)('is told by check-env of costs, with %o', async (changes, ok, detail) => {
  const results = await checkEnvironment(paidReach(changes), 2);
  expect(results.find(({ check }) => check === 'costs')).toMatchObject({ ok, detail: expect.stringMatching(detail) });
});
