// Layer: activities in MockActivityEnvironment against scripted models over HTTP.
import { describe, expect, it } from 'vitest';
import type { BranchInput } from '../../src/domain/wire/branch.ts';
import { goText } from './doors.ts';
import { explored, type WorkplaceOptions, workplace } from './workplace.ts';

/** A quarter for every door, and a success from a half on; at most three steps are taken. */
const scored: WorkplaceOptions = {
  doors: { successAt: 0.5, outcome: (way) => ({ reward: way.length / 4, details: { doors: way.length } }) },
  models: { policy: () => goText('on') },
  run: { config: { stepLimit: 3 } },
};

const walks: BranchInput = {
  runId: 'run-1',
  trajectoryId: 'none',
  nodeId: '',
  candidateId: '',
  purpose: 'baseline',
  rollout: 0,
};

/** A branch from the state after `left`, to the end of its step budget. */
async function walked(options: WorkplaceOptions) {
  const place = await workplace(options);
  const { states } = await explored(place, ['left', 'pit']);
  const rollOut = () => place.perform(place.activities.rollOut, { ...walks, nodeId: states[1]!.id });
  return { place, rollOut };
}

it('a branch at its step limit is worth what the environment says was reached, and says why', async () => {
  const { place, rollOut } = await walked(scored);
  expect(await rollOut()).toEqual({ ending: 'step-limit', reward: 1, success: true, confirmed: null });
  expect(await place.store.findings.branches('run-1')).toMatchObject([{ details: { doors: 4 } }]);
});

it('without an outcome so far it is a failure, and no session is opened to ask for one', async () => {
  const { place, rollOut } = await walked({ ...scored, doors: {} });
  expect(await rollOut()).toMatchObject({ ending: 'step-limit', reward: 0, success: false });
  const { opened } = place.seen;
  const again = await place.perform(place.activities.rollOut, {
    ...walks,
    nodeId: (await place.store.findings.branches('run-1'))[0]!.nodeId,
    rollout: 1,
  });
  expect(again).toMatchObject({ ending: 'step-limit', reward: 0, success: false });
  expect(place.seen.opened).toBe(opened);
});

it('a full conversation is a limit too; a refusal is none', async () => {
  const full = { status: 400, body: '{"error":{"message":"maximum context length is 10 tokens"}}' };
  const { rollOut } = await walked({ ...scored, models: { policy: () => full } });
  expect(await rollOut()).toMatchObject({ ending: 'token-limit', reward: 0.25, success: false });
  const refused = await walked({ ...scored, models: { policy: () => ({ content: null, refusal: 'No.' }) } });
  expect(await refused.rollOut()).toMatchObject({ ending: 'refused', reward: 0, success: false });
});

it('a trajectory and a branch that end call by call have the same outcome, which is asked for once', async () => {
  const asked: number[] = [];
  const place = await workplace({
    ...scored,
    doors: {
      successAt: 0.5,
      outcome: (way) => {
        asked.push(way.length);
        return { reward: way.length / 4 };
      },
    },
  });
  const { perform, activities } = place;
  const { states } = await explored(place, ['left', 'up', 'pit']);
  const leafId = states[2]!.id;
  const ended = { leafId, ending: 'step-limit' as const, reward: 0, success: false, fault: null };
  const trajectory = await perform(activities.recordTrajectory, { runId: 'run-1', position: 0, ...ended });
  expect(trajectory).toMatchObject({ ending: 'step-limit', reward: 0.5, success: true });
  const branch = { ...walks, nodeId: states[1]!.id, compared: 1, ...ended };
  expect(await perform(activities.recordBranch, branch)).toMatchObject({ reward: 0.5, success: true });
  expect(asked).toEqual([2]);
});

it.each([
  ['is no reward', () => ({ reward: 1.5 }), /its outcome reward is 1.5/],
  [
    'cannot be given',
    () => {
      throw new Error('the judge is gone');
    },
    /the judge is gone/,
  ],
])(
  'an outcome that %s is a fault of the environment, never the failure of the policy',
  async (_what, outcome, words) => {
    const { place, rollOut } = await walked({ ...scored, doors: { outcome } });
    expect(await rollOut()).toMatchObject({ ending: 'environment-fault', reward: null, success: null });
    const [branch] = await place.store.findings.branches('run-1');
    expect(branch!.details!.fault).toMatch(words);
  },
);

describe('a grader that never says the same twice', () => {
  /** Every question gets the next grade, and no message holds an action: all ends in the task's first state. */
  async function graded(replay: 'compare' | 'recorded') {
    let grades = 0;
    const transitions = replay === 'compare' ? undefined : { runId: 'run-1', since: 1 };
    const place = await workplace({
      doors: { capabilities: { replay }, outcome: () => ({ reward: ++grades / 8 }) },
      models: { policy: () => 'Hm.' },
      run: { config: { stepLimit: 1, ...(transitions && { transitions }) } },
    });
    const { perform, activities, run, store } = place;
    const other = { ...run.config, ...(transitions && { transitions: { runId: 'run-2', since: 2 } }) };
    const samples = [0, 1].map((sample) => ({ position: sample, taskId: 'task-1', sample, importedId: null }));
    await store.runs.create({ ...run, id: 'run-2', config: other }, samples);
    const ended = async (runId: string, position = 0) => {
      const { rootId } = await perform(activities.openTask, { runId, position });
      const failure = { leafId: rootId, ending: 'step-limit' as const, reward: 0, success: false, fault: null };
      return (await perform(activities.recordTrajectory, { runId, position, ...failure })).reward! * 8;
    };
    const { rootId } = await perform(activities.openTask, { runId: 'run-1', position: 0 });
    const branched = async (purpose: 'baseline' | 'value', rollout: number) =>
      (await perform(activities.rollOut, { ...walks, nodeId: rootId, purpose, rollout })).reward! * 8;
    const drawn = async (draw: number) =>
      (await perform(activities.drawAction, { runId: 'run-2', nodeId: rootId, sample: 0, draw })).reward! * 8;
    return { ended, branched, drawn };
  }

  it('grades each run, each sample and each branch that ends in the first state by itself, and none twice', async () => {
    const { ended, branched } = await graded('recorded');
    expect(await ended('run-1')).toBe(1);
    expect(await ended('run-2')).toBe(2);
    expect(await ended('run-2', 1)).toBe(3);
    expect(await branched('baseline', 0)).toBe(4);
    expect(await branched('baseline', 1)).toBe(5);
    expect(await branched('value', 1)).toBe(6);
    // A repeated attempt.
    expect(await ended('run-1')).toBe(1);
    expect(await ended('run-2')).toBe(2);
  });

  it('grades the draws of one trajectory as one, as they take one step', async () => {
    const { drawn } = await graded('recorded');
    expect([await drawn(0), await drawn(1)]).toEqual([1, 1]);
  });

  it('grades a state once where all steps are replayed and compared', async () => {
    const { ended, branched } = await graded('compare');
    expect([await ended('run-1'), await ended('run-2'), await branched('baseline', 0)]).toEqual([1, 1, 1]);
  });
});
