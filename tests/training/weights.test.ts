// Layer: functions over real folders.
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { knownWeights, requireUnchanged } from '../../src/training/weights.ts';
import { temporaryFolder } from '../helpers/store.ts';

async function weights() {
  const folder = temporaryFolder();
  const file = join(folder, 'model.safetensors');
  writeFileSync(file, 'weights');
  return { folder, file, known: await knownWeights(folder) };
}

it('weights that nobody wrote are what they were, and so are those that were written again with the same content', async () => {
  const { folder, file, known } = await weights();
  expect(known).toMatchObject({ from: folder, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  await requireUnchanged(known);
  writeFileSync(file, 'weights');
  utimesSync(file, 1, 1);
  await requireUnchanged(known);
});

it('another content is found, though it has the same length, and so are files that were added or removed', async () => {
  const { folder, file, known } = await weights();
  const changed = { kind: 'User.NotFound', message: expect.stringContaining(`not ${known.hash!.slice(0, 8)}`) };
  writeFileSync(file, 'WEIGHTS');
  await expect(requireUnchanged(known)).rejects.toMatchObject(changed);
  writeFileSync(file, 'weights');
  writeFileSync(join(folder, 'more'), '');
  await expect(requireUnchanged(known)).rejects.toMatchObject(changed);
  rmSync(join(folder, 'more'));
  await requireUnchanged(known);
  rmSync(file);
  await expect(requireUnchanged(known)).rejects.toThrow(/it has no files/);
  rmSync(folder, { recursive: true });
  await expect(requireUnchanged(known)).rejects.toThrow(/There is no model/);
});

it('files are not read again while their sizes and times are the same', async () => {
  const { folder, file } = await weights();
  utimesSync(file, 1, 1);
  const known = await knownWeights(folder);
  writeFileSync(file, 'WEIGHTS');
  utimesSync(file, 1, 1);
  await requireUnchanged(known);
});

it('a model of a hub, an empty folder, and weights from an earlier version have no hash and are taken as they are', async () => {
  const { folder } = await weights();
  expect(await knownWeights('hub/model')).toEqual({ from: 'hub/model' });
  const empty = temporaryFolder();
  expect(await knownWeights(empty)).toEqual({ from: empty });
  await requireUnchanged({ from: folder });
  await requireUnchanged({ from: 'hub/model' });
});
