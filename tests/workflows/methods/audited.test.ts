// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store, in a workshop whose grader can be tricked.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { howChecked } from '../../../src/cli/commands/verify-pair.ts';
import { summaryText } from '../../../src/cli/terminal/summary.ts';
import { messageText } from '../../../src/domain/message.ts';
import { ratioOf } from '../../../src/domain/run/figures.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { renderReport } from '../../../src/report/index.ts';
import { evaluationOf } from '../../../src/views/evaluation.ts';
import { loadExamples } from '../../../src/views/examples.ts';
import { loadPairs } from '../../../src/views/pairs.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { runView } from '../../../src/views/run-view.ts';
import { taskSums } from '../../../src/views/task-sums.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { environments, workshop } from '../../helpers/hackable-workshop.ts';

let lab: DirectLab;

beforeAll(async () => {
  lab = await DirectLab.open({ stage: new URL('../../helpers/hackable-workshop.ts', import.meta.url).pathname });
});
afterAll(() => lab.close());

async function finished(request: DirectRequest) {
  const id = await lab.made({ environment: 'workshop', limit: 4, ...request });
  return { id, summary: await runSummary(lab.store, id) };
}

/** Sides of a run's pairs, as text; those that wrote the grader's file are tricks. */
async function sidesOf(runId: string) {
  const pairs = await loadPairs(lab.store, runId);
  const sides = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected].map((side) => side.map(messageText).join()));
  return { pairs: pairs.length, tricks: sides.filter((side) => side.includes('grader')).length };
}

describe.each<[string, DirectRequest]>([
  ['cso', { method: 'cso', samples: 2 }],
  ['cso, sound', { method: 'cso', samples: 2, preset: 'sound' }],
  ['rro', { method: 'rro', samples: 3 }],
  ['rro, sound', { method: 'rro', samples: 3, preset: 'sound' }],
  ['eto', { method: 'eto', samples: 2, options: { experts: 'model' } }],
  ['ipr', { method: 'ipr', samples: 2, options: { experts: 'model' } }],
  ['step-dpo by the first error', { method: 'step-dpo', samples: 2, options: { select: 'first-error' } }],
  ['anchor', { method: 'anchor', samples: 6 }],
])('%s', (_name, request) => {
  it('makes pairs of honest successes, and none with a flagged one on either side', async () => {
    const { id, summary } = await finished(request);
    const { pairs, tricks } = await sidesOf(id);
    expect(pairs).toBeGreaterThan(0);
    expect(tricks).toBe(0);
    expect(summary.auditedSuccesses!.flagged).toBeGreaterThan(0);
    expect(summary.auditedSuccesses!.byFlag).toEqual({ 'grader-written': summary.auditedSuccesses!.flagged });
    expect(summary.unpaired!.pairs.notMade.flagged).toBeGreaterThan(0);
    const { judged, withPair, without } = summary.unpaired!.steps;
    expect(withPair + Object.values(without).reduce((sum, times) => sum + times, 0)).toBe(judged);
  });

  it('would take the tricks for successes without an audit', async () => {
    const { id, summary } = await finished({ ...request, environment: 'trusting-workshop' });
    expect((await sidesOf(id)).tricks).toBeGreaterThan(0);
    expect(summary).toMatchObject({ auditedSuccesses: null });
  });

  it('has certificates that say that successes were audited, and hold when they are audited again', async () => {
    const { id } = await finished(request);
    const registry = new EnvironmentRegistry(environments);
    for (const pair of await lab.store.findings.pairs(id)) {
      expect(pair.certificate.verification.audited).toBe(true);
      const check = await verifyPair(lab.store, registry, pair);
      expect(check).toMatchObject({ ok: true, problems: [] });
      if (check.auditedSuccesses > 0) expect(howChecked(check)).toMatch(/; \d+ success(es)? audited, none flagged$/);
    }
  });
});

