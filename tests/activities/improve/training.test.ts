// Layer: an activity in MockActivityEnvironment with a real store and real files.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { folderOf } from '../../../src/activities/improve/account.ts';
import { trainingActivities } from '../../../src/activities/improve/training.ts';
import type { CruxConfigInput } from '../../../src/config/config.ts';
import { campaignId, type ExportedRows, resultOf } from '../../../src/domain/improve/rounds.ts';
import type { PairFlag } from '../../../src/domain/pairs/pair.ts';
import type { LintReport } from '../../../src/export/lint-report.ts';
import { prepareImprovement } from '../../../src/start/improvements.ts';
import { recordTask } from '../../helpers/recorded-run.ts';
import { roundConfig, roundContext } from '../../helpers/round.ts';
import { addRun, temporaryFolder, temporaryStore } from '../../helpers/store.ts';
import { quietEnvironment } from '../workplace.ts';

const id = 'better';
const round = 1;

type Improve = NonNullable<CruxConfigInput['improve']>;

/** An improvement whose first campaign found these flagged pairs, by default none, and its export as Temporal would run it. */
async function collected(flagged: PairFlag[][] = [], changes: Partial<Improve> = {}) {
  const [store, home] = [await temporaryStore(), temporaryFolder()];
  const config = roundConfig(home, changes);
  await prepareImprovement(config, store, { id, environment: 'maze' });
  const runId = campaignId(id, round, 'collect');
  await addRun(store, { id: runId, taskIds: flagged.map((_, index) => `t${index}`) });
  for (const [index, flags] of flagged.entries())
    await recordTask(store, runId, `t${index}`, { success: false, steps: [{ pairs: 1, flags }] });
  const training = trainingActivities(roundContext(store, home, config));
  const environment = quietEnvironment();
  return {
    ...{ environment, training, store, base: join(home, 'base') },
    takenUp: () => prepareImprovement(config, store, { id, environment: 'maze' }),
    exported: () => environment.run(training.exportRound, { id, round }) as Promise<ExportedRows>,
    /** The same improvement after a fault, with other settings. @param isTrained whether its training has ended meanwhile */
    again: async (options: object, isTrained = false) => {
      if (isTrained) {
        await store.improvements.beginPhase(id, round, 'train');
        await store.improvements.endPhase(id, round, 'train', { hyperparameters: {} } as never);
      }
      await store.improvements.finish(id, 'failed', null);
      await prepareImprovement(roundConfig(home, { ...changes, ...options }), store, { id, environment: 'maze' });
      return quietEnvironment().run(training.exportRound, { id, round });
    },
    rows: join(folderOf(home, id, round), 'data/pairs.jsonl'),
    lint: () => JSON.parse(readFileSync(join(folderOf(home, id, round), 'data/lint.json'), 'utf8')) as LintReport,
    result: async () => resultOf(await store.improvements.phases(id), round, 'export'),
  };
}

it('an export ends its phase with what it wrote', async () => {
  const { exported, rows, result } = await collected();
  const made = await exported();
  expect(made).toMatchObject({ file: 'pairs.jsonl', rows: 0 });
  expect(existsSync(rows)).toBe(true);
  expect(await result()).toEqual(made);
});

it('rows are exported anew with other settings, until a training on them has ended', async () => {
  const { exported, again, result } = await collected();
  await exported();
  expect(await result()).toMatchObject({ options: { maxLength: null } });
  await again({ training: { maxLength: 90 } });
  expect(await result()).toMatchObject({ options: { maxLength: 90 } });
  await again({ training: { maxLength: 80 } }, true);
  expect(await result()).toMatchObject({ options: { maxLength: 90 } });
});

it('a base that was written anew is neither trained on nor taken for the one that it began with', async () => {
  const { environment, exported, training, base, store } = await collected();
  await exported();
  writeFileSync(join(base, 'weights'), 'others');
  await expect(environment.run(training.trainRound, { id, round, looks: 0 })).rejects.toMatchObject({
    type: 'User.NotFound',
    message: expect.stringMatching(/base was changed since the improvement began.*its hash is [0-9a-f]{8}, not/),
  });
  expect(resultOf(await store.improvements.phases(id), round, 'train')).toBeNull();
  await expect(
    environment.run(training.serveModel, { id, round: 0, whose: 'candidate' as const }),
  ).rejects.toMatchObject({
    type: 'User.NotFound',
  });
});

it('the same command goes on with an improvement whose base was hashed, and with one of an earlier version', async () => {
  const { store, takenUp } = await collected();
  const { settings } = await store.improvements.get(id);
  expect(settings.base).toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  await takenUp();
  const earlier = { ...settings, base: { from: settings.base.from } };
  await store.database.kysely
    .updateTable('improvements')
    .set({ settings: JSON.stringify(earlier) })
    .execute();
  expect((await takenUp()).settings.base).toEqual(earlier.base);
});

it('an attempt to export that was given up writes nothing and does not end the phase', async () => {
  const { environment, exported, rows, result } = await collected();
  const done = exported();
  environment.cancel('NOT_FOUND');
  await expect(done).rejects.toBeInstanceOf(CancelledFailure);
  expect(existsSync(rows)).toBe(false);
  expect(await result()).toBeNull();
});

it('what an export left out stands in the result of the phase, by reason with counts', async () => {
  const { exported, lint } = await collected([['solves-alone'], ['solves-alone'], []], {
    export: { without: ['solves-alone'] },
  });
  const { rules, leftOut, items } = await exported();
  expect({ leftOut, items }).toEqual({ leftOut: lint().leftOut, items: 3 });
  expect(rules).toContainEqual({
    ...{ rule: 'pair/without-solves-alone', effect: 'left-out', count: 2 },
    reason: 'It is flagged solves-alone, which was not wanted.',
  });
  expect(rules!.map(({ rule, effect, count }) => ({ rule, effect, count }))).toEqual(lint().rules);
});

it.each([
  ['none, as the longest row sets it', {}, null],
  ['that of the training', { training: { maxLength: 64 } }, 64],
] as [string, Partial<Improve>, number | null][])(
  'the limit that rows are linted with is %s',
  async (_, changes, limit) => {
    const { exported, lint } = await collected([], changes);
    await exported();
    expect(lint().options.maxLength).toBe(limit);
  },
);

it('a training has the seed of its collection: after a refused round one of its own', async () => {
  const [store, home] = [await temporaryStore(), temporaryFolder()];
  const config = roundConfig(home);
  await prepareImprovement(config, store, { id, environment: 'maze', seed: 7 });
  await addRun(store, { id: campaignId(id, 2, 'collect'), seed: 123 });
  const rows = {
    file: 'pairs.jsonl',
    folder: join(folderOf(home, id, 2), 'data'),
    format: 'trl',
    rows: 1,
    lengths: null,
  };
  await store.improvements.beginPhase(id, 2, 'export');
  await store.improvements.endPhase(id, 2, 'export', { ...rows, leftOut: 0, items: 1 });
  const { trainRound } = trainingActivities(roundContext(store, home, config));
  // There is no such trainer.
  await expect(quietEnvironment().run(trainRound, { id, round: 2, looks: 0 })).rejects.toThrow(/train/);
  expect(JSON.parse(readFileSync(join(folderOf(home, id, 2), 'settings.json'), 'utf8'))).toMatchObject({ seed: 123 });
});
