// Layer: one function over real files and a real store.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ownPlace } from '../../src/temporal/process-identity.ts';
import { setAsideEarlier } from '../../src/training/earlier.ts';
import { firstStart } from '../../src/training/restart.ts';
import { writeWriter } from '../../src/training/writer-file.ts';
import { temporaryFolder, temporaryStore } from '../helpers/store.ts';

const contentOf = (folder: string) => readdirSync(folder).toSorted();

function trained(folder: string, hash: string): void {
  for (const name of ['data', 'model', 'checkpoints']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'model', 'weights'), hash);
  for (const name of ['settings.json', 'metrics.jsonl', 'canary.jsonl']) writeFileSync(join(folder, name), '');
}

const files = ['canary.jsonl', 'checkpoints', 'metrics.jsonl', 'model', 'settings.json'];

it('moves everything but the rows aside, each time into a folder of its own, and forgets the training', async () => {
  const store = await temporaryStore();
  const folder = temporaryFolder();
  const lease = { folder, holder: 'one', host: 'here', process: null };
  for (const number of [1, 2]) {
    trained(folder, `${number}`);
    await store.trainings.take(lease, firstStart, null);
    expect(await setAsideEarlier(folder, store.trainings)).toBe(join(folder, `earlier-${number}`));
    expect(contentOf(join(folder, `earlier-${number}`))).toEqual(files);
    expect(await store.trainings.get(folder)).toBeNull();
  }
  expect(contentOf(folder)).toEqual(['data', 'earlier-1', 'earlier-2']);
  rmSync(join(folder, 'earlier-1'), { recursive: true });
  trained(folder, '3');
  expect(await setAsideEarlier(folder, store.trainings)).toBe(join(folder, 'earlier-3'));
});

it('does nothing in a folder that has rows alone, and where there is none', async () => {
  const store = await temporaryStore();
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'data'));
  expect(await setAsideEarlier(folder, store.trainings)).toBeNull();
  expect(await setAsideEarlier(join(folder, 'none'), store.trainings)).toBeNull();
  expect(contentOf(folder)).toEqual(['data']);
});

it('refuses a folder in which a trainer is at work, and moves nothing', async () => {
  const store = await temporaryStore();
  const folder = temporaryFolder();
  trained(folder, '1');
  writeWriter(folder, { holder: 'another', trainer: ownPlace() });
  await expect(setAsideEarlier(folder, store.trainings)).rejects.toMatchObject({
    kind: 'Train.Failed',
    message: `Another training is at work in ${folder}: process ${process.pid}.`,
  });
  expect(contentOf(folder)).toEqual([...files.slice(0, 2), 'data', ...files.slice(2), 'writer.json']);
});
