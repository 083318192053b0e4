// Layer: activities in MockActivityEnvironment against scripted models over HTTP.
import { ActivityCancellationDetails } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { ceilingsFrom } from '../../src/domain/run/ceilings.ts';
import type { BranchInput } from '../../src/domain/wire/branch.ts';
import { goText } from './doors.ts';
import { explored, quietEnvironment, type Workplace, type WorkplaceOptions, workplace } from './workplace.ts';

/** A policy that went left and into the pit; the expert would go right in the second state. */
async function branchPoint(options: WorkplaceOptions = {}) {
  const place = await workplace({ ...options, models: { expert: () => goText('right'), ...options.models } });
  const { id, states } = await explored(place, ['left', 'pit']);
  await place.perform(place.activities.proposeAlternatives, { runId: 'run-1', trajectoryId: id, step: 2 });
  const candidates = await place.store.findings.candidatesOf('run-1', states[1]!.id);
  const input: BranchInput = {
    runId: 'run-1',
    trajectoryId: id,
    nodeId: states[1]!.id,
    candidateId: candidates.find(({ source }) => source === 'expert')!.id,
    purpose: 'verify',
    rollout: 0,
  };
  return { place, input, states, rollOut: () => place.perform(place.activities.rollOut, input) };
}

const stored = async ({ store }: Workplace) => (await store.findings.branches('run-1')).at(0);
const goes =
  (...ways: string[]) =>
  (_room: string, number: number) =>
    goText(ways[number] ?? 'on');

describe('a branch', () => {
  it('takes the alternative in its state, and lets the policy go on to its own ending', async () => {
    const { place, states, rollOut } = await branchPoint({ models: { policy: goes('up', 'treasure') } });
    expect(await rollOut()).toEqual({ ending: 'submitted', success: true, reward: 1, confirmed: null });
    const row = await stored(place);
    expect(row).toMatchObject({
      ending: 'submitted',
      success: true,
      reward: 1,
      steps: 3,
      compared: 1,
      purpose: 'verify',
    });
    const path = await place.store.tree.path(row!.leafId);
    expect(path.slice(0, 2).map(({ id }) => id)).toEqual(states.slice(0, 2).map(({ id }) => id));
    expect(
      path
        .at(-1)!
        .messages.filter(({ role }) => role === 'assistant')
        .map(({ content }) => content),
    ).toEqual(['left', 'right', 'up', 'treasure'].map((door) => goText(door)));
    // The policy, not the expert, was asked, with its own conversation.
    expect(JSON.stringify(place.asked('test-model'))).not.toContain('guidance');
  });

  it('that fails is a failure', async () => {
    const { rollOut } = await branchPoint({ models: { policy: goes('pit') } });
    expect(await rollOut()).toEqual({ ending: 'submitted', success: false, reward: 0, confirmed: null });
  });

  it('has the whole step budget from its branch point on, the alternative included', async () => {
    const { place, rollOut } = await branchPoint({ models: { policy: goes() } });
    expect(await rollOut()).toMatchObject({ ending: 'step-limit', success: false, reward: 0 });
    expect(await stored(place)).toMatchObject({ steps: 5 });
    expect(place.asked('test-model').length).toBe(4);
  });

  it.each([
    ['refused', { content: null, refusal: 'No.' }],
    ['token-limit', { status: 400, body: '{"error":{"message":"maximum context length is 10 tokens"}}' }],
  ] as const)('that the policy ends as %s is its failure', async (ending, reply) => {
    const { rollOut } = await branchPoint({ models: { policy: () => reply } });
    expect(await rollOut()).toMatchObject({ ending, success: false, reward: 0 });
  });

  it('with messages that cannot be read goes on, each costs a step', async () => {
    const { rollOut } = await branchPoint({
      models: { policy: (_, number) => (number < 2 ? 'Hm.' : goText('treasure')) },
    });
    expect(await rollOut()).toMatchObject({ ending: 'submitted', success: true });
  });

  it.each([
    ['model-fault', { models: { policy: () => ({ status: 500, body: '{}' }) }, maxFaults: 1 }],
    [
      'environment-fault',
      {
        models: { policy: goes('up') },
        doors: {
          step: (way: string[]) => {
            if (way.includes('up')) throw new Error('host gone');
            return undefined;
          },
        },
      },
    ],
    ['environment-fault', { models: { policy: goes('up') }, doors: { step: (way: string[]) => brokenGrader(way) } }],
  ] as [string, WorkplaceOptions][])(
    'that comes to a fault ends as %s, without success and without failure',
    async (ending, options) => {
      const { place, rollOut } = await branchPoint(options);
      expect(await rollOut()).toEqual({ ending, success: null, reward: null, confirmed: null });
      expect((await stored(place))?.details?.fault).toEqual(expect.any(String));
    },
  );

  it('whose account cannot go on is left open, for when somebody has mended that', async () => {
    const { place, rollOut } = await branchPoint({ models: { policy: () => ({ status: 401, body: '{}' }) } });
    await expect(rollOut()).rejects.toMatchObject({ type: 'Run.Blocked', nonRetryable: false });
    expect(await stored(place)).toBeUndefined();
  });

  it('whose confirmation breaks ends as environment-fault', async () => {
    const confirm = async () => {
      throw new Error('no variants today');
    };
    const { rollOut } = await branchPoint({ models: { policy: goes('treasure') }, doors: { confirm } });
    expect(await rollOut()).toEqual({ ending: 'environment-fault', success: null, reward: null, confirmed: null });
  });

  it.each([true, false])('whose success holds on variants of the data (%s) says so', async (confirmed) => {
    const seen: string[][] = [];
    const { place, rollOut } = await branchPoint({
      models: { policy: goes('treasure') },
      doors: {
        confirm: async (_task, actions) => {
          seen.push(actions.map(({ arguments: { door } }) => String(door)));
          return { confirmed, reason: 'Other doors.' };
        },
      },
    });
    expect(await rollOut()).toMatchObject({ success: true, confirmed });
    expect(await stored(place)).toMatchObject({ success: true, confirmed });
    expect(seen).toEqual([['left', 'right', 'treasure']]);
  });

  it('from a state that can no longer be restored ends as diverged, and takes no step', async () => {
    let hasChanged = false;
    const { place, rollOut } = await branchPoint({
      models: { policy: goes('treasure') },
      doors: { step: (way) => (hasChanged && way.length === 1 ? { observation: 'A wall.', done: false } : undefined) },
    });
    // As if on another worker, after the environment was changed.
    await place.context.sessions.close();
    hasChanged = true;
    expect(await rollOut()).toEqual({ ending: 'diverged', success: null, reward: null, confirmed: null });
    expect(place.asked('test-model')).toEqual([]);
  });
});

