// Layer: activities in MockActivityEnvironment with a real store; no campaign runs.
import { expect, it } from 'vitest';
import { roundActivities } from '../../../src/activities/improve/phases.ts';
import type { CruxConfigInput } from '../../../src/config/config.ts';
import { campaignId, type Phase, type PhaseResults, resultOf } from '../../../src/domain/improve/rounds.ts';
import type { PhaseCampaign } from '../../../src/domain/wire/improve.ts';
import type { TrajectoryResult } from '../../../src/domain/wire/trajectory.ts';
import { prepareImprovement } from '../../../src/start/improvements.ts';
import type { Store } from '../../../src/store/store.ts';
import { roundConfig, roundContext } from '../../helpers/round.ts';
import { taskResult, temporaryFolder, temporaryStore } from '../../helpers/store.ts';
import { quietEnvironment } from '../workplace.ts';

const id = 'better';

/** An improvement of the maze, and its activities as Temporal would run them. */
async function improvement(changes: Partial<NonNullable<CruxConfigInput['improve']>> = {}) {
  const [store, home] = [await temporaryStore(), temporaryFolder()];
  const { improve, ...config } = roundConfig(home);
  const given = { ...config, improve: { ...improve!, ...changes } } as typeof config & { improve: typeof improve };
  await prepareImprovement(given, store, { id, environment: 'maze', seed: 7 });
  const activities = roundActivities(roundContext(store, home, given));
  const environment = quietEnvironment();
  return {
    store,
    begin: (round: number, phase: Phase) =>
      environment.run(activities.beginCampaign, { id, round, phase }) as Promise<PhaseCampaign | null>,
    end: (round: number, phase: Phase) => environment.run(activities.endCampaign, { id, round, phase }),
    decide: (round: number) => environment.run(activities.decideRound, { id, round }),
    over: async <P extends Phase>(round: number, phase: P, result: unknown) => {
      await store.improvements.beginPhase(id, round, phase);
      await store.improvements.endPhase(id, round, phase, result as PhaseResults[P]);
    },
    runOf: (round: number, phase: Phase) => store.runs.get(campaignId(id, round, phase)),
  };
}

const refused = { isPromoted: false, reason: 'undecided', comparison: null, tasksToDecide: null };
const promoted = { ...refused, isPromoted: true, reason: 'always' };
const model = (round: number, hash: string) => ({ name: `m${round}`, root: `/m${round}`, hash });

it('a round after a refused one collects by a seed of its own, and is evaluated by that of the improvement', async () => {
  const { begin, over, runOf } = await improvement();
  await begin(1, 'collect');
  await over(1, 'decide', refused);
  for (const phase of ['collect', 'evaluate'] as const) await begin(2, phase);
  expect((await runOf(1, 'collect')).seed).toBe(7);
  expect((await runOf(2, 'collect')).seed).not.toBe(7);
  expect((await runOf(2, 'evaluate')).seed).toBe(7);
});

it('a round after a promoted one collects by the seed of the improvement: its policy is new', async () => {
  const { begin, over, runOf } = await improvement();
  await over(1, 'serve', model(1, 'one'));
  await over(1, 'decide', promoted);
  await begin(2, 'collect');
  expect((await runOf(2, 'collect')).seed).toBe(7);
});

it('a round after a refused one takes other tasks, if its method takes a part of them', async () => {
  const { store, begin, over } = await improvement({ collect: { limit: { cso: 3 } } });
  await begin(1, 'collect');
  await over(1, 'decide', refused);
  await begin(2, 'collect');
  const tasks = await Promise.all([1, 2].map((round) => store.runs.tasks(campaignId(id, round, 'collect'))));
  const [first, second] = tasks.map((own) => own.map(({ taskId }) => taskId));
  expect([first!.length, second!.length]).toEqual([3, 3]);
  expect(second).not.toEqual(first);
});