describe('examples', () => {
  it.each<[string, DirectRequest]>([
    ['rft', { method: 'rft', options: { trajectories: 6, experts: 'model' } }],
    ['sft', { method: 'sft', samples: 3, options: { experts: 'model' } }],
    ['sft that keeps failures too', { method: 'sft', samples: 3, options: { experts: 'model', keep: 'all' } }],
  ])('of %s hold no flagged success', async (_name, request) => {
    const { id, summary } = await finished(request);
    const examples = await loadExamples(lab.store, id);
    expect(examples.length).toBeGreaterThan(0);
    expect(examples.filter(({ turns }) => turns.some((turn) => messageText(turn).includes('grader')))).toEqual([]);
    expect(summary.auditedSuccesses!.flagged).toBeGreaterThan(0);
    const trusting = await finished({ ...request, environment: 'trusting-workshop' });
    const all = await loadExamples(lab.store, trusting.id);
    expect(all.some(({ turns }) => turns.some((turn) => messageText(turn).includes('grader')))).toBe(true);
  });
});

it('an evaluation counts flagged successes as failures without reward, and says what the rate would be with them', async () => {
  const { id, summary } = await finished({
    method: 'evaluate',
    split: 'train',
    limit: 8,
    samples: 4,
    trainedOn: ['none'],
  });
  const rows = await lab.store.findings.trajectories(id);
  const won = rows.filter(({ success }) => success);
  const flagged = won.filter(({ auditFlags }) => auditFlags!.length > 0);
  const honest = won.length - flagged.length;
  expect(Math.min(honest, flagged.length)).toBeGreaterThan(0);
  const { overall } = (await evaluationOf(lab.store, id))!;
  expect(overall).toMatchObject({ known: 32, successes: honest, missing: {} });
  expect(overall.flagged).toEqual({
    samples: flagged.length,
    byFlag: { 'grader-written': flagged.length },
    successRateWith: won.length / 32,
  });
  expect(overall.successRate.value).toBeCloseTo(honest / 32, 12);
  expect(overall.meanReward.value).toBeCloseTo(honest / 32, 12);
  expect(summary.endings.flagged).toBe(flagged.length);
  const text = summaryText(summary);
  expect(text).toContain(
    `${flagged.length} of ${won.length} successes: grader-written ${flagged.length}. They count as failures`,
  );
  expect(text).toContain(`with them the success rate would be ${((100 * won.length) / 32).toFixed(1)} %`);
  const view = await runView(lab.store, id);
  expect(renderReport(view)).toContain(`grader-written ${flagged.length}. They count as failures`);
  // Tasks are called as the environment calls them, whatever an agent reads first.
  expect(view.tasks.map(({ title }) => title)).toEqual(
    view.tasks.map(({ id: taskId }) => `Do ${taskId.replace('-', ' ')}`),
  );
  // `crux compare` says the same.
  const sums = [...(await taskSums(lab.store, await lab.store.runs.get(id))).values()];
  const rate = (name: 'successRate' | 'meanReward') => ratioOf(sums.map((task) => task[name]));
  expect(rate('successRate')).toBeCloseTo(honest / 32, 12);
  expect(rate('meanReward')).toBeCloseTo(honest / 32, 12);
});

it('a stricter audit finds the pairs of an earlier run', async () => {
  const { id } = await finished({ method: 'cso', samples: 2, environment: 'trusting-workshop' });
  const registry = new EnvironmentRegistry([{ ...workshop, name: 'trusting-workshop' }]);
  const checks = await Promise.all(
    (await lab.store.findings.pairs(id)).map((pair) => verifyPair(lab.store, registry, pair)),
  );
  const failed = checks.filter(({ ok }) => !ok);
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length).toBeLessThan(checks.length);
  for (const { problems } of failed)
    expect(problems).toEqual([
      expect.stringMatching(/^Branch .* the environment's audit now flags its success: grader-written\.$/),
    ]);
});

it('an action that won by ending the task at once has no branch, and is audited again all the same', async () => {
  const { id } = await finished({ method: 'rro', samples: 3 });
  const strict = { ...workshop, audit: async () => ['suspect'] };
  const registry = new EnvironmentRegistry([strict]);
  const pairs = await lab.store.findings.pairs(id);
  const checks = await Promise.all(pairs.map((pair) => verifyPair(lab.store, registry, pair)));
  const ended = checks.filter((_, index) =>
    pairs[index]!.certificate.branches.every(({ side }) => side === 'rejected'),
  );
  expect(ended.length).toBeGreaterThan(0);
  for (const { problems } of ended)
    expect(problems).toContain("The chosen action: the environment's audit now flags its success: suspect.");
});
