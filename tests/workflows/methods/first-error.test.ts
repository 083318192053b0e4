// Layer: whole runs of Step-DPO as published without a Temporal server, with simulated models over HTTP and a real store.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { summaryText } from '../../../src/cli/terminal/summary.ts';
import type { Certificate } from '../../../src/domain/pairs/pair.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { readFirstError } from '../../../src/models/answers/first-error.ts';
import { importScope } from '../../../src/store/findings.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { runView } from '../../../src/views/run-view.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { outcomeOf } from '../../helpers/outcome.ts';
import { expectTasksAlone } from '../../helpers/task-views.ts';

let lab: DirectLab;
/** The run with seed 1 and all defaults, and what it comes to. */
let runId: string;
let expected: string;

beforeAll(async () => {
  lab = await DirectLab.open({ sql: true });
  const run = await lab.start(firstError());
  expect((await run.result()).state).toBe('finished');
  runId = run.id;
  expected = await outcomeOf(lab.store, run.id);
});
afterAll(() => lab.close());

function firstError({ options, ...request }: DirectRequest = {}): DirectRequest {
  return {
    method: 'step-dpo',
    limit: 5,
    options: { select: 'first-error', reestimateRate: 0, ...options },
    ...request,
  };
}

const certificates = async (id: string) => (await lab.store.findings.pairs(id)).map(({ certificate }) => certificate);

const judgedBy = (where: DirectLab, model: string) => {
  const { models } = where.config();
  return { models: { ...models, prm: { ...models.prm!, model } } };
};

it('asks the judge once about every failure, and about nothing else', async () => {
  const { findings, journal } = lab.store;
  const trajectories = await findings.trajectories(runId);
  expect(new Set(trajectories.map(({ success }) => success))).toEqual(new Set([false, true]));
  const steps = await findings.steps(runId);
  expect(new Set(steps.map(({ trajectoryId }) => trajectoryId))).toEqual(
    new Set(trajectories.filter(({ success }) => success === false).map(({ id }) => id)),
  );
  for (const { id, leafId, success, steps: length } of trajectories) {
    const answers = await journal.inState(runId, leafId, ['locate']);
    expect(answers).toHaveLength(success === false ? 1 : 0);
    if (success) continue;
    const named = readFirstError(answers[0]!.message.content ?? '', length, 'first-error-2');
    const [judged] = steps.filter(({ trajectoryId }) => trajectoryId === id);
    expect(judged).toMatchObject(named === null ? { verdict: 'no-error', step: length } : { step: named });
  }
  const { ledger } = await runSummary(lab.store, runId);
  const asked = ledger.map(({ role, purpose }) => `${role} ${purpose}`);
  expect(asked).toEqual(['policy explore', 'policy propose', 'policy resample', 'prm locate']);
});

it('prefers the first action drawn anew after which the policy succeeds to its own', async () => {
  const { findings } = lab.store;
  const pairs = await certificates(runId);
  expect(pairs.length).toBeGreaterThan(1);
  for (const { verdict, step, nodeId, trajectoryId, ownId } of await findings.steps(runId)) {
    if (verdict === 'no-error') continue;
    const candidates = (await findings.candidatesOf(runId, nodeId)).filter(({ position }) => position >= 0);
    const own = await findings.candidate(runId, ownId!);
    const branches = (await findings.branchesAt(runId, nodeId)).filter(({ purpose }) => purpose === 'resample');
    const succeeded = branches.filter(({ success }) => success).toSorted((a, b) => a.rollout - b.rollout);
    const pair = pairs.find((one) => one.trajectoryId === trajectoryId && one.step === step);
    expect(verdict).toBe(
      candidates.length === 0 ? 'no-alternative' : succeeded.length === 0 ? 'not-corrected' : 'corrected',
    );
    expect(pair?.chosen.candidateId).toBe(succeeded[0]?.candidateId);
    if (!pair) continue;
    expect(pair.rejected).toMatchObject({ candidateId: own.id, source: 'policy' });
    expect(pair.chosen).toMatchObject({ source: 'policy', score: null });
    expect(pair.chosen.canonical).not.toBe(pair.rejected.canonical);
    expect(pair).toMatchObject({
      thresholds: { resamples: 20 },
      verification: { rule: 'once', posterior: null, rejectedRollouts: 0 },
      flags: expect.arrayContaining(['verified-once']),
      models: { prm: { promptVersion: 'first-error-2' } },
    });
    expect(pair.branches.map(({ purpose }) => purpose)).toEqual(pair.branches.map(() => 'resample'));
    expect(pair.tokens).toHaveProperty('prm');
  }
});

