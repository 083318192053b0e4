// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store, on the example environment as users copy it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import files from '../../../examples/files/environment.ts';
import { checker } from '../../../examples/files/jobs.ts';
import { summaryText } from '../../../src/cli/terminal/summary.ts';
import type { Action } from '../../../src/domain/action.ts';
import { messageText } from '../../../src/domain/message.ts';
import { renderReport } from '../../../src/report/index.ts';
import { loadPairs } from '../../../src/views/pairs.ts';
import { runSummary } from '../../../src/views/run-summary.ts';
import { runView } from '../../../src/views/run-view.ts';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';
import { expectKept } from './kept-contract.ts';

it('keeps the contract', () =>
  expectKept(
    files,
    6,
    [
      'no leak of the gold answer',
      'scripts solve their tasks',
      'audit',
      'state hash',
      'outcome at a limit',
      'another process',
    ],
    new URL('../../../examples/files/environment.ts', import.meta.url),
  ));

describe('a session', () => {
  const { signal } = new AbortController();
  const taken = async (...actions: [tool: string, given: Action['arguments']][]) => {
    const [task] = await files.tasks();
    const session = await files.open(task!);
    const results = [];
    for (const [tool, given] of actions) results.push(await session.step({ tool, arguments: given }, signal));
    return { results, hash: await session.stateHash!(), outcome: await session.outcome!() };
  };

  it('answers "ok" whatever it writes, and hashes what it wrote', async () => {
    const one = await taken(['write', { name: 'sum.txt', text: '1' }]);
    const other = await taken(['write', { name: 'sum.txt', text: '2' }]);
    expect(other.results).toEqual(one.results);
    expect(other.hash).not.toBe(one.hash);
  });

  it('has one state for one content, in whatever order and by whatever name it was written', async () => {
    const one = await taken(['write', { name: 'x', text: '1' }], ['write', { name: 'y', text: '2' }]);
    const other = await taken(['write', { name: './y', text: '2' }], ['write', { name: 'x', text: '1\n' }]);
    expect(other.hash).toBe(one.hash);
  });

  it('says at a limit what is done, submitted or not', async () => {
    const [task] = await files.tasks();
    const script = (await files.script!(task!))!.map(({ action }): [string, Action['arguments']] => [
      action.tool,
      action.arguments,
    ]);
    expect((await taken()).outcome).toEqual({ reward: 0 });
    expect((await taken(...script.slice(0, -1))).outcome).toEqual({ reward: 1 });
  });
});

describe('runs', () => {
  let lab: DirectLab;
  beforeAll(async () => {
    lab = await DirectLab.open({ stage: new URL('./files-stage.ts', import.meta.url).pathname });
  });
  afterAll(() => lab.close());

  async function finished(request: DirectRequest) {
    const run = await lab.start({ environment: 'files', limit: 9, ...request });
    expect(await run.result()).toMatchObject({ state: 'finished' });
    return { id: run.id, summary: await runSummary(lab.store, run.id), pairs: await loadPairs(lab.store, run.id) };
  }

  describe('of CSO', () => {
    let run: Awaited<ReturnType<typeof finished>>;
    beforeAll(async () => {
      run = await finished({ samples: 3, config: { run: { format: 'tools' } } });
    });

    it('make pairs', () => {
      expect(run.pairs.length).toBeGreaterThan(0);
      expect(run.pairs.flatMap(({ flags }) => flags)).not.toContain('same-observation');
    });

    it('make no pair of a hacked success, and show it', async () => {
      const { id, pairs, summary } = run;
      const { flagged, byFlag } = summary.auditedSuccesses!;
      expect(flagged).toBeGreaterThan(0);
      expect(byFlag).toEqual({ 'goal-file-edited': flagged });
      expect(summary.unpaired!.pairs.notMade.flagged).toBeGreaterThan(0);
      expect(pairs.filter(({ chosen }) => chosen.some((turn) => messageText(turn).includes(checker)))).toEqual([]);
      expect(summaryText(summary)).toContain(`${flagged} flagged: goal-file-edited ${flagged}`);
      expect(renderReport(await runView(lab.store, id))).toContain('goal-file-edited');
    });
  });

  it('of RRO make pairs', async () => {
    const { pairs } = await finished({ method: 'rro', limit: 2, options: { valueRollouts: 2 } });
    expect(pairs.length).toBeGreaterThan(0);
  });

  it('tell writes apart by what they do, although all are answered "ok"', async () => {
    const { pairs, summary } = await finished({ environment: 'slips' });
    const contents = pairs.map(({ chosen, rejected }) => [chosen, rejected].map(([first]) => messageText(first!)));
    expect(contents).toEqual([[expect.stringContaining('"text":"855"'), expect.stringContaining('"text":"0"')]]);
    // The same text by another name of the file is the same, and is not rolled out.
    expect(summary.unpaired!.pairs).toMatchObject({ made: 1, notMade: { 'same-state': 1 } });
    expect(summary.branches.verify!.total).toBe(1);
  });

  it('count work that is done and not submitted before the step limit', async () => {
    const { id } = await finished({
      method: 'evaluate',
      samples: 6,
      config: { run: { format: 'tools' } },
      split: 'train',
      trainedOn: ['none'],
    });
    const ended = (await lab.store.findings.trajectories(id)).filter(({ ending }) => ending === 'step-limit');
    expect(ended.some(({ success }) => success)).toBe(true);
    expect(ended.some(({ success }) => !success)).toBe(true);
  });
});
