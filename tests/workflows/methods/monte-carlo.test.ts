// Layer: whole runs whose PRM is rollouts of the policy, without a Temporal server, with simulated models over HTTP and a real store.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summaryText } from '../../../src/cli/terminal/summary.ts';
import { countedReward } from '../../../src/domain/audit-flags.ts';
import { meanScore } from '../../../src/domain/methods/step-dpo-rule.ts';
import { streamOf } from '../../../src/domain/stream.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { renderReport } from '../../../src/report/index.ts';
import { calibrationView, loadProcessExamples } from '../../../src/views/calibration.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { runView } from '../../../src/views/run-view.ts';
import { stepLedger } from '../../../src/views/step-ledger.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';

const rollouts = 3;

let lab: DirectLab;
let registry: EnvironmentRegistry;
/** CSO, with every scored action rolled out once more. */
let runId: string;

beforeAll(async () => {
  lab = await DirectLab.open();
  registry = new EnvironmentRegistry(lab.config().environments);
  runId = await lab.made(scored({ options: { calibrationRate: 1 } }));
});
afterAll(() => lab.close());

function scored(request: DirectRequest = {}): DirectRequest {
  const { policy, expert } = lab.config().models;
  return { limit: 4, config: { models: { policy, expert, prm: { kind: 'monte-carlo', rollouts } } }, ...request };
}

it('scores every action by the mean outcome of the rollouts after it, in failures and in successes', async () => {
  const { findings } = lab.store;
  const branches = await findings.branches(runId);
  for (const [purpose, screening] of [['score', 'screen'] as const, ['calibrate', 'gauge'] as const]) {
    const scores = await findings.scores(runId, purpose);
    expect(scores.length).toBeGreaterThan(0);
    for (const { candidateId, score, samples } of scores) {
      const own = branches.filter((row) => row.candidateId === candidateId && row.purpose === screening);
      expect(own.map(({ rollout }) => rollout)).toEqual([0, 1, 2]);
      expect(samples).toEqual(own.map(countedReward));
      expect(score).toBe(meanScore(samples));
    }
  }
});

it('verifies nothing by the rollouts that selected it', async () => {
  const pairs = await lab.store.findings.pairs(runId);
  expect(pairs.length).toBeGreaterThan(0);
  const screened = new Set<string>();
  for (const row of await lab.store.findings.branches(runId)) {
    const calls = await lab.store.journal.inStream(runId, row.purpose, streamOf(row));
    if (row.purpose === 'screen') for (const { key } of calls) screened.add(key);
    else for (const { key } of calls) expect(screened).not.toContain(key);
  }
  for (const { certificate } of pairs) {
    expect(new Set(certificate.branches.map(({ purpose }) => purpose))).toEqual(new Set(['verify']));
    expect(certificate.monteCarlo).toEqual({ rollouts });
    expect(certificate.models).not.toHaveProperty('prm');
  }
});

it('certifies what its scores cost, and what is certified holds', async () => {
  for (const pair of await lab.store.findings.pairs(runId)) {
    expect(await verifyPair(lab.store, registry, pair)).toMatchObject({ ok: true, problems: [] });
    const { nodeId, certificate } = pair;
    const branches = await lab.store.findings.branchesAt(runId, nodeId);
    const ofScores = branches.filter(({ purpose }) => purpose === 'screen');
    const calls = await Promise.all(ofScores.map((row) => lab.store.journal.inStream(runId, 'screen', streamOf(row))));
    expect(certificate.attempts.asks).toBeGreaterThan(calls.flat().length);
  }
});

