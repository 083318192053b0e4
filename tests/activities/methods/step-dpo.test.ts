// Layer: activities in MockActivityEnvironment against scripted models over HTTP.
import { expect, it } from 'vitest';
import type { RunConfig } from '../../../src/domain/run/run-config.ts';
import { goText } from '../doors.ts';
import { explored, type Models, workplace } from '../workplace.ts';

/** Ranks the first step, where the policy went left and the expert proposes right, up and down in this order. */
async function ranked(prm: Models['prm'], proposed = ['right', 'up', 'down']) {
  const seeds = new Map<number, string>();
  // Answers come in any order: which sample says which door is fixed by its seed.
  const doorOf = (seed: number) => {
    if (!seeds.has(seed)) seeds.set(seed, proposed[seeds.size]!);
    return seeds.get(seed)!;
  };
  const place = await workplace({ models: { expert: (_, { seed }) => goText(doorOf(seed)), prm } });
  const { id, states } = await explored(place, ['left', 'pit']);
  const options = { alternatives: 3, prmSamples: 1, thought: 'keep', expertHints: false, gap: 0.2 } as const;
  const config: RunConfig = {
    ...place.run.config,
    method: 'step-dpo',
    options: { ...options, pairsPerStep: null, pairsPerTask: null },
  };
  const { kysely } = place.store.database;
  await kysely
    .updateTable('runs')
    .set({ config: JSON.stringify(config) })
    .where('id', '=', 'run-1')
    .execute();
  const address = { runId: 'run-1', trajectoryId: id, step: 1 };
  await place.perform(place.activities.proposeAlternatives, address);
  const { verdict } = await place.perform(place.activities.rankCandidates, address);
  const pairs = await place.perform(place.activities.recordPairs, { runId: 'run-1', trajectoryId: id });
  const candidates = await place.store.findings.candidatesOf('run-1', states[0]!.id);
  const door = (candidate: string) => candidates.find(({ id }) => id === candidate)!.actions[0]!.arguments.door;
  const recorded = await place.store.findings.pairs('run-1');
  const doors = recorded.map(({ chosenId, rejectedId }) => `${door(chosenId)} over ${door(rejectedId)}`);
  return { verdict, pairs, doors, steps: await place.store.findings.steps('run-1') };
}

const scores =
  (byDoor: { [door: string]: number | string }): Models['prm'] =>
  (door) =>
    byDoor[door ?? 'malformed'] ?? 'no score';

it('a step prefers its best action to its worst, and records which', async () => {
  const { verdict, pairs, doors, steps } = await ranked(scores({ left: 0.4, right: 0.7, up: 0.9, down: 0.2 }));
  expect({ verdict, pairs, doors }).toEqual({ verdict: 'preference', pairs: 1, doors: ['up over down'] });
  expect(steps).toMatchObject([{ step: 1, verdict: 'preference', placebo: false }]);
});

it("the policy's own action may be the best or the worst", async () => {
  expect((await ranked(scores({ left: 0.9, right: 0.7, up: 0.5, down: 0.6 }))).doors).toEqual(['left over up']);
  expect((await ranked(scores({ left: 0.1, right: 0.7, up: 0.5, down: 0.6 }))).doors).toEqual(['right over left']);
});

it('an action whose score is missing is neither, also the policy’s own', async () => {
  expect((await ranked(scores({ right: 0.7, up: 0.5, down: 'good' }))).doors).toEqual(['right over up']);
});

it.each([
  ['no-preference', scores({ left: 0.5, right: 0.6, up: 0.65, down: 0.55 }), undefined],
  ['unscored', scores({ left: 0.5 }), undefined],
  ['no-alternative', scores({ left: 0.1 }), ['left', 'left', 'left']],
])('a step without a pair is counted as %s', async (expected, prm, proposed) => {
  const { verdict, pairs, doors, steps } = await ranked(prm, proposed);
  expect({ verdict, pairs, doors }).toEqual({ verdict: expected, pairs: 0, doors: [] });
  expect(steps).toMatchObject([{ verdict: expected, chosenId: null, rejectedId: null }]);
});
