// Layer: activities in MockActivityEnvironment against scripted models over HTTP. Scores by rollouts of the policy.
import { expect, it } from 'vitest';
import { goText } from '../doors.ts';
import { explored, type WorkplaceOptions, workplace } from '../workplace.ts';

/** The policy went left. The expert proposes right, up, and the treasure, which ends the task at once. */
async function scored(options: WorkplaceOptions = {}) {
  const policy = (room: string) => goText(/right/.test(room) ? 'treasure' : 'pit');
  const expertDoors = ['right', 'up', 'treasure'];
  const place = await workplace({
    models: { policy, expert: (number) => goText(expertDoors[number]!) },
    run: { config: { monteCarlo: { rollouts: 2 } } },
    ...options,
  });
  const { id, states } = await explored(place, ['left', 'pit']);
  const address = { runId: 'run-1', trajectoryId: id, step: 1 };
  await place.perform(place.activities.proposeAlternatives, address);
  const judge = () => place.perform(place.activities.judgeCandidates, address);
  const candidates = await place.store.findings.candidatesOf('run-1', states[0]!.id);
  const idOf = (door: string) => candidates.find(({ actions: [action] }) => action?.arguments.door === door)!.id;
  const scoreOf = (door: string) => place.store.findings.score('run-1', idOf(door), 'score');
  return { place, judge, idOf, scoreOf };
}

it('is the mean outcome of the rollouts after an action, and no PRM is asked', async () => {
  const { place, judge, idOf, scoreOf } = await scored();
  const result = await judge();
  expect(result).toMatchObject({ verdict: 'critical' });
  expect(new Set(result.alternatives)).toEqual(new Set([idOf('right'), idOf('treasure')]));
  expect(await scoreOf('left')).toMatchObject({ score: 0, samples: [0, 0] });
  expect(await scoreOf('right')).toMatchObject({ score: 1, samples: [1, 1] });
  expect(await scoreOf('up')).toMatchObject({ score: 0, samples: [0, 0] });
  expect(place.asked('test-prm')).toEqual([]);
});

it('is the outcome of the environment for an action that ends the task: nothing is asked', async () => {
  const { place, judge, scoreOf } = await scored();
  await judge();
  expect(await scoreOf('treasure')).toMatchObject({ score: 1, samples: [1, 1] });
  // Two rollouts each of left, right and up; the policy's own trajectory was written beforehand.
  expect(place.asked('test-model')).toHaveLength(6);
});

it('is missing, never a number, if no rollout has an outcome; the others have theirs', async () => {
  const policy = (room: string) =>
    /up/.test(room) ? { status: 500, body: '{}' } : goText(/right/.test(room) ? 'treasure' : 'pit');
  const doorsOfExpert = ['right', 'up', 'treasure'];
  const { place, judge, scoreOf } = await scored({
    models: { policy, expert: (number) => goText(doorsOfExpert[number]!) },
    maxFaults: 1,
  });
  await judge();
  expect(await scoreOf('up')).toMatchObject({ score: null, samples: [null, null] });
  expect(await scoreOf('right')).toMatchObject({ score: 1 });
  const [step] = await place.store.findings.steps('run-1');
  expect(step!.ruledOut).toMatchObject({ unscored: 1 });
});

it('reads what an earlier attempt has rolled out', async () => {
  const { place, judge } = await scored();
  const first = await judge();
  const calls = place.endpoint.requests.length;
  expect(await judge()).toEqual(first);
  expect(place.endpoint.requests).toHaveLength(calls);
});

it('leaves nothing in progress when a ceiling stops it', async () => {
  const { place, judge } = await scored();
  const { ceilings } = await place.store.runs.control('run-1');
  await place.store.runs.setControl('run-1', { ceilings: { ...ceilings, step: { ...ceilings.step, rollouts: 3 } } });
  await expect(judge()).rejects.toMatchObject({ type: 'Step.Budget' });
  const branches = await place.store.findings.branches('run-1');
  expect(branches.length).toBeLessThanOrEqual(3);
  expect(await place.store.findings.scores('run-1', 'score')).toEqual([]);
});