it('counts rollouts and tokens under a purpose of their own, and asks no model but policy and expert', async () => {
  const summary = await runSummary(lab.store, runId);
  expect(new Set(summary.ledger.map(({ role }) => role))).toEqual(new Set(['policy', 'expert']));
  const screen = summary.ledger.find(({ purpose }) => purpose === 'screen')!;
  expect(screen).toMatchObject({ role: 'policy', promptTokens: expect.any(Number) });
  const scores = await lab.store.findings.scores(runId, 'score');
  expect(summary.branches.screen!.total).toBe(scores.length * rollouts);
  const tasks = new Set((await lab.store.findings.trajectories(runId)).map(({ taskId }) => taskId));
  const run = await lab.store.runs.get(runId);
  const ledgers = await Promise.all([...tasks].map((taskId) => stepLedger(lab.store, run, taskId)));
  const total = ledgers.flat().reduce((sum, line) => sum + line.rollouts, 0);
  expect(total).toBe(Object.values(summary.branches).reduce((sum, own) => sum + own.total, 0));
});

it('is named in what a user sees', async () => {
  const summary = await runSummary(lab.store, runId);
  expect(summaryText(summary)).toMatch(/PRM +monte-carlo, 3 rollouts/);
  expect(renderReport(await runView(lab.store, runId))).toContain('monte-carlo, 3 rollouts');
  expect((await calibrationView(lab.store, registry, runId)).prm).toBe('monte-carlo, 3 rollouts');
});

it('is calibrated, and gives training rows, by rollouts that are no part of its scores', async () => {
  const view = await calibrationView(lab.store, registry, runId);
  expect(view.actions).toBeGreaterThan(0);
  const branches = await lab.store.findings.branches(runId);
  const rows = await loadProcessExamples(lab.store, registry, runId);
  expect(rows.length).toBeGreaterThan(0);
  for (const { id, rollouts: counted } of rows) {
    const independent = branches.filter(
      (row) => row.candidateId === id && row.purpose !== 'screen' && row.purpose !== 'gauge' && row.reward !== null,
    );
    expect(counted).toBe(independent.length);
  }
});

it('stops at a ceiling of rollouts, which its scores count for', async () => {
  const run = await lab.start(scored({ ceilings: { rollouts: 10 }, options: { calibrationRate: 0 } }));
  expect((await run.result()).state).toBe('budget');
  expect((await lab.store.findings.branches(run.id)).length).toBeLessThanOrEqual(10);
});

it('ranks the actions of Step-DPO', async () => {
  const id = await lab.made(scored({ method: 'step-dpo' }));
  const pairs = await lab.store.findings.pairs(id);
  expect(pairs.length).toBeGreaterThan(0);
  for (const { certificate } of pairs) {
    expect(certificate.chosen.score! - certificate.rejected.score!).toBeGreaterThanOrEqual(0.2);
    expect(certificate.monteCarlo).toEqual({ rollouts });
  }
});

it('is no part of a run that asks for no scores, which goes on whatever the PRM is', async () => {
  const id = await lab.made(scored({ options: { gate: false }, runId: 'no-gate' }));
  expect((await lab.store.runs.get(id)).config).not.toHaveProperty('monteCarlo');
  const { models } = lab.config();
  expect((await lab.start({ limit: 4, options: { gate: false }, runId: 'no-gate', config: { models } })).id).toBe(id);
});

describe('is refused', () => {
  it('where a first wrong step is asked for', async () => {
    await expect(lab.start(scored({ method: 'step-dpo', options: { select: 'first-error' } }))).rejects.toMatchObject({
      kind: 'User.Config',
      message: expect.stringContaining("'monte-carlo' names none"),
    });
  });

  it('with answers to average', async () => {
    await expect(lab.start(scored({ options: { prmSamples: 2 } }))).rejects.toMatchObject({
      kind: 'User.Config',
      message: expect.stringContaining('prmSamples is 2'),
    });
  });

  it('for a run that a judge has scored so far', async () => {
    await lab.made({ limit: 1, runId: 'judged' });
    await expect(lab.start(scored({ limit: 1, runId: 'judged' }))).rejects.toMatchObject({ kind: 'User.Config' });
  });
});
