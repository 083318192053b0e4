// Layer: an activity in MockActivityEnvironment with a real store and real files.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { folderOf } from '../../../src/activities/improve/account.ts';
import { trainingActivities } from '../../../src/activities/improve/training.ts';
import { campaignId, resultOf } from '../../../src/domain/improve/rounds.ts';
import { prepareImprovement } from '../../../src/start/improvements.ts';
import { roundConfig, roundContext } from '../../helpers/round.ts';
import { addRun, temporaryFolder, temporaryStore } from '../../helpers/store.ts';
import { quietEnvironment } from '../workplace.ts';

const id = 'better';
const round = 1;

/** An improvement whose first campaign found nothing, and its export as Temporal would run it. */
async function collected() {
  const [store, home] = [await temporaryStore(), temporaryFolder()];
  const config = roundConfig(home);
  await prepareImprovement(config, store, { id, environment: 'maze' });
  await addRun(store, { id: campaignId(id, round, 'collect') });
  const { exportRound } = trainingActivities(roundContext(store, home, config));
  const environment = quietEnvironment();
  return {
    environment,
    exported: () => environment.run(exportRound, { id, round }),
    rows: join(folderOf(home, id, round), 'data/pairs.jsonl'),
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

it('an attempt to export that was given up writes nothing and does not end the phase', async () => {
  const { environment, exported, rows, result } = await collected();
  const done = exported();
  environment.cancel('NOT_FOUND');
  await expect(done).rejects.toBeInstanceOf(CancelledFailure);
  expect(existsSync(rows)).toBe(false);
  expect(await result()).toBeNull();
});