it('makes at most one pair of a trajectory', async () => {
  const owners = (await lab.store.findings.pairs(runId)).map(({ trajectoryId }) => trajectoryId);
  expect(new Set(owners).size).toBe(owners.length);
});

it('comes to the same when it is run again, one call at a time; not with another seed', async () => {
  expect(await lab.outcome(firstError({ config: { run: { parallel: 1 } } }))).toBe(expected);
  expect(await lab.outcome(firstError({ seed: 2 }))).not.toBe(expected);
});

it('comes to the same where trajectories share states, whichever is first', async () => {
  const pairsOf = async (request: DirectRequest) => {
    const run = await lab.start({ ...firstError({ limit: 3, samples: 6 }), ...request });
    await run.result();
    return (await certificates(run.id)).map(({ runId: _, attempts: _attempts, ...rest }) => rest);
  };
  const oneByOne = await pairsOf({ config: { run: { window: 1 } } });
  const owners = Map.groupBy(oneByOne, ({ nodeId }) => nodeId).values();
  expect([...owners].some((pairs) => new Set(pairs.map(({ trajectoryId }) => trajectoryId)).size > 1)).toBe(true);
  expect(await pairsOf({})).toEqual(oneByOne);
});

it('its certificates hold when they are checked again, and not for another step or action', async () => {
  const environments = new EnvironmentRegistry(lab.config().environments);
  const pairs = await lab.store.findings.pairs(runId);
  for (const pair of pairs) {
    expect(await verifyPair(lab.store, environments, pair)).toMatchObject({ ok: true, problems: [] });
  }
  const [pair] = pairs;
  const certificate = pair!.certificate;
  const forge = async (change: Partial<Certificate>) =>
    verifyPair(lab.store, environments, {
      ...pair!,
      certificate: { ...certificate, ...change },
    });
  expect(await forge({ step: certificate.step + 1 })).toMatchObject({
    ok: false,
    problems: ["The stored answer of the judge does not name the pair's step."],
  });
  expect(await forge({ branches: [] })).toMatchObject({
    ok: false,
    problems: ['The recorded branches do not verify the alternative.'],
  });
});

it('shows on a seeded sample what luck makes of the completions that found the pairs', async () => {
  const all = await lab.start(firstError({ options: { reestimateRate: 1 } }));
  await all.result();
  const { revalued, pairs, estimatedFalsePairs } = await runSummary(lab.store, all.id);
  expect(pairs.total).toBe((await lab.store.findings.pairs(runId)).length);
  expect(revalued!.pairs).toBe(pairs.total);
  expect(revalued!.meanFreshGap).toBeLessThan(revalued!.meanGap);
  expect(estimatedFalsePairs!.share === null).toBe(pairs.total < 10);
});

it('skips and counts a failure about which the judge says nothing readable', async () => {
  const run = await lab.start(firstError({ config: judgedBy(lab, 'sim-prm@malformed=1') }));
  expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
  const { steps, failures, pairs, branches, ledger } = await runSummary(lab.store, run.id);
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  expect(failed).toBeGreaterThan(1);
  expect(steps.byVerdict).toEqual({ unjudged: failed });
  expect({ pairs: pairs.total, branches }).toEqual({ pairs: 0, branches: {} });
  expect(ledger.find(({ purpose }) => purpose === 'locate')).toMatchObject({ calls: 3 * failed });
});

