// Layer: the store on both engines.
import { expect, it } from 'vitest';
import type { TrainingExit } from '../../src/domain/improve/training.ts';
import { ownPlace } from '../../src/temporal/process-identity.ts';
import { firstStart } from '../../src/training/restart.ts';
import { describeEngines } from '../helpers/store.ts';

const folder = '/improve-1/round-1';
const lease = (holder: string) => ({ folder, holder, host: 'here', process: ownPlace() });
const progress = { step: 3, total: 9, loss: 0.5, reached: 4 };
const exit: TrainingExit = {
  code: 0,
  signal: null,
  error: null,
  stop: null,
  finding: null,
  unwritten: 0,
  model: { hash: 'ab', files: 1, bytes: 2 },
};

describeEngines('the lease of a folder', (engine) => {
  it('goes to one of several who found it free, or found the same dead holder', async () => {
    const store = await engine.open();
    const other = await engine.reopen(store);
    const takes = (from: string | null, names: string[]) =>
      Promise.all(
        names.map((holder, n) => [store, other][n % 2]!.trainings.take(lease(holder), firstStart, from)),
      ).then((taken) => taken.filter(Boolean).length);
    expect(await takes(null, ['a', 'b', 'c', 'd'])).toBe(1);
    const { holder } = (await store.trainings.get(folder))!;
    expect(await takes(holder, ['e', 'f', 'g', 'h'])).toBe(1);
    expect(await takes(holder, ['i'])).toBe(0);
  });

  it('is renewed by its holder alone, who hears that it is to stop', async () => {
    const store = await engine.open();
    expect(await store.trainings.get(folder)).toBeNull();
    await store.trainings.take(lease('a'), { ...firstStart, starts: 2, ranMs: 70, death: 'killed' }, null);
    expect(await store.trainings.renew(folder, 'a', progress)).toBeNull();
    expect(await store.trainings.renew(folder, 'b', null)).toBe('lost');
    expect(await store.trainings.get(folder)).toMatchObject({
      ...lease('a'),
      ...{ state: 'running', starts: 2, ranMs: 70, deaths: 0, death: 'killed', progress, stop: null, exit: null },
    });
    await store.trainings.requestStop(folder, 'b');
    expect(await store.trainings.renew(folder, 'a', progress)).toBeNull();
    await store.trainings.requestStop(folder, 'a');
    expect(await store.trainings.renew(folder, 'a', progress)).toBe('cancelled');
  });

  it('holds how the training ended, if its holder still had it', async () => {
    const store = await engine.open();
    await store.trainings.take(lease('a'), firstStart, null);
    expect(await store.trainings.end(folder, 'b', { exit, progress })).toBe(false);
    expect(await store.trainings.end(folder, 'a', { exit, progress })).toBe(true);
    expect(await store.trainings.get(folder)).toMatchObject({ state: 'ended', exit, progress });
    await store.trainings.giveUp(folder, 'a');
    expect(await store.trainings.get(folder)).toMatchObject({ state: 'given-up', exit });
  });

  it('says how long its holder has been silent, by the clock of the store', async () => {
    const store = await engine.open();
    await store.trainings.take(lease('a'), firstStart, null);
    const seen = Date.now() - 3_600_000;
    await store.database.kysely
      .updateTable('trainings')
      .set({ seen_at: seen, started_at: seen - 5_000 })
      .execute();
    const training = (await store.trainings.get(folder))!;
    expect(training.silentMs).toBeGreaterThanOrEqual(3_600_000);
    expect(training.heldMs).toBe(5_000);
  });
});
