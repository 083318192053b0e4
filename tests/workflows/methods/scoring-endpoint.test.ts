// Layer: whole runs whose PRM is a scoring endpoint, without a Temporal server, with simulated models over HTTP and a real store.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summaryText } from '../../../src/cli/terminal/summary.ts';
import type { CruxConfigInput } from '../../../src/config/config.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { renderReport } from '../../../src/report/index.ts';
import { calibrationView } from '../../../src/views/calibration.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { runView } from '../../../src/views/run-view.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';

type Prm = Extract<CruxConfigInput['models']['prm'], { kind: 'score' }>;

let lab: DirectLab;
/** CSO, with every scored action rolled out once more. */
let runId: string;

beforeAll(async () => {
  lab = await DirectLab.open();
  runId = await lab.made(scored({}, { options: { calibrationRate: 1 } }));
});
afterAll(() => lab.close());

function scored(prm: Partial<Prm> = {}, request: DirectRequest = {}): DirectRequest {
  const { policy, expert } = lab.config().models;
  const own = { kind: 'score', endpoint: 'simulated', model: 'sim-prm', api: 'vllm-pooling', class: 1 } as const;
  return { limit: 4, config: { models: { policy, expert, prm: { ...own, ...prm } } }, ...request };
}

it('selects by the numbers of the endpoint, and proves pairs as with a judge', async () => {
  const { findings, journal } = lab.store;
  const scores = await findings.scores(runId, 'score');
  expect(scores.length).toBeGreaterThan(0);
  for (const { score } of scores) expect(score).toEqual(expect.any(Number));
  const said = await journal.textsOf(runId, 'prm', ['score']);
  expect(new Set(said.map((text) => JSON.parse(text!).numbers[1]))).toEqual(new Set(scores.map(({ score }) => score)));
  const pairs = await findings.pairs(runId);
  expect(pairs.length).toBeGreaterThan(0);
  const environments = new EnvironmentRegistry(lab.config().environments);
  for (const pair of pairs) {
    expect(await verifyPair(lab.store, environments, pair)).toMatchObject({ ok: true, problems: [] });
    expect(pair.certificate.models.prm).toMatchObject({
      model: 'sim-prm',
      promptVersion: 'vllm-pooling, probability of class 1',
    });
    expect(pair.certificate.tokens.prm).toEqual({ prompt: expect.any(Number), completion: 0 });
  }
});

it('asks once for each action, and counts prompt tokens only', async () => {
  const summary = await runSummary(lab.store, runId);
  const line = summary.ledger.find(({ role, purpose }) => role === 'prm' && purpose === 'score')!;
  const scores = await lab.store.findings.scores(runId, 'score');
  expect(line).toMatchObject({ calls: scores.length, promptTokens: expect.any(Number), completionTokens: 0 });
});

it('is named in what a user sees', async () => {
  const kind = 'score by vllm-pooling, probability of class 1';
  expect(summaryText(await runSummary(lab.store, runId))).toMatch(`sim-prm (${kind})`);
  expect(renderReport(await runView(lab.store, runId))).toContain(kind);
  const registry = new EnvironmentRegistry(lab.config().environments);
  const calibrated = await calibrationView(lab.store, registry, runId);
  expect(calibrated.prm).toBe(`sim-prm, ${kind}`);
  expect(calibrated.areaUnderCurve.estimate).toBeGreaterThan(0.5);
});

it.each([
  ['classes as probabilities', { api: 'vllm-classify' }],
  ['the logit of a class', { api: 'vllm-classify', rule: 'sigmoid' }],
  ['the logits of all classes', { api: 'vllm-pooling', rule: 'softmax' }],
] as [string, Partial<Prm>][])('comes to the same pairs by %s', async (_what, prm) => {
  const ids = async (id: string) => (await lab.store.findings.pairs(id)).map((pair) => pair.id);
  const id = await lab.made(scored(prm, { options: { calibrationRate: 1 } }));
  expect(await ids(id)).toEqual(await ids(runId));
});

it('judges native tool calls by the text that it is sent', async () => {
  const id = await lab.made(scored({}, { config: { ...scored().config, run: { format: 'tools' } } }));
  const scores = await lab.store.findings.scores(id, 'score');
  expect(scores.length).toBeGreaterThan(0);
  expect(scores.filter(({ score }) => score === null)).toEqual([]);
});

it('ranks the actions of Step-DPO', async () => {
  const id = await lab.made(scored({}, { method: 'step-dpo' }));
  expect((await lab.store.findings.pairs(id)).length).toBeGreaterThan(0);
});

it('says how many answers are no score, and why; such an action is never branched', async () => {
  const id = await lab.made(scored({ model: 'sim-prm@malformed=0.3' }));
  const summary = await runSummary(lab.store, id);
  const missing = (await lab.store.findings.scores(id, 'score')).filter(({ score }) => score === null);
  expect(missing.length).toBeGreaterThan(0);
  expect(summary.scores!.missing).toEqual({ 'not-a-number': expect.any(Number) });
  expect(summaryText(summary)).toMatch(/scores missing +\d+ of \d+: not-a-number \d+/);
  const branched = new Set((await lab.store.findings.branches(id)).map(({ candidateId }) => candidateId));
  for (const { candidateId } of missing) expect(branched).not.toContain(candidateId);
});

describe('is refused', () => {
  it.each([
    [
      'where a first wrong step is asked for',
      { method: 'step-dpo', options: { select: 'first-error' } },
      "'score' names none",
    ],
    ['with answers to average', { options: { prmSamples: 3 } }, 'prmSamples is 3'],
  ] as [string, DirectRequest, string][])('%s', async (_what, request, words) => {
    const started = lab.start(scored({}, request));
    await expect(started).rejects.toMatchObject({ kind: 'User.Config', message: expect.stringContaining(words) });
  });

  it('for a run that another kind of PRM has scored so far', async () => {
    await lab.made({ limit: 1, runId: 'judged-so-far' });
    await expect(lab.start(scored({}, { limit: 1, runId: 'judged-so-far' }))).rejects.toMatchObject({
      kind: 'User.Config',
      message: expect.stringContaining('exists with other settings'),
    });
  });
});