it('skips and counts a failure in which the judge finds nothing wrong', async () => {
  const blameless = await DirectLab.open({
    stage: new URL('../../helpers/blameless-mazes.ts', import.meta.url).pathname,
  });
  try {
    const run = await blameless.start(firstError({ config: judgedBy(blameless, 'sim-prm@auc=0.99') }));
    expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
    const { steps, failures, pairs, branches, ledger } = await runSummary(blameless.store, run.id);
    const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
    expect(failed).toBeGreaterThan(1);
    expect(steps.byVerdict).toEqual({ 'no-error': failed });
    expect({ pairs: pairs.total, branches }).toEqual({ pairs: 0, branches: {} });
    expect(ledger.find(({ purpose }) => purpose === 'locate')).toMatchObject({ calls: failed });
    const shown = (await runView(blameless.store, run.id)).tasks.flatMap(({ trajectories }) =>
      trajectories.flatMap((one) => one.steps),
    );
    expect(shown.some(({ firstError: isNamed }) => isNamed)).toBe(false);
  } finally {
    await blameless.close();
  }
});

it('is summed up and shown with the step that was named', async () => {
  const summary = await runSummary(lab.store, runId);
  const steps = await lab.store.findings.steps(runId);
  const failed = (await lab.store.findings.trajectories(runId)).filter(({ success }) => success === false);
  expect(summary.comparison.shareOfStepsSupervised).toBeCloseTo(
    summary.pairs.total / failed.reduce((sum, row) => sum + row.steps, 0),
    12,
  );
  const text = summaryText(summary);
  expect(text).toMatch(/^Steps judged +\d+: .*corrected/m);
  expect(text).toMatch(/^Verified pairs +\d+ at/m);
  const view = await runView(lab.store, runId);
  const shown = view.tasks.flatMap(({ trajectories }) => trajectories.flatMap((one) => one.steps));
  const named = steps.filter(({ verdict }) => verdict !== 'no-error');
  expect(shown.filter(({ firstError: isNamed }) => isNamed)).toHaveLength(named.length);
  const verified = shown.filter(({ alternatives }) => alternatives.some(({ verdict }) => verdict === 'verified'));
  expect(verified).toHaveLength(summary.pairs.total);
  await expectTasksAlone(lab.store, runId);
});

it('corrects the failures of recorded trajectories too, with what the policy does in their place', async () => {
  const { findings } = lab.store;
  const scope = importScope('maze');
  for (const row of await findings.trajectories(runId)) {
    await findings.addTrajectory({ ...row, runId: scope, origin: 'imported', model: 'recorded' });
  }
  const run = await lab.start(firstError({ trajectories: 'imported' }));
  expect(await run.result()).toMatchObject({ state: 'finished' });
  const pairs = await certificates(run.id);
  const ends = ({ step, chosen, rejected }: Certificate) => [step, chosen.canonical, rejected.canonical];
  expect(pairs.map(ends)).toEqual((await certificates(runId)).map(ends));
  for (const pair of pairs) {
    expect(pair).toMatchObject({ chosen: { source: 'policy' }, rejected: { source: 'imported', model: 'recorded' } });
    expect(pair.flags).toContain('off-policy');
  }
});

it('corrects steps of SQL tasks; under sound, where fresh rollouts of both actions bear that out', async () => {
  const sql = { environment: 'sql-demo', limit: 8 };
  const [run, sound] = [await lab.start(firstError(sql)), await lab.start(firstError({ ...sql, preset: 'sound' }))];
  await Promise.all([run.result(), sound.result()]);
  const published = await certificates(run.id);
  expect(published.length).toBeGreaterThan(1);
  for (const { chosen, rejected, verification } of published) {
    expect(chosen.canonical).not.toBe(rejected.canonical);
    expect(verification).toMatchObject({ rule: 'once', confirmed: true });
  }
  const pairs = await lab.store.findings.pairs(sound.id);
  expect(pairs.length).toBeGreaterThan(0);
  expect(pairs.length).toBeLessThan(published.length);
  expect(published.map(({ pairId }) => pairId)).toEqual(expect.arrayContaining(pairs.map(({ id }) => id)));
  const environments = new EnvironmentRegistry(lab.config().environments);
  for (const pair of pairs) {
    const { verification, branches } = pair.certificate;
    expect(verification).toMatchObject({ rule: 'posterior' });
    expect(verification.posterior).toBeGreaterThanOrEqual(0.9);
    expect(new Set(branches.map(({ side, purpose }) => `${side} ${purpose}`))).toEqual(
      new Set(['chosen verify', 'rejected baseline']),
    );
    expect(await verifyPair(lab.store, environments, pair)).toMatchObject({ ok: true, problems: [] });
  }
});