function brokenGrader(way: string[]) {
  return way.includes('up') ? { observation: 'The end.', done: true, reward: Number.NaN } : undefined;
}

describe('a second attempt', () => {
  it('of a finished branch pays nothing and says the same', async () => {
    const { place, rollOut } = await branchPoint({ models: { policy: goes('up', 'treasure') } });
    const first = await rollOut();
    const { stepped } = place.seen;
    const requests = place.endpoint.requests.length;
    expect(await rollOut()).toEqual(first);
    expect(place.endpoint.requests.length).toBe(requests);
    expect(place.seen.stepped).toBe(stepped);
  });

  it.each([
    ['Temporal takes it for dead by its heartbeat', 'TIMED_OUT', { timedOut: true }],
    ['Temporal no longer knows it', 'NOT_FOUND', { notFound: true }],
    ['it is reset', 'RESET', { reset: true }],
    ['the worker goes away', 'WORKER_SHUTDOWN', { workerShutdown: true }],
    ['the user cancels', 'CANCELLED', { cancelRequested: true }],
  ] as const)(
    'goes on where the first one was, and nothing is paid twice, when that one is lost because %s',
    async (_why, reason, details) => {
      const hold = Promise.withResolvers<void>();
      const { place, input, rollOut } = await branchPoint({
        options: { alternatives: 1 },
        models: {
          policy: (_, number) =>
            number === 1 ? { content: goText('up'), after: hold.promise } : goText(number === 0 ? 'down' : 'treasure'),
        },
      });
      const first = quietEnvironment();
      const lost = first.run(place.activities.rollOut, input);
      // The proposal, the first step of the policy, and the second one, whose answer takes long.
      await place.endpoint.requested(3);
      first.cancel(reason, new ActivityCancellationDetails(details));
      await expect(lost).rejects.toThrow();
      expect(await stored(place)).toBeUndefined();
      const second = rollOut();
      hold.resolve();
      expect(await second).toMatchObject({ ending: 'submitted', success: true });
      const keys = place.asked('test-model').map(({ key }) => key);
      expect(keys.length).toBe(3);
      expect(new Set(keys).size).toBe(3);
    },
  );

  it('is made elsewhere when the worker is told to stop: at the next step', async () => {
    const { place, rollOut } = await branchPoint({
      models: {
        policy: () => {
          place.stopping.abort();
          return goText('up');
        },
      },
    });
    await expect(rollOut()).rejects.toMatchObject({ type: 'Worker.Stopping', nonRetryable: false });
    expect(place.asked('test-model').length).toBe(1);
    expect(await stored(place)).toBeUndefined();
  });

  it.each([
    ['paused', { type: 'Run.Paused', nonRetryable: false }],
    ['cancelled', { type: 'Run.Cancelled', nonRetryable: true }],
  ] as const)('waits or ends with the run that is %s, and leaves the branch open', async (state, failure) => {
    const { place, rollOut } = await branchPoint({ models: { policy: goes('treasure') } });
    await place.store.runs.setControl('run-1', { state });
    await expect(rollOut()).rejects.toMatchObject(failure);
    expect(await stored(place)).toBeUndefined();
    await place.store.runs.setControl('run-1', { state: 'running' });
    // A run that was cancelled is not taken up again.
    if (state === 'cancelled') await expect(rollOut()).rejects.toMatchObject(failure);
    else expect(await rollOut()).toMatchObject({ success: true });
  });

  it('goes on after the run’s ceiling was raised', async () => {
    // The proposal is the first call, as the answers of the trajectory were journaled beforehand and count too.
    const { place, rollOut } = await branchPoint({
      options: { alternatives: 1 },
      run: { ceilings: { calls: 4 } },
      models: { policy: goes('up', 'treasure') },
    });
    await expect(rollOut()).rejects.toMatchObject({ type: 'Run.Budget' });
    expect(await stored(place)).toBeUndefined();
    await place.store.runs.setControl('run-1', { ceilings: ceilingsFrom({ calls: 5 }) });
    expect(await rollOut()).toMatchObject({ success: true });
    expect(place.endpoint.requests.length).toBe(3);
  });
});

