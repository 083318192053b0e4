// Layer: activities in MockActivityEnvironment against scripted models over HTTP.
import { describe, expect, it } from 'vitest';
import type { RunConfig } from '../../../src/domain/run/run-config.ts';
import { goText } from '../doors.ts';
import { explored, type Models, type Workplace, workplace } from '../workplace.ts';

/** A run of Step-DPO as published, in which the policy went left and fell into the pit. */
async function failure(models: Models, resamples = 3): Promise<{ place: Workplace; id: string }> {
  const place = await workplace({ models });
  const { id } = await explored(place, ['left', 'pit']);
  const verification = {
    rollouts: 1,
    baselineRollouts: 0,
    placeboRate: 0,
    confidence: 0.9,
    tieMass: 0.8,
    confirmOnVariants: true,
  };
  const alternatives = { alternatives: 3, prmSamples: 1, thought: 'keep', expertHints: false } as const;
  const config: RunConfig = {
    ...place.run.config,
    method: 'step-dpo',
    options: {
      ...alternatives,
      select: 'first-error',
      resamples,
      gap: 0.2,
      revalueRate: 0,
      verification,
      pairsPerStep: null,
      pairsPerTask: null,
    },
  };
  const { kysely } = place.store.database;
  await kysely
    .updateTable('runs')
    .set({ config: JSON.stringify(config) })
    .where('id', '=', 'run-1')
    .execute();
  return { place, id };
}

const naming = (step: unknown) => JSON.stringify({ reason: 'So it seems.', first_wrong_step: step });

async function located(prm: Models['prm']) {
  const { place, id } = await failure({ prm });
  const location = await place.perform(place.activities.locateError, { runId: 'run-1', trajectoryId: id });
  return { location, place, steps: await place.store.findings.steps('run-1'), asked: place.asked('test-prm').length };
}

describe('the judge', () => {
  it('names the first wrong step of the trajectory, of which it sees every step', async () => {
    const { location, steps, place } = await located(() => naming(2));
    expect({ location, steps }).toEqual({ location: { verdict: 'first-error', step: 2 }, steps: [] });
    const asked = place.asked('test-prm')[0]!.body.messages.at(-1)!.content!;
    expect(asked).toMatch(/<step number="1">.*A room behind left.*<step number="2">.*A pit/s);
  });

  it('may find no step wrong, which is counted at the last one', async () => {
    const { location, steps, asked } = await located(() => naming(null));
    expect({ location, asked }).toEqual({ location: { verdict: 'no-error', step: null }, asked: 1 });
    expect(steps).toMatchObject([{ step: 2, verdict: 'no-error', ownId: null, chosenId: null }]);
  });

  it('is asked again when its answer cannot be read, and names what it names then', async () => {
    const { location, asked } = await located((_, number) => (number === 0 ? 'The first one.' : naming(1)));
    expect({ location, asked }).toEqual({ location: { verdict: 'first-error', step: 1 }, asked: 2 });
  });

  it('is given up after three answers that name no step of the trajectory, which is counted', async () => {
    const answers = ['left, I think', naming(3), naming('1')];
    const { location, steps, asked } = await located((_, number) => answers[number]!);
    expect({ location, asked }).toEqual({ location: { verdict: 'unjudged', step: null }, asked: 3 });
    expect(steps).toMatchObject([{ step: 2, verdict: 'unjudged' }]);
  });
});

/** The first step taken anew, and the actions drawn rolled out under their numbers. */
async function corrected(policy: Models['policy'], resamples = 3) {
  const { place, id } = await failure({ policy }, resamples);
  const { activities, perform, store } = place;
  const address = { runId: 'run-1', trajectoryId: id, step: 1 };
  const { nodeId, draws } = await perform(activities.resampleStep, address);
  for (const [rollout, candidateId] of draws.entries()) {
    if (candidateId === null) continue;
    const branch = { runId: 'run-1', trajectoryId: id, nodeId, candidateId, purpose: 'resample' as const, rollout };
    await perform(activities.rollOut, branch);
  }
  const found = await perform(activities.recordCorrection, { ...address, draws });
  const pairs = await perform(activities.recordPairs, { runId: 'run-1', trajectoryId: id });
  const candidates = await store.findings.candidatesOf('run-1', nodeId);
  return { draws, found, pairs, candidates, steps: await store.findings.steps('run-1') };
}

const opening = /You stand before/;

describe('the first wrong step, taken anew', () => {
  it('is corrected by an action after which the policy succeeds', async () => {
    const { found, pairs, candidates } = await corrected((room) => goText(opening.test(room) ? 'right' : 'treasure'));
    const [right] = candidates.filter(({ position }) => position >= 0);
    const [own] = candidates.filter(({ position }) => position < 0);
    expect({ found, pairs }).toMatchObject({
      found: { verdict: 'corrected', pair: { best: right!.id, worst: own!.id, revalue: false } },
      pairs: 1,
    });
    expect(right!.actions[0]?.arguments.door).toBe('right');
    expect(own!.actions[0]?.arguments.door).toBe('left');
  });

  it('is not corrected where the policy fails after every one', async () => {
    const { found, pairs, steps } = await corrected((room) => goText(opening.test(room) ? 'right' : 'pit'));
    expect({ found, pairs }).toEqual({ found: { verdict: 'not-corrected' }, pairs: 0 });
    expect(steps).toMatchObject([{ step: 1, verdict: 'not-corrected', chosenId: null, rejectedId: null }]);
  });

  it('has no alternative where the policy draws its own action again, in other words too, or none', async () => {
    const said = [goText('left'), goText('LEFT', 'Left it is.'), 'I do not know.'];
    const { draws, found, pairs, candidates } = await corrected((_, number) => said[number]!);
    expect(draws).toEqual([null, null, null]);
    expect({ found, pairs }).toEqual({ found: { verdict: 'no-alternative' }, pairs: 0 });
    expect(candidates).toHaveLength(1);
  });

  it('rolls equal draws out under numbers of their own', async () => {
    const { draws, candidates } = await corrected((room) => goText(opening.test(room) ? 'right' : 'pit'), 4);
    expect(new Set(draws).size).toBe(1);
    expect(draws).toHaveLength(4);
    expect(candidates.map(({ position }) => position).sort()).toEqual([-1, 0]);
  });
});
