// Layer: activities, without any surroundings: what becomes of rollouts within the activity that needs them.
import { expect, it } from 'vitest';
import { OwnRollouts } from '../../../src/activities/acting/own-rollouts.ts';
import type { BranchInput, BranchResult } from '../../../src/domain/wire/branch.ts';
import { CruxError } from '../../../src/errors.ts';

const candidate = { nodeId: 'state', candidateId: 'action', purpose: 'value' as const };
const won: BranchResult = { ending: 'submitted', success: true, reward: 1, confirmed: null };

/** Rollouts that end when they are told to, by number. */
function rollouts(parallel: number, signal = new AbortController().signal) {
  const inProgress = new Map<number, PromiseWithResolvers<BranchResult>>();
  const begun: number[] = [];
  const rollOut = ({ rollout }: BranchInput) => {
    begun.push(rollout);
    const ending = Promise.withResolvers<BranchResult>();
    inProgress.set(rollout, ending);
    return ending.promise;
  };
  const own = new OwnRollouts(
    { runId: 'run', trajectoryId: 'trajectory' },
    { rollOut, rollOutAll: async ({ from, to }) => Array.from({ length: to - from }, () => won) },
    parallel,
    signal,
  );
  return { own, begun, end: (rollout: number) => inProgress.get(rollout)! };
}

const budget = new CruxError('Task.Budget', 'No more of this task.');
const paused = new CruxError('Run.Paused', 'Not now.');

/** Lets everything happen that waits for nothing else. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('as many are in progress as the run lets a trajectory keep, and all that are over are counted', async () => {
  const { own, begun, end } = rollouts(2);
  const results = own.untilOver(() => own.rolling.branches(1, candidate, [0, 1, 2]));
  await settled();
  expect(begun).toEqual([0, 1]);
  end(1).resolve(won);
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  end(0).resolve(won);
  end(2).resolve(won);
  expect(await results).toEqual([won, won, won]);
  await own.rolling.rollOutAll(1, candidate, 5);
  expect(own.count).toBe(8);
});

it('work that broke is not over before its rollouts are', async () => {
  const { own, end } = rollouts(2);
  let isOver = false;
  const work = own
    .untilOver(() => own.rolling.branches(1, candidate, [0, 1]))
    .finally(() => {
      isOver = true;
    });
  work.catch(() => {});
  await settled();
  end(0).reject(budget);
  await settled();
  expect(isOver).toBe(false);
  end(1).resolve(won);
  await expect(work).rejects.toBe(budget);
  expect(own.count).toBe(1);
});

it('a rollout that is to be made again wins over a ceiling that ended another: nothing is missing then', async () => {
  const { own, end } = rollouts(2);
  const work = own.untilOver(() => own.rolling.branches(1, candidate, [0, 1]));
  work.catch(() => {});
  await settled();
  end(0).reject(budget);
  end(1).reject(paused);
  await expect(work).rejects.toBe(paused);
});

it('none begins after the activity was told to end', async () => {
  const ending = new AbortController();
  const { own, begun, end } = rollouts(1, ending.signal);
  const work = own.untilOver(() => own.rolling.branches(1, candidate, [0, 1]));
  work.catch(() => {});
  await settled();
  ending.abort(new Error('The end.'));
  end(0).resolve(won);
  await expect(work).rejects.toThrow('The end.');
  expect(begun).toEqual([0]);
});
