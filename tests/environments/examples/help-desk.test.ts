// Layer: whole runs without a Temporal server on the example examples/help-desk, with simulated models over HTTP and a real store.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import helpDesk from '../../../examples/help-desk/environment.ts';
import { taskText } from '../../../src/cli/commands/show.ts';
import { summaryText } from '../../../src/cli/terminal/summary.ts';
import { sumOrNull } from '../../../src/domain/statistics/sums.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { CruxError } from '../../../src/errors.ts';
import { renderReport } from '../../../src/report/render-report.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { runView, taskView } from '../../../src/views/run-view.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { environments } from '../../helpers/help-desk.ts';
import { sessionModels as models } from '../../helpers/session-models.ts';
import { expectKept } from './kept-contract.ts';

let lab: DirectLab;
beforeEach(async () => {
  lab = await DirectLab.open({ stage: new URL('../../helpers/help-desk.ts', import.meta.url).href });
});
afterEach(() => lab.close());

/** A run over all tasks to train on. @returns its id and state */
async function finished(request: DirectRequest) {
  const run = await lab.start({ environment: 'help-desk', limit: 6, config: { models }, ...request });
  const { state } = await run.result();
  return { id: run.id, state };
}

it('keeps its contract', () => expectKept(helpDesk, 8, ['plays', 'recorded steps', 'state hash', 'costs']));

it('asks the grader only if a program finds the case decided rightly', async () => {
  const ask = vi.fn(async () => 'Yes.');
  const context = { ask, signal: AbortSignal.timeout(1_000) };
  const end = async (resolution: string) => {
    const session = await helpDesk.open((await helpDesk.tasks())[1]!, undefined, context);
    return session.step({ tool: 'close', arguments: { resolution } }, context.signal, context);
  };
  expect(await end('refunded')).toMatchObject({ done: true, reward: 0 });
  expect(ask).not.toHaveBeenCalled();
  expect(await end('refused')).toMatchObject({ done: true, reward: 1 });
  ask.mockResolvedValue('It depends.');
  await expect(end('refused')).rejects.toThrow('neither yes nor no, three times');
});

it.each([
  ['cso', 'tools', 3],
  ['rro', 'react', 1],
] as const)(
  'gives pairs under %s that can be verified, and that count what customer and grader cost',
  async (method, format, samples) => {
    const { id, state } = await finished({ method, samples, config: { models, run: { format } } });
    expect(state).toBe('finished');
    const pairs = await lab.store.findings.pairs(id);
    expect(pairs.length).toBeGreaterThan(0);
    const registry = new EnvironmentRegistry(environments);
    for (const pair of pairs) {
      const { certificate } = pair;
      expect(certificate.restore.method).toBe('recording');
      expect(certificate.models).toMatchObject({ user: { model: 'sim-user' }, grader: { model: 'sim-grader' } });
      expect(certificate.costMicroUsd).toBeGreaterThan(0);
      const checked = await verifyPair(lab.store, registry, pair);
      expect(checked).toMatchObject({ problems: [] });
      // Actions that ended the task when they were drawn have no branch, so no state was restored for them.
      expect([0, pair.step - 1]).toContain(checked.recalledSteps);
    }
    expect(pairs.some(({ certificate: { tokens } }) => 'user' in tokens && 'grader' in tokens)).toBe(true);
    expect(pairs.some(({ step }) => step > 1)).toBe(true);
  },
);

it('shows what environment, customer and grader cost in ledger, summary and report', async () => {
  const { id } = await finished({ method: 'cso', samples: 2 });
  const summary = await runSummary(lab.store, id);
  const costOf = (asked: string) =>
    sumOrNull(summary.ledger.filter((line) => line.role === asked).map(({ costMicroUsd }) => costMicroUsd))!;
  for (const asked of ['user', 'grader']) expect(costOf(asked)).toBeGreaterThan(0);
  const rows = await lab.store.database.kysely.selectFrom('transitions').select('key').execute();
  const environment = summary.environmentCosts.reduce((sum, line) => sum + line.knownMicroUsd, 0);
  expect(environment).toBeGreaterThan(0);
  expect(environment % 1_000).toBe(0);
  expect(environment / 1_000).toBeLessThan(rows.length);
  const text = summaryText(summary);
  expect(text).toMatch(/user +user in verify/);
  expect(text).toMatch(/grader +grade in explore/);
  expect(text).toMatch(/environment +explore +\$0\.0/);
  const report = renderReport(await runView(lab.store, id));
  expect(report).toContain('<td>grader, grade in explore</td>');
  expect(report).toMatch(/<td>environment, explore \(\d+ steps\)<\/td>/);
});

it('shows the words of the customer on a line of their own, apart from the result of the tool', async () => {
  const { id } = await finished({ method: 'evaluate', split: 'train', config: { models, run: { format: 'tools' } } });
  const task = (await taskView(lab.store, id, 'K-101'))!;
  const replies = task.trajectories.flatMap(({ steps }) => steps).filter(({ action }) => action.startsWith('reply'));
  expect(replies.length).toBeGreaterThan(0);
  for (const { observation, userSaid } of replies) {
    expect(observation).toBe('sent');
    expect(userSaid).toEqual([expect.stringMatching(/\(\d+\)$/)]);
    expect(taskText(task)).toContain(`→ sent\n│      user: ${userSaid![0]}`);
    expect(renderReport(await runView(lab.store, id))).toContain(`[user] ${userSaid![0]}`);
  }
});

it('gives each rollout a reply of its own, also to the same words in the same state', async () => {
  const { id } = await finished({ method: 'rro', config: { models, run: { format: 'tools' } } });
  const answers = await lab.store.database.kysely
    .selectFrom('answers')
    .select(['asked_in', 'stream', 'message'])
    .where('run_id', '=', id)
    .where('role', '=', 'user')
    .execute();
  expect(new Set(answers.map(({ message }) => message)).size).toBe(answers.length);
  const byState = Map.groupBy(answers, (answer) => answer.asked_in).values();
  const several = [...byState].filter((same) => new Set(same.map(({ stream }) => stream)).size > 1);
  expect(several.length).toBeGreaterThan(0);
});

it('pays no answer twice if sessions are lost, or an attempt dies between an answer and its record', async () => {
  const { tree } = lab.store;
  const add = tree.addTransition.bind(tree);
  const lost = new Set<string>();
  vi.spyOn(tree, 'addTransition').mockImplementation(async (transition, by) => {
    // What the customer said is in the journal, and what became of the step is not yet in the tree.
    const isSpoken = typeof transition.observation === 'object' || transition.done;
    if (isSpoken && !lost.has(transition.key)) {
      lost.add(transition.key);
      throw new CruxError('Store.Unavailable', 'The attempt is lost.');
    }
    return add(transition, by);
  });
  const { id, state } = await finished({ method: 'cso', samples: 2 });
  expect(state).toBe('finished');
  expect(lost.size).toBeGreaterThan(20);
  expect((await runSummary(lab.store, id)).endings).not.toHaveProperty('environment-fault');
  const { keysAnsweredAgain, completeAnswers } = lab.simulation.stats();
  expect(keysAnsweredAgain).toBe(0);
  const calls = (await runSummary(lab.store, id)).ledger.reduce((sum, line) => sum + line.calls, 0);
  expect(calls).toBe(completeAnswers);
});