it('a round that an earlier version began goes on with the seed that its campaign has', async () => {
  const { store, begin, over, runOf } = await improvement();
  await over(1, 'decide', refused);
  await begin(2, 'collect');
  await store.database.kysely.updateTable('runs').set({ seed: 7 }).execute();
  await expect(begin(2, 'collect')).resolves.toMatchObject({ runId: campaignId(id, 2, 'collect') });
  expect((await runOf(2, 'collect')).seed).toBe(7);
});

it('a candidate with the weights of an earlier one is not evaluated a second time: what was seen of these holds', async () => {
  const { store, begin, over } = await improvement();
  await over(1, 'train', model(1, 'same'));
  const first = { runId: campaignId(id, 1, 'evaluate') };
  await over(1, 'evaluate', first);
  await over(1, 'decide', refused);
  await over(2, 'train', model(2, 'same'));
  expect(await begin(2, 'evaluate')).toBeNull();
  expect(resultOf(await store.improvements.phases(id), 2, 'evaluate')).toEqual(first);
  await over(3, 'train', model(3, 'other'));
  expect(await begin(3, 'evaluate')).toMatchObject({ runId: campaignId(id, 3, 'evaluate') });
});

/** What became of the tasks of a campaign, one result for each in turn. */
async function finishTasks(store: Store, runId: string, resultOf: (index: number) => Partial<TrajectoryResult>) {
  for (const [index, { position, taskId }] of (await store.runs.tasks(runId)).entries())
    await store.runs.finishTask(runId, position, taskResult({ position, taskId, ...resultOf(index) }));
  await store.runs.finish(runId, 'finished');
}
const none = { success: null, reward: null } as const;
const fault = { ...none, ending: 'environment-fault' } as const;
const done = {};

it('an evaluation that lost over half of its samples to faults is not over, and the same phase tries these again', async () => {
  const { store, begin, end } = await improvement();
  const { runId } = (await begin(0, 'evaluate'))!;
  await finishTasks(store, runId, (index) => (index < 5 ? fault : done));
  await expect(end(0, 'evaluate')).rejects.toMatchObject({
    ...{ type: 'Run.Broken', nonRetryable: true },
    message: expect.stringMatching(
      /5 of 8 trajectories of better\/round-0\/evaluate .*environment-fault 5.*try these again/,
    ),
  });
  expect(resultOf(await store.improvements.phases(id), 0, 'evaluate')).toBeNull();
  expect(await begin(0, 'evaluate')).toMatchObject({ runId });
  expect(await store.runs.countTasks(runId)).toMatchObject({ total: 8, done: 3 });
  await finishTasks(store, runId, () => done);
  await end(0, 'evaluate');
  expect(resultOf(await store.improvements.phases(id), 0, 'evaluate')).toEqual({ runId });
});

it('an evaluation that lost half of its samples or fewer is over', async () => {
  const { store, begin, end } = await improvement();
  const { runId } = (await begin(0, 'evaluate'))!;
  await finishTasks(store, runId, (index) => (index < 4 ? fault : done));
  await end(0, 'evaluate');
  expect(resultOf(await store.improvements.phases(id), 0, 'evaluate')).toEqual({ runId });
});

it('an evaluation without any outcome decides nothing, whatever took them', async () => {
  const { store, begin, end } = await improvement();
  const { runId } = (await begin(0, 'evaluate'))!;
  await finishTasks(store, runId, () => ({ ...none, ending: 'budget', stoppedBy: 'task-budget' }));
  await expect(end(0, 'evaluate')).rejects.toMatchObject({
    type: 'Run.Broken',
    message: expect.stringContaining('No trajectory of better/round-0/evaluate has an outcome (budget 8)'),
  });
});

it('a collection that faults cut short in over half of the tasks is not over', async () => {
  const { store, begin, end } = await improvement();
  const { runId } = (await begin(1, 'collect'))!;
  await finishTasks(store, runId, () => ({
    success: false,
    stoppedBy: 'fault',
    fault: 'Model.Exhausted: three faults',
  }));
  await expect(end(1, 'collect')).rejects.toMatchObject({
    type: 'Run.Broken',
    message: expect.stringMatching(/6 of 6 trajectories of better\/round-1\/collect .*Model\.Exhausted 6/),
  });
});
