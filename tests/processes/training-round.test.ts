// Layer: an activity with a real store, supervisor and trainer; the trainer is a short script, and no workflow is there.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderOf } from '../../src/activities/improve/account.ts';
import { trainingActivities } from '../../src/activities/improve/training.ts';
import { resultOf } from '../../src/domain/improve/rounds.ts';
import { prepareImprovement } from '../../src/start/improvements.ts';
import type { Store } from '../../src/store/store.ts';
import { quietEnvironment } from '../activities/workplace.ts';
import { roundConfig, roundContext } from '../helpers/round.ts';
import { temporaryFolder, temporaryStore } from '../helpers/store.ts';
import { script } from '../helpers/trainings.ts';

/** Its model is the rows; it does nothing if there is one, as Crux's own trainers. */
const trainer = script(`
  console.log('started');
  if (!fs.existsSync(folder + '/model')) {
    fs.mkdirSync(folder + '/model');
    fs.copyFileSync(folder + '/data/pairs.jsonl', folder + '/model/weights');
  }`);

const id = 'again';
const round = 1;

const configIn = (home: string) => roundConfig(home, { trainer });

/** An improvement whose first round was exported. @param lengths absent as in results of earlier versions */
async function exported(store: Store, home: string, rows: string, lengths?: null): Promise<void> {
  await prepareImprovement(configIn(home), store, { id, environment: 'maze' });
  const folder = join(folderOf(home, id, round), 'data');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pairs.jsonl'), rows);
  writeFileSync(join(folder, 'lint.json'), JSON.stringify({ lengths: null }));
  await store.improvements.beginPhase(id, round, 'export');
  const result = {
    folder,
    file: 'pairs.jsonl',
    format: 'trl',
    rows: 1,
    leftOut: 0,
    items: 1,
    ...(lengths === null && { lengths }),
  };
  await store.improvements.endPhase(id, round, 'export', result);
}

async function trainRound(store: Store, home: string) {
  const context = roundContext(store, home, configIn(home));
  await quietEnvironment().run(trainingActivities(context).trainRound, { id, round, looks: 0 });
  return resultOf(await store.improvements.phases(id), round, 'train')!;
}

it('an improvement that was deleted leaves no model to the next one of its id', async () => {
  const [store, home] = [await temporaryStore(), temporaryFolder()];
  await exported(store, home, 'old');
  const before = await trainRound(store, home);
  await store.improvements.remove(id);
  await exported(store, home, 'new');
  const { root, hash } = await trainRound(store, home);
  expect(readFileSync(join(root, 'weights'), 'utf8')).toBe('new');
  expect(hash).not.toBe(before.hash);
  expect(readFileSync(join(folderOf(home, id, round), 'earlier-1/model/weights'), 'utf8')).toBe('old');
});

it('nor does one of another store', async () => {
  const home = temporaryFolder();
  const [first, second] = [await temporaryStore(), await temporaryStore()];
  await exported(first, home, 'old');
  await trainRound(first, home);
  await exported(second, home, 'new');
  const { root } = await trainRound(second, home);
  expect(readFileSync(join(root, 'weights'), 'utf8')).toBe('new');
});

/** The same improvement, whose trainer was given other words. */
const withTrainer = (home: string, code: string) => roundConfig(home, { trainer: script(code) });

async function trainWith(store: Store, home: string, code: string) {
  await store.improvements.finish(id, 'failed', null);
  const config = withTrainer(home, code);
  await prepareImprovement(config, store, { id, environment: 'maze' });
  await quietEnvironment().run(trainingActivities(roundContext(store, home, config)).trainRound, {
    id,
    round,
    looks: 0,
  });
  return resultOf(await store.improvements.phases(id), round, 'train')!;
}

const makes = (words: string) =>
  `fs.mkdirSync(folder + '/model', { recursive: true }); fs.writeFileSync(folder + '/model/weights', '${words}')`;

it('a training that failed begins anew with other settings, and what it had left is set aside', async () => {
  const [store, home] = [await temporaryStore(), temporaryFolder()];
  await exported(store, home, 'rows');
  const failing = "fs.mkdirSync(folder + '/checkpoints'); process.exit(8)";
  await expect(trainWith(store, home, failing)).rejects.toMatchObject({ type: 'Train.OutOfMemory' });
  const { root, trainer: used } = await trainWith(store, home, makes('mended'));
  expect(readFileSync(join(root, 'weights'), 'utf8')).toBe('mended');
  expect(used).toEqual(script(makes('mended')));
  expect(existsSync(join(folderOf(home, id, round), 'earlier-1/checkpoints'))).toBe(true);
});

it('a training that has made its model keeps what it began with', async () => {
  const [store, home] = [await temporaryStore(), temporaryFolder()];
  await exported(store, home, 'rows');
  const before = await trainWith(store, home, makes('first'));
  // As if its worker had been killed just before the phase was closed.
  await store.improvements.reopenPhase(id, round, 'train');
  const after = await trainWith(store, home, makes('second'));
  expect([after.hash, after.trainer]).toEqual([before.hash, script(makes('first'))]);
  const { changes } = (await store.improvements.get(id)).settings;
  expect(changes!.at(-1)).toMatchObject({ path: 'trainer.run', since: { round: 2, phase: 'train' } });
});

it.each([['this version', null, 'pairs.jsonl'] as const, ['an earlier version', undefined, 'lint.json'] as const])(
  'an export of %s that was removed is named with its machine, and nothing is trained',
  async (_, lengths, file) => {
    const [store, home] = [await temporaryStore(), temporaryFolder()];
    await exported(store, home, 'rows', lengths);
    rmSync(folderOf(home, id, round), { recursive: true });
    await expect(trainRound(store, home)).rejects.toMatchObject({
      type: 'User.NotFound',
      message: expect.stringContaining(
        `there is no ${join(folderOf(home, id, round), 'data', file)} on the machine ${hostname()}`,
      ),
    });
    expect(resultOf(await store.improvements.phases(id), round, 'train')).toBeNull();
  },
);
