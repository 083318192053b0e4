// Layer: a real store, written by hand; no Temporal server.
import { describe, expect, it } from 'vitest';
import type { ImproveSettings } from '../../src/domain/improve/settings.ts';
import { requireLeft, retuneImprovement } from '../../src/start/improvement-ceilings.ts';
import { addRun, runConfig, temporaryStore } from '../helpers/store.ts';

const task = { calls: 7, tokens: null, costMicroUsd: null, rollouts: null };

/** An improvement that has used 40 calls in a campaign that is over, and 15 in the one in progress. */
async function improvement(price: { input: number; output: number } | null = { input: 1, output: 2 }) {
  const { models } = runConfig();
  const config = { models: { ...models, policy: { ...models.policy, price } } };
  const store = await temporaryStore();
  await store.improvements.create('better', { ceilings: { calls: 60, task } } as unknown as ImproveSettings);
  for (const [id, calls] of [
    ['better/round-0/evaluate', 40],
    ['better/round-1/collect', 15],
  ] as const) {
    await addRun(store, { id, config, ceilings: { calls: 20, task } });
    const spending = { run_id: id, calls, reused: 0, tokens: 0, cost_micro_usd: 0, rollouts: 0 };
    await store.database.kysely.insertInto('spending').values(spending).execute();
  }
  await store.runs.finish('better/round-0/evaluate', 'finished');
  const calls = async (id: string) => (await store.runs.get(id)).ceilings.calls;
  return { store, calls, retune: (given: object) => retuneImprovement({ store, client: null }, 'better', given) };
}

describe('a ceiling of an improvement', () => {
  /** Of a campaign for which the others have left something, or nothing: they have used 55 calls. */
  const beginning = async (calls: number, units: readonly ('calls' | 'rollouts')[] = ['calls', 'rollouts']) => {
    const { store } = await improvement();
    return requireLeft(
      store,
      { id: 'better', records: [] },
      { calls, rollouts: null },
      'better/round-1/evaluate',
      units,
    );
  };

  it('lets a campaign begin while something is left, or if it does not need what is used up', async () => {
    await beginning(56);
    await beginning(55, ['rollouts']);
  });

  it('that is used up exactly lets no further campaign begin', async () => {
    await expect(beginning(55)).rejects.toMatchObject({
      ...{ kind: 'Run.Budget', remedy: expect.stringContaining('crux budget better') },
      message: 'The improvement better has used up its ceiling of 55 calls before better/round-1/evaluate.',
    });
  });
});

describe('new ceilings of an improvement', () => {
  it('hold for the whole, and leave the campaign in progress what the others have not used', async () => {
    const { store, calls, retune } = await improvement();
    expect(await retune({ calls: 100 })).toMatchObject({ calls: 100, tokens: null, task });
    expect((await store.improvements.get('better')).settings.ceilings).toMatchObject({ calls: 100, task });
    expect(await calls('better/round-1/collect')).toBe(60);
    expect(await calls('better/round-0/evaluate')).toBe(20);
  });

  it('may be below what was used: the campaign then ends at its next call', async () => {
    const { calls, retune } = await improvement();
    await retune({ calls: 10 });
    expect(await calls('better/round-1/collect')).toBe(1);
  });

  it('that are not named are removed', async () => {
    const { calls, retune } = await improvement();
    await retune({ tokens: 1_000 });
    expect(await calls('better/round-1/collect')).toBeNull();
  });

  it('on cost are refused while a model has no price, and change nothing', async () => {
    const { store, retune } = await improvement(null);
    await expect(retune({ costMicroUsd: 5 })).rejects.toMatchObject({ kind: 'User.Config' });
    expect((await store.improvements.get('better')).settings.ceilings).toEqual({ calls: 60, task });
  });

  it('are refused once it is over', async () => {
    const { store, retune } = await improvement();
    await store.improvements.finish('better', 'finished', null);
    await expect(retune({ calls: 100 })).rejects.toThrow('The improvement better is over (finished).');
  });
});
