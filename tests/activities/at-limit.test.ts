// Layer: activities in MockActivityEnvironment against scripted models over HTTP.
import { expect, it } from 'vitest';
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
