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

/** An improvement whose first campaign is over. */
async function projectWithImprovement() {
  const project = temporaryProject();
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  onTestFinished(() => store.close());
  await store.improvements.create('rounds', { method: 'cso', rounds: 1, tasks: {} } as never);
  await addRun(store, { id: campaign, taskIds: ['a'] });
  await store.runs.finish(campaign, 'finished');
  await store.improvements.beginPhase('rounds', 1, 'collect');
  return { project, improvements: store.improvements };
}

const campaign = 'rounds/round-1/collect';

test.for(['failed', 'budget', 'paused'] as const)(
  'the campaigns of an improvement that is %s stay, as it can go on',
  async (state) => {
    const { project, improvements } = await projectWithImprovement();
    if (state === 'paused') await improvements.steer('rounds', state);
    else await improvements.finish('rounds', state, null);
    const { kept } = await project.json<{ kept: object[] }>('gc', campaign, '--force', '--yes');
    const reason = `the improvement rounds (${state}) can go on and needs it (crux cancel rounds gives it up)`;
    expect(kept).toEqual([{ runId: campaign, reason }]);
    expect(await runsOf(project)).toEqual([campaign]);
  },
);

test('an improvement that is over goes with the last of its campaigns', async () => {
  const { project, improvements } = await projectWithImprovement();
  await improvements.finish('rounds', 'failed', { kind: 'Train.Died', message: 'It died.' });
  // Nobody waits for its workflow: it is over already.
  await improvements.steer('rounds', 'cancelled');
  const { notes } = await project.json<{ notes: string[] }>('gc', '--keep-last', '0', '--yes');
  expect(notes).toEqual([expect.stringContaining('The improvement rounds is gone with its campaigns')]);
  expect(await improvements.list()).toEqual([]);
  expect(await improvements.phases('rounds')).toEqual([]);
});
