// Layer: activities with a real store, scripted models and an environment that never answers the same twice.
import { describe, expect, it } from 'vitest';
import type { RunSettings } from '../../src/domain/run/run-config.ts';
import { SessionCache } from '../../src/environments/sessions/session-cache.ts';
import { type DoorsOptions, goText } from './doors.ts';
import { explored, workplace } from './workplace.ts';

/** Rooms with a number that no other step has, before whose end the policy goes one more step. */
function talking() {
  const heard = { live: 0, told: 0 };
  const doors: DoorsOptions = {
    capabilities: { replay: 'recorded' },
    open: async () => ({
      step: async ({ arguments: { door } }) => {
        const number = ++heard.live;
        if (door === 'end') return { observation: `Over, said ${number}.`, done: true, reward: 1 };
        return { observation: `Room ${number}.`, done: false };
      },
      recall: async () => {
        heard.told++;
      },
    }),
  };
  return { heard, doors };
}

const owned = { transitions: { runId: 'run-1', since: 1 } };

/** A candidate at the second step of a trajectory, ready to be rolled out. */
async function branching(config: Partial<RunSettings>, policy: (number: number) => string = end) {
  const { heard, doors } = talking();
  const place = await workplace({
    doors,
    options: { alternatives: 1 },
    models: {
      expert: () => goText('right'),
      policy: (_room, number) => policy(number),
      prm: (door) => (door === 'left' ? 0.1 : 0.9),
    },
    run: { config: { sameBy: 'state', ...config } },
  });
  const { perform, activities, run, store } = place;
  const { id: trajectoryId } = await explored(place, ['up', 'left', 'down']);
  const step = { runId: run.id, trajectoryId, step: 2 };
  await perform(activities.proposeAlternatives, step);
  const { nodeId, alternatives } = await perform(activities.judgeCandidates, step);
  const candidateId = alternatives[0]!;
  const rollOut = (rollout: number) =>
    perform(activities.rollOut, { ...step, nodeId, candidateId, purpose: 'verify', rollout });
  /** What the candidate's step said to each rollout. */
  const replies = async () => {
    const branches = await store.findings.branchesAt(run.id, nodeId);
    const paths = await Promise.all(branches.map(({ leafId }) => store.tree.path(leafId)));
    return paths.map((path) => path[2]!.added.at(-1)!.content);
  };
  return { ...place, heard, step, nodeId, candidateId, rollOut, replies };
}

function end(): string {
  return goText('end');
}

describe('where what was recorded counts', () => {
  it('no action is taken only to compare it', async () => {
    const { heard, store, run } = await branching(owned);
    expect(heard.live).toBe(3);
    expect((await store.findings.steps(run.id)).flatMap(({ lookedAt }) => lookedAt)).toEqual([]);
  });

  it('every rollout takes the candidate by itself, however it is made', async () => {
    const place = await branching(owned);
    await place.rollOut(0);
    await place.perform(place.activities.rollOutAll, {
      ...{ ...place.step, nodeId: place.nodeId, candidateId: place.candidateId, purpose: 'verify' },
      ...{ from: 1, to: 3 },
    });
    const replies = await place.replies();
    expect(replies).toHaveLength(3);
    expect(new Set(replies).size).toBe(3);
    // Three of the trajectory, and the candidate and the end for each rollout.
    expect(place.heard.live).toBe(9);
  });

  it('a rollout that is tried again gets the same reply, and takes no step again', async () => {
    const stop = new AbortController();
    const place = await branching(owned, (number) => {
      if (number === 0) stop.abort();
      return number === 0 ? goText('on') : end();
    });
    place.context.stopping = stop.signal;
    await expect(place.rollOut(0)).rejects.toThrow();
    expect(place.heard.live).toBe(5);
    // Another worker takes it up: it has no sessions.
    place.context.stopping = new AbortController().signal;
    place.context.sessions = new SessionCache(place.store.tree, place.context.environments);
    await place.rollOut(0);
    expect(await place.replies()).toEqual(['Observation: Room 4.']);
    expect(place.heard).toMatchObject({ live: 6 });
    expect(place.heard.told).toBeGreaterThan(0);
  });

  it('a run that began before transitions had owners shares them, as it began', async () => {
    const place = await branching({});
    // The look at the alternative is the step that its rollouts find.
    expect(place.heard.live).toBe(4);
    await place.rollOut(0);
    await place.rollOut(1);
    const replies = await place.replies();
    expect(new Set(replies).size).toBe(1);
  });
});
