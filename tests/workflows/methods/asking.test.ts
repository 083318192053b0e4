// Layer: whole runs without a Temporal server, on an environment whose customer and grader are simulated models.
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { summaryText } from '../../../src/cli/terminal/summary.ts';
import { sumOrNull } from '../../../src/domain/statistics/sums.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { renderReport } from '../../../src/report/render-report.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { runView } from '../../../src/views/run-view.ts';
import { stepLedger } from '../../../src/views/step-ledger.ts';
import { taskSums } from '../../../src/views/task-sums.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { environments } from '../../helpers/desk.ts';
import { DirectLab } from '../../helpers/direct-lab.ts';
import { sessionModels as models } from '../../helpers/session-models.ts';

const stage = new URL('../../helpers/desk.ts', import.meta.url).href;

let lab: DirectLab;
beforeEach(async () => {
  lab = await DirectLab.open({ stage });
});
afterEach(() => lab.close());

// A run of its own has states of its own, so models say other things in each test: there are enough trajectories for some pairs.
const samples = 10;
const evaluation = { method: 'evaluate', environment: 'desk', split: 'train' } as const;

it('is refused at the start while a model is missing that its sessions ask', async () => {
  const { grader: _, ...others } = models;
  await expect(lab.start({ ...evaluation, config: { models: others } })).rejects.toMatchObject({
    kind: 'User.Config',
    message: 'The sessions of the environment desk ask a model for grades, and the configuration has no models.grader.',
    remedy: 'Name its endpoint and model as models.grader in crux.config.ts.',
  });
});

it('needs prices of these models too for a ceiling on cost', async () => {
  const unpriced = { ...models, user: { ...models.user!, price: null } };
  const request = { ...evaluation, config: { models: unpriced }, ceilings: { costMicroUsd: 1e6 } };
  await expect(lab.start(request)).rejects.toThrow('these models have none: user');
});

it('shows what sessions asked, with its cost, in ledger, summary, report and the ledger of each task', async () => {
  const run = await lab.start({ ...evaluation, limit: 6, config: { models } });
  await run.result();
  const summary = await runSummary(lab.store, run.id);
  expect(summary.models).toMatchObject({ user: 'sim-user', grader: 'sim-grader' });
  const lines = new Map(summary.ledger.map((line) => [line.role, line]));
  expect([...lines.keys()]).toEqual(['grader', 'policy', 'user']);
  const submitted = summary.endings.success! + (summary.endings.submitted ?? 0);
  expect(lines.get('grader')).toMatchObject({ purpose: 'grade', within: 'evaluate', calls: submitted });
  expect(lines.get('user')).toMatchObject({ purpose: 'user', within: 'evaluate' });
  for (const { costMicroUsd, promptTokens } of lines.values())
    for (const figure of [costMicroUsd, promptTokens]) expect(figure).toBeGreaterThan(0);
  expect(summaryText(summary)).toMatch(/grader +grade in evaluate +\d+/);
  expect(renderReport(await runView(lab.store, run.id))).toContain('<td>user, user in evaluate</td>');

  const whole = sumOrNull(summary.ledger.map(({ costMicroUsd }) => costMicroUsd));
  const stored = await lab.store.runs.get(run.id);
  const byTask = [...(await taskSums(lab.store, stored)).values()].map((sums) => sums.costMicroUsdPerPair.part);
  expect(sumOrNull(byTask)).toBeCloseTo(whole!, 6);
  const steps = await stepLedger(lab.store, stored, 'AX7');
  const asked = steps.flatMap(({ tokens }) => [tokens.user?.calls ?? 0, tokens.grader?.calls ?? 0]);
  expect(asked.reduce((sum, calls) => sum + calls)).toBeGreaterThan(0);
  const ofTask = (await taskSums(lab.store, stored)).get('AX7')!.costMicroUsdPerPair.part;
  expect(sumOrNull(steps.map(({ costMicroUsd }) => costMicroUsd))).toBeCloseTo(ofTask!, 6);
});