describe('a ceiling on rollouts', () => {
  it.each([
    [{ rollouts: 1 }, 'Run.Budget'],
    [{ task: { rollouts: 1 } }, 'Task.Budget'],
    [{ step: { rollouts: 1 } }, 'Step.Budget'],
  ])('of %j refuses the second branch before a call is paid (%s), and lets the first go on', async (ceilings, type) => {
    const { place, input, rollOut } = await branchPoint({
      run: { ceilings },
      models: { policy: goes('up', 'treasure', 'up', 'treasure') },
    });
    const first = await rollOut();
    const requests = place.endpoint.requests.length;
    const second = { ...input, rollout: 1 };
    for (const activity of [place.activities.rollOut, place.activities.openBranch]) {
      await expect(place.perform<BranchInput, unknown>(activity, second)).rejects.toMatchObject({
        type,
        nonRetryable: true,
      });
    }
    expect(place.endpoint.requests.length).toBe(requests);
    expect(await rollOut()).toEqual(first);
    await place.store.runs.setControl('run-1', { ceilings: ceilingsFrom({ rollouts: 2 }) });
    expect(await place.perform(place.activities.rollOut, second)).toMatchObject({ ending: 'submitted' });
  });
});

describe('a branch call by call', () => {
  it('comes to the same as one in a single activity', async () => {
    const { place, input, rollOut } = await branchPoint({ models: { policy: goes('up', 'treasure') } });
    const { activities, perform } = place;
    const stream = `${input.nodeId}/${input.candidateId}/${input.rollout}`;
    const opened = await perform(activities.openBranch, input);
    expect(opened).toMatchObject({ step: 2, stepLimit: 6, compared: 1, outcome: null });
    let { nodeId } = opened;
    let last: Awaited<ReturnType<typeof activities.environmentStep>> | undefined;
    while (!last?.done) {
      const turn = await perform(activities.callPolicy, { runId: 'run-1', nodeId, purpose: 'verify', stream });
      if (turn.kind === 'ended') throw new Error(`The policy ended by ${turn.ending}.`);
      last = await perform(activities.environmentStep, { runId: 'run-1', nodeId, answerKey: turn.answerKey });
      nodeId = last.nodeId;
    }
    const { compared } = opened;
    const outcome = { ending: 'submitted' as const, reward: last.reward, success: last.success, fault: null };
    const recorded = await perform(activities.recordBranch, { ...input, leafId: nodeId, compared, ...outcome });
    const callByCall = await stored(place);
    const asked = place.endpoint.requests.length;
    await place.store.database.kysely.deleteFrom('branches').execute();
    expect(await rollOut()).toEqual(recorded);
    expect(await stored(place)).toEqual(callByCall);
    // The same keys: nothing was paid again.
    expect(place.endpoint.requests.length).toBe(asked);
  });

  it('is over at once where the alternative ends the task', async () => {
    const { place, input } = await branchPoint({ models: { expert: () => goText('treasure') } });
    expect(await place.perform(place.activities.openBranch, input)).toMatchObject({
      outcome: { ending: 'submitted', success: true },
    });
    expect(await place.perform(place.activities.openBranch, input)).toMatchObject({ outcome: { success: true } });
  });
});
