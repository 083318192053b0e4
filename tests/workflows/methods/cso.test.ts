// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CsoOptions } from '../../../src/domain/methods/index.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';

let lab: DirectLab;

beforeAll(async () => {
  lab = await DirectLab.open();
});
afterAll(() => lab.close());

/** Runs to the end. @returns what was found */
async function findings(options: Partial<CsoOptions>, request: DirectRequest = {}) {
  const run = await lab.start({ options, ...request });
  await run.result();
  const { findings } = lab.store;
  return {
    runId: run.id,
    candidates: await findings.candidates(run.id),
    scores: await findings.scores(run.id, 'score'),
    steps: await findings.steps(run.id),
    branches: await findings.branches(run.id),
    pairs: (await findings.pairs(run.id)).map((pair) => pair.certificate),
  };
}

it('preset sound: a pair needs a posterior, is compared with the policy, and is the only one of its step', async () => {
  const { pairs } = await findings({}, { preset: 'sound' });
  expect(pairs.length).toBeGreaterThan(0);
  for (const { verification } of pairs) {
    expect(verification.rule).toBe('posterior');
    expect(verification.posterior).toBeGreaterThanOrEqual(0.9);
    expect(verification.chosenRollouts).toBeLessThanOrEqual(8);
    expect(verification.rejectedRollouts).toBeGreaterThan(1);
  }
  expect(new Set(pairs.map(({ nodeId }) => nodeId)).size).toBe(pairs.length);
});

it('gate: false branches every alternative that leads elsewhere at every step, and never asks the PRM', async () => {
  const { scores, steps, branches, candidates } = await findings({ gate: false });
  expect(scores).toEqual([]);
  expect(steps.every(({ verdict }) => verdict === 'critical' || verdict === 'no-alternative')).toBe(true);
  const alternatives = candidates.filter(({ position }) => position >= 0);
  const same = steps.map(({ ruledOut }) => ruledOut!['same-state'] ?? 0);
  const elsewhere = alternatives.length - same.reduce((sum, times) => sum + times, 0);
  expect(branches.filter(({ purpose }) => purpose === 'verify')).toHaveLength(elsewhere);
});

it('verify: false gives a pair for each critical step, without a branch', async () => {
  const { steps, branches, pairs } = await findings({ verify: false });
  expect(branches.filter(({ purpose }) => purpose !== 'calibrate')).toEqual([]);
  expect(pairs.length).toBeGreaterThan(0);
  expect(pairs).toHaveLength(steps.filter(({ verdict }) => verdict === 'critical').length);
  expect(pairs.every(({ verification }) => verification.rule === 'none')).toBe(true);
});

it.each([
  ['expert/policy', 'expert', 'policy'],
  ['expert/expert', 'expert', 'expert'],
  ['policy/policy', 'policy', 'policy'],
  ['policy/expert', 'policy', 'expert'],
] as const)('pairSources: %s chooses from the %s and rejects from the %s', async (pairSources, chosen, rejected) => {
  // Without the gate, with few proposals and a weak expert, so that both sources have actions of their own that succeed and that fail.
  const { models } = lab.config();
  const config = { models: { ...models, expert: { ...models.expert!, model: 'sim-expert@skill=0.3' } } };
  const { pairs } = await findings({ pairSources, gate: false, alternatives: 3 }, { config, limit: 8 });
  expect(pairs.length).toBeGreaterThan(0);
  for (const pair of pairs) expect([pair.chosen.source, pair.rejected.source]).toEqual([chosen, rejected]);
});

it('alternatives: 3 draws three at each step', async () => {
  const { runId } = await findings({ alternatives: 3, gate: false, verify: false });
  const counts = await lab.store.database.kysely
    .selectFrom('answers')
    .select(({ fn }) => ['node_id', fn.countAll<number>().as('count')])
    .where('run_id', '=', runId)
    .where('purpose', '=', 'propose')
    .groupBy('node_id')
    .execute();
  expect(counts.length).toBeGreaterThan(0);
  expect(counts.every(({ count }) => Number(count) === 3)).toBe(true);
});

it('stopAtFirst: no alternative is branched after one that was verified', async () => {
  const { steps, branches } = await findings({ gate: false, stopAtFirst: true });
  const perStep = steps.map((step) =>
    step.branched.map((id) => branches.find((branch) => branch.candidateId === id)?.success),
  );
  expect(perStep.some((successes) => successes.includes(undefined))).toBe(true);
  for (const successes of perStep) {
    const first = successes.indexOf(true);
    const skipped = first < 0 ? [] : successes.slice(first + 1);
    expect(skipped.every((success) => success === undefined)).toBe(true);
    expect(successes.filter((success) => success === undefined)).toHaveLength(skipped.length);
  }
});

it('branchesPerStep: 1 branches the best alternative only', async () => {
  const { steps, branches, scores } = await findings({ branchesPerStep: 1 });
  const critical = steps.filter(({ verdict }) => verdict === 'critical');
  const verified = branches.filter(({ purpose }) => purpose === 'verify');
  expect(critical.length).toBeGreaterThan(0);
  expect(verified).toHaveLength(critical.length);
  expect(verified.every(({ candidateId: id }) => scores.find((score) => score.candidateId === id)!.score! > 0.65)).toBe(
    true,
  );
});

it('placeboRate: 1 branches the policy’s own action as often as the alternatives', async () => {
  const { steps, branches } = await findings({ verification: { ...lab.verification(), placeboRate: 1 } });
  const placebos = branches.filter(({ purpose }) => purpose === 'placebo');
  expect(placebos.length).toBeGreaterThan(0);
  expect(placebos).toHaveLength(branches.filter(({ purpose }) => purpose === 'verify').length);
  const own = new Set(steps.map(({ ownId: id }) => id));
  expect(placebos.every(({ candidateId: id }) => own.has(id))).toBe(true);
});
