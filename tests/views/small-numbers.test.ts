// Layer: the store, with rows written by hand, and what a user sees of them.
import { expect, it } from 'vitest';
import { summaryText } from '../../src/cli/terminal/summary.ts';
import { figureText } from '../../src/report/comparison-text.ts';
import { renderComparison, renderReport } from '../../src/report/index.ts';
import type { Store } from '../../src/store/store.ts';
import { compareRuns } from '../../src/views/comparison.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { runView } from '../../src/views/run-view.ts';
import { type RecordedStep, recordTask } from '../helpers/recorded-run.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

/** Failures, each with one candidate critical step that an alternative flips and repeating the policy's action does not. */
async function withoutLuck(store: Store, id: string, failures: number): Promise<void> {
  const taskIds = Array.from({ length: failures }, (_, index) => `task-${index}`);
  await addRun(store, { id, taskIds });
  const proof = { rule: 'once', posterior: null } as const;
  const step: RecordedStep = { verify: [true], placebo: [false], pairs: 1, flags: ['verified-once'], proof };
  for (const taskId of taskIds) await recordTask(store, id, taskId, { success: false, steps: [step] });
  await store.runs.finish(id, 'finished');
}

const tags = /<[^>]+>/g;

/** The text of the report above its trees: the certificates here are too short for these. */
async function reportOf(store: Store, runId: string): Promise<string> {
  return renderReport({ ...(await runView(store, runId)), tasks: [] }).replace(tags, ' ');
}

it('no placebo success of 11 steps is shown with its bound and its steps, wherever it stands', async () => {
  const store = await temporaryStore();
  await withoutLuck(store, 'eleven', 11);
  await withoutLuck(store, 'two', 2);
  const summary = await runSummary(store, 'eleven');
  const figure = /0\.0 % of the flipped steps, at most 2\d\.\d %/;
  const basis = 'placebo flips 0 of 11 steps, alternatives 11 of 11';
  const text = summaryText(summary);
  expect(text).toMatch(figure);
  expect(text).toContain(basis);
  expect(text).toContain(
    '11 of 11 (100.0 %, 74.1 to 100.0) by an alternative, 0 of 11 (0.0 %, 0.0 to 25.9) by repeating',
  );
  expect(text).toMatch(/Steps supervised +100\.0 %, 11 of 11/);
  expect(JSON.parse(JSON.stringify(summary.estimatedFalsePairs))).toMatchObject({
    ...{ share: 0, per: 'step', from: 'placebo', placebo: { count: 0, of: 11 }, alternatives: { count: 11, of: 11 } },
    upper: expect.closeTo(0.26, 1),
  });
  const report = await reportOf(store, 'eleven');
  expect(report).toMatch(figure);
  expect(report).toContain(basis);

  const comparison = await compareRuns(store, ['eleven', 'two']);
  const page = renderComparison(comparison).replace(tags, ' ');
  expect(page).toMatch(figure);
  expect(page).toContain('too few steps to tell from luck');
  const [eleven, two] = comparison.runs;
  // Eleven groups that are all alike are no certainty; of two there is no interval, but their number.
  expect(figureText('placeboFlipRate', eleven!.figures.placeboFlipRate!)).toBe('0.0 % of 11 (0.0 to 25.9 %)');
  expect(figureText('placeboFlipRate', two!.figures.placeboFlipRate!)).toBe('0.0 % of 2');
});

it('two steps are too few, in words and in JSON', async () => {
  const store = await temporaryStore();
  await withoutLuck(store, 'two', 2);
  const summary = await runSummary(store, 'two');
  expect(summary.estimatedFalsePairs).toMatchObject({ share: null, placebo: { count: 0, of: 2 } });
  expect(summaryText(summary)).toMatch(
    /estimated false +too few steps to tell from luck \(placebo flips 0 of 2 steps, alternatives 2 of 2\)/,
  );
  expect(await reportOf(store, 'two')).toContain('too few steps to tell from luck');
});

it('a branch without an outcome is no failure of the alternative, and the report names it', async () => {
  const store = await temporaryStore();
  await addRun(store, { id: 'run-1', taskIds: ['a'] });
  await recordTask(store, 'run-1', 'a', { success: false, steps: [{ verify: [true, true, false, null, null] }] });
  await addRun(store, { id: 'run-2', taskIds: ['a'] });
  await recordTask(store, 'run-2', 'a', { success: false, steps: [{ verify: [null] }] });
  expect(await reportOf(store, 'run-1')).toMatch(
    /through alternatives +2 of 3 = 67 % \(21–94 %\), 2 without an outcome/,
  );
  expect(await reportOf(store, 'run-2')).toMatch(/through alternatives +1 without an outcome/);
});
