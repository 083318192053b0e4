// Layer: the command as a user calls it, as a process of its own, over a store written by hand. No Temporal server.
import { mkdirSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../../src/store/store.ts';
import { type Project, temporaryProject } from '../../end-to-end/crux.ts';
import { recordTask } from '../../helpers/recorded-run.ts';
import { addRun } from '../../helpers/store.ts';

/** Three runs: `first`, `second`, which reads from it, and `third`, which is under way. */
async function projectWithRuns(): Promise<Project> {
  const project = temporaryProject();
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  try {
    for (const id of ['first', 'second', 'third']) {
      await addRun(store, { id, taskIds: [id], reuse: id === 'second' ? ['first'] : [] });
      await recordTask(store, id, id, { success: false, steps: [{ pairs: 1 }], tokens: 100 });
      if (id !== 'third') await store.runs.finish(id, 'finished');
    }
  } finally {
    await store.close();
  }
  return project;
}

const runsOf = async (project: Project) =>
  (await project.json<{ runs: { runId: string }[] }>('status')).runs.map(({ runId }) => runId).sort();

test('nothing is deleted without --yes, and what would go is shown', async () => {
  const project = await projectWithRuns();
  const { code, stdout, stderr } = await project.crux('gc', 'second');
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^second +finished/m);
  expect(stdout).toContain('Nothing was deleted');
  expect(await runsOf(project)).toEqual(['first', 'second', 'third']);
});

test('with --yes a run is gone, and its answers and states with it', async () => {
  const project = await projectWithRuns();
  // As after an interruption: what is gone already does not keep the others.
  const result = await project.json<{ dryRun: boolean; rows: { answers: number; nodes: number }; notes: string[] }>(
    'gc',
    'gone',
    'second',
    '--yes',
  );
  expect(result.notes).toEqual(['There is no run "gone" (any more).']);
  // Its two states, and one of `first` that nothing refers to.
  expect(result).toMatchObject({ dryRun: false, rows: { answers: 1, nodes: 3 } });
  expect(await runsOf(project)).toEqual(['first', 'third']);
  const { code, stderr } = await project.crux('show', 'second');
  expect(code).toBe(2);
  expect(stderr).toContain('There is no run "second"');
});

test('a run that another reads from stays unless forced, and a run under way stays in any case', async () => {
  const project = await projectWithRuns();
  const given = ['gc', 'first', 'third', '--yes'];
  const result = await project.json<{ runs: object[]; kept: object[] }>(...given);
  expect(result.runs).toEqual([]);
  expect(result.kept).toEqual(
    expect.arrayContaining([
      { runId: 'first', reason: 'second reads from it (--force removes it)' },
      { runId: 'third', reason: 'it is in progress' },
    ]),
  );
  expect(await runsOf(project)).toEqual(['first', 'second', 'third']);
  await project.json(...given, '--force');
  expect(await runsOf(project)).toEqual(['second', 'third']);
});

test('without a word on which runs are to go it is refused', async () => {
  const project = await projectWithRuns();
  const { code, stderr } = await project.crux('gc', '--yes');
  expect(code).toBe(2);
  expect(stderr).toContain('--older-than');
});

test('the campaigns of an improvement stay until it is over, and then it goes with them', async () => {
  const project = temporaryProject();
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  onTestFinished(() => store.close());
  await store.improvements.create('rounds', { method: 'cso', rounds: 1, tasks: {} } as never);
  await addRun(store, { id: 'rounds/round-1/collect', taskIds: ['a'] });
  await store.runs.finish('rounds/round-1/collect', 'finished');
  await store.improvements.beginPhase('rounds', 1, 'collect');
  const collect = () => project.json<{ kept: object[]; notes: string[] }>('gc', '--keep-last', '0', '--yes');
  expect((await collect()).kept).toEqual([
    { runId: 'rounds/round-1/collect', reason: 'the improvement rounds, which is not over, needs it' },
  ]);
  await store.improvements.finish('rounds', 'finished', null);
  expect((await collect()).notes).toEqual([
    expect.stringContaining('The improvement rounds is gone with its campaigns'),
  ]);
  expect(await store.improvements.list()).toEqual([]);
  expect(await store.improvements.phases('rounds')).toEqual([]);
});
