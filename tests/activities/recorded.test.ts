// Layer: activities with a real store, scripted models and an environment that never answers the same twice.
import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/domain/action.ts';
import type { RunSettings } from '../../src/domain/run/run-config.ts';
import { SessionCache } from '../../src/environments/sessions/session-cache.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { type DoorsOptions, goText } from './doors.ts';
import { explored, workplace } from './workplace.ts';

/** Rooms with a number that no other step has. @param shared as of the environment */
function talking(shared?: DoorsOptions['shared']) {
  const heard = { live: 0, told: 0 };
  const doors: DoorsOptions = {
    capabilities: { replay: 'recorded' },
    ...(shared && { shared }),
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
async function branching(
  config: Partial<RunSettings>,
  policy: (number: number) => string = end,
  shared?: DoorsOptions['shared'],
) {
  const { heard, doors } = talking(shared);
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

  it('a branch that is made call by call takes the same step as one that is made at once', async () => {
    const place = await branching(owned);
    const branch = { ...place.step, nodeId: place.nodeId, candidateId: place.candidateId, purpose: 'verify' as const };
    const opened = await place.perform(place.activities.openBranch, { ...branch, rollout: 1 });
    await place.rollOut(0);
    await place.rollOut(1);
    expect(new Set(await place.replies()).size).toBe(2);
    const branches = await place.store.findings.branchesAt(place.run.id, place.nodeId);
    const second = branches.find(({ rollout }) => rollout === 1)!;
    expect((await place.store.tree.path(second.leafId))[2]!.id).toBe(opened.nodeId);
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

describe('what an action reads from the world outside', () => {
  const page = ({ arguments: { door } }: Action) => (door === 'right' || door === 'end' ? `page ${door}` : null);

  it('is read once for a run: all rollouts see the same, and their sessions are told it', async () => {
    const place = await branching(owned, end, page);
    const { told } = place.heard;
    await place.perform(place.activities.rollOutAll, {
      ...{ ...place.step, nodeId: place.nodeId, candidateId: place.candidateId, purpose: 'verify' },
      ...{ from: 0, to: 3 },
    });
    const replies = await place.replies();
    expect(replies).toHaveLength(3);
    expect(new Set(replies).size).toBe(1);
    // The page is read once. The end of the task is never shared, although it has a name.
    expect(place.heard.live).toBe(3 + 1 + 3);
    expect(place.heard.told).toBeGreaterThan(told);
  });

  it('is the same for both sides of a comparison, on another worker too', async () => {
    const place = await branching(owned, (number) => goText(number === 0 ? 'right' : 'end'), page);
    await place.perform(place.activities.rollOut, {
      ...{ ...place.step, nodeId: place.nodeId, candidateId: '', purpose: 'baseline', rollout: 0 },
    });
    place.context.sessions = new SessionCache(place.store.tree, place.context.environments);
    await place.rollOut(0);
    expect(new Set(await place.replies()).size).toBe(1);
  });

  it('counts as an environment step that was not taken', async () => {
    const place = await branching(owned, end, page);
    await place.rollOut(0);
    await place.rollOut(1);
    const { fresh, demand } = (await runSummary(place.store, place.run.id)).environmentSteps;
    expect({ fresh, demand }).toEqual({ fresh: 3 + 1 + 2, demand: 3 + 2 * 2 });
    expect(place.heard.live).toBe(fresh);
  });

  it('is what another worker recorded first, and the session that read something else is closed', async () => {
    const place = await branching(owned, end, page);
    const { sharedResults } = place.store.tree;
    const find = sharedResults.find.bind(sharedResults);
    let asked = 0;
    // Between the look and the record of this worker the other one records.
    sharedResults.find = async (...key) => {
      const found = await find(...key);
      if (asked++ === 0) await sharedResults.add(key[0], key[1], { observation: 'Room of the other.', details: null });
      return found;
    };
    await place.rollOut(0);
    expect(await place.replies()).toEqual(['Observation: Room of the other.']);
    await place.rollOut(1);
    expect(await place.replies()).toEqual(['Observation: Room of the other.', 'Observation: Room of the other.']);
  });

  it('is read anew by a run that began before transitions had owners', async () => {
    const place = await branching({}, end, page);
    await place.rollOut(0);
    const rows = await place.store.database.kysely.selectFrom('shared_results').selectAll().execute();
    expect(rows).toEqual([]);
  });
});
