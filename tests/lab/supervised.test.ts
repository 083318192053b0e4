// Layer: kill-and-resume with the real libraries: python/crux_train.py under its supervisor. Needs the Python environment of the lab.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { trl } from '../../src/index.ts';
import { hashModel } from '../../src/training/model-hash.ts';
import { temporaryStore } from '../helpers/store.ts';
import { printedIn, trainerOf, trainIn } from '../helpers/trainings.ts';
import { makeBase, python, temporaryFolder, withoutPython } from './python.ts';
import { prepare, train } from './trainings.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const trainer = trl({ python }) as never;
let base: string;

beforeAll(async () => {
  if (!withoutPython) base = await makeBase(folder);
});

describe.skipIf(withoutPython !== null)('crux_train.py under its supervisor', () => {
  it('is killed, goes on from its checkpoint, and ends with the bytes of an undisturbed training', async () => {
    await train(prepare(at('undisturbed'), 'dpo', base));
    const training = trainIn(await temporaryStore(), prepare(at('killed'), 'dpo', base), trainer);
    await training.reached(7);
    process.kill(trainerOf(at('killed')), 'SIGKILL');
    const { hash } = (await hashModel(join(at('undisturbed'), 'model')))!;
    expect(await training.result).toMatchObject({ hash, steps: 24, resumed: 1 });
    expect(printedIn(at('killed'))).toContainEqual(expect.stringMatching(/goes on from step (5|10|15|20)$/));
  });

  it('says by its exit code which fault it is', async () => {
    const short = trainIn(await temporaryStore(), prepare(at('short'), 'dpo', base, { rows: 61 }), trainer);
    await expect(short.result).rejects.toMatchObject({ kind: 'Train.RowsDropped' });
    const lost = trainIn(await temporaryStore(), prepare(at('lost'), 'dpo', base, { base: folder }), trainer);
    await expect(lost.result).rejects.toMatchObject({
      kind: 'User.NotFound',
      message: expect.stringContaining(folder),
    });
  });
});
