// Layer: activities against a store and an environment of doors, under methods that take the success of a whole trajectory for evidence.
import { describe, expect, it } from 'vitest';
import type { MethodName } from '../../src/domain/methods/index.ts';
import { sumUnpaired } from '../../src/domain/pairs/unpaired.ts';
import type { RunConfig } from '../../src/domain/run/run-config.ts';
import { go } from './doors.ts';
import { explored, type Workplace, workplace } from './workplace.ts';

const balance = { pairsPerStep: null, pairsPerTask: null };
const byOutcome = { experts: 'scripted', temperature: 0, freshTrajectories: 0, maxPassRate: 0.5, revalueRate: 0 };

/** A run of two samples of a task. `holds`: whether a success that ends with this door holds on variants of the data. */
async function comparing(method: MethodName, options: object, holds: (door: unknown) => boolean): Promise<Workplace> {
  const place = await workplace({
    doors: {
      confirm: async (_task, actions) => ({
        confirmed: holds(actions[0]!.arguments.door),
        reason: 'only on these doors',
      }),
      script: async () => ['right', 'treasure'].map((door) => ({ thought: `I take ${door}.`, action: go(door) })),
    },
  });
  const { verification } = place.run.config.options as { verification: object };
  const config = { ...place.run.config, method, options: { ...options, ...balance, verification } };
  const tasks = [0, 1].map((sample) => ({
    position: sample,
    taskId: 'task-1',
    sample,
    importedId: null,
    group: 'task-1',
  }));
  await place.store.runs.create(
    { ...place.run, id: 'compared', method, config: config as unknown as RunConfig },
    tasks,
  );
  return { ...place, run: await place.store.runs.get('compared') };
}

const at = { runId: 'compared', position: 0 };

async function pairsAndReasons({ perform, activities, store }: Workplace, trajectoryId: string) {
  await perform(activities.recordPairs, { runId: 'compared', trajectoryId });
  const steps = await store.findings.steps('compared', trajectoryId);
  const reasons = steps.map(({ ruledOut, settled }) => sumUnpaired([ruledOut ?? {}, settled?.unpaired ?? {}]));
  return { pairs: await store.findings.pairs('compared'), reasons };
}

describe('under ETO', () => {
  const contrasted = async (holds: (door: unknown) => boolean, own: string[]) => {
    const place = await comparing('eto', { ...byOutcome, stepsBeyondExpert: 5 }, holds);
    await explored(place, own);
    const expert = await place.perform(place.activities.demonstrate, at);
    const contrast = { runId: 'compared', trajectoryId: expert!.trajectoryId };
    const { verdict } = await place.perform(place.activities.contrastOutcomes, contrast);
    return { verdict, ...(await pairsAndReasons(place, expert!.trajectoryId)) };
  };

  it('a success that holds on variants of the data is preferred, and the certificate says that it does', async () => {
    const { pairs } = await contrasted(() => true, ['left', 'pit']);
    expect(pairs).toMatchObject([{ certificate: { verification: { confirmed: true, rule: 'outcome' } } }]);
  });

  it('a success by accident makes no pair, and the step says why', async () => {
    expect(await contrasted(() => false, ['left', 'pit'])).toMatchObject({
      ...{ verdict: 'coincidental', pairs: [], reasons: [{ coincidental: 1 }] },
    });
  });
});

describe('under anchor', () => {
  const options = { discount: 1, gap: 0, revalueRate: 0 };
  const compared = async (holds: (door: unknown) => boolean) => {
    const place = await comparing('anchor', options, holds);
    const { id: trajectoryId } = await explored(place, ['left', 'pit'], 0);
    await explored(place, ['right', 'treasure'], 1);
    await place.perform(place.activities.compareSamples, { ...at, trajectoryId });
    return pairsAndReasons(place, trajectoryId);
  };

  it('the return of a success that holds counts', async () => {
    expect((await compared(() => true)).pairs).toMatchObject([{ certificate: { verification: { confirmed: true } } }]);
  });

  it('that of a success by accident does not, and the step says why', async () => {
    const { pairs, reasons } = await compared(() => false);
    expect(pairs).toEqual([]);
    expect(reasons[0]).toEqual({ coincidental: 1 });
  });
});