it('shows in the first step what was asked before there was a state', async () => {
  const run = await lab.start({ ...evaluation, environment: 'opening-desk', limit: 2, config: { models } });
  await run.result();
  const tasks = [...new Set((await lab.store.runs.tasks(run.id)).map(({ taskId }) => taskId))];
  for (const task of tasks) {
    const [first] = await stepLedger(lab.store, await lab.store.runs.get(run.id), task);
    expect(first).toMatchObject({ step: 1, tokens: { user: { calls: expect.any(Number) } } });
  }
});

it('counts what the sessions of its branches asked for the certificate of a pair', async () => {
  const run = await lab.start({ method: 'cso', environment: 'desk', limit: 6, samples, config: { models } });
  await run.result();
  const summary = await runSummary(lab.store, run.id);
  expect(summary.ledger.map(({ role, within }) => [role, within])).toEqual(
    expect.arrayContaining([
      ['grader', 'verify'],
      ['grader', 'explore'],
    ]),
  );
  const pairs = await lab.store.findings.pairs(run.id);
  expect(pairs.length).toBeGreaterThan(0);
  for (const { certificate } of pairs) {
    // Each branch through the chosen action succeeded, and so was graded.
    expect(certificate.tokens).toHaveProperty('grader');
    expect(certificate.models.grader).toMatchObject({ model: 'sim-grader', promptVersion: 'environment' });
    expect(certificate.costMicroUsd).toBeGreaterThan(0);
  }
});

it('is asked nothing when a pair is verified: what a session asks at its opening is read from the journal', async () => {
  const request = { method: 'cso', environment: 'greeted-desk', limit: 6, samples, config: { models } } as const;
  const run = await lab.start(request);
  await run.result();
  const pairs = await lab.store.findings.pairs(run.id);
  expect(pairs.some(({ step }) => step > 1)).toBe(true);
  const registry = new EnvironmentRegistry(environments);
  for (const pair of pairs) {
    const { certificate } = pair;
    expect(certificate.restore.method).toBe('recording');
    expect(await verifyPair(lab.store, registry, pair)).toMatchObject({ recalledSteps: pair.step - 1, problems: [] });
  }
  await lab.store.database.kysely.deleteFrom('answers').where('purpose', '=', 'user').execute();
  const later = pairs.find(({ step }) => step > 1)!;
  expect((await verifyPair(lab.store, registry, later)).problems).toEqual([
    expect.stringContaining('asks a model what no session of run'),
  ]);
});

it.each(['cso', 'eto'] as const)(
  'is graded at a limit for each trajectory and branch by itself, and the pairs of %s hold',
  async (method) => {
    const patient = await DirectLab.open({ stage: new URL('../../helpers/patient-desk.ts', import.meta.url).href });
    onTestFinished(() => patient.close());
    const { store } = patient;
    const run = await patient.start({ method, environment: 'patient-desk', limit: 2, samples: 2, config: { models } });
    await run.result();
    // Neither task is ever left by the policy: both samples of it end in its first state.
    const trajectories = await store.findings.trajectories(run.id);
    expect(trajectories.map(({ ending, reward }) => [ending, reward])).toEqual(Array(4).fill(['step-limit', 0]));
    expect(new Set(trajectories.map(({ rootId }) => rootId)).size).toBe(2);
    const graded = await store.database.kysely
      .selectFrom('answers')
      .select('node_id')
      .where('purpose', '=', 'grade')
      .execute();
    const ends = [
      ...trajectories,
      ...(await store.findings.demonstrations(run.id)),
      ...(await store.findings.branches(run.id)),
    ];
    expect(new Set(graded.map(({ node_id }) => node_id)).size).toBe(ends.length);
    const pairs = await store.findings.pairs(run.id);
    expect(pairs.length).toBeGreaterThan(0);
    const registry = new EnvironmentRegistry(patient.config().environments);
    for (const pair of pairs) {
      expect(pair.certificate.branches.map(({ ending }) => ending)).toContain('step-limit');
      expect(pair.certificate.tokens).toHaveProperty('grader');
      expect(await verifyPair(store, registry, pair)).toMatchObject({ ok: true, problems: [] });
    }
  },
);
