// Layer: runs in an environment with costly sessions, on a real Temporal server, with simulated models over HTTP and a real store.
import { join } from 'node:path';
import { afterEach, beforeAll, expect, inject, it } from 'vitest';
import { type CostlyMazes, costlyMazes } from '../helpers/costly-mazes.ts';
import { DirectLab } from '../helpers/direct-lab.ts';
import { Lab, type LabOptions, type LabRequest, type LabRun, outcomeOf, until } from '../helpers/lab.ts';

const { address } = inject('temporal');
const stage = join(import.meta.dirname, '../helpers/costly-mazes.ts');
/** With several rollouts after each action. */
const cso: LabRequest = { method: 'cso', limit: 2, preset: 'sound' };
const rro: LabRequest = { method: 'rro', limit: 2, preset: 'sound' };
/** What they come to where nobody waits for a session, by method. */
const expected: { [method: string]: string } = {};
let lab: Lab;

beforeAll(async () => {
  const direct = await DirectLab.open({ stage });
  for (const request of [cso, rro]) expected[request.method!] = await direct.outcome(request);
  await direct.close();
});
afterEach(() => lab.close());

/** A lab with one worker in the mazes. */
async function workIn(
  { environment }: CostlyMazes,
  options: Partial<LabOptions> = {},
): Promise<(request: LabRequest) => Promise<LabRun>> {
  lab = await Lab.open({ address, stage, latency: { distribution: 'uniform', meanMs: 20 }, ...options });
  await lab.work({ environments: [environment] });
  return (request) => lab.start(request);
}

const evaluation: LabRequest = { method: 'evaluate', split: 'train', limit: 50, config: { run: { window: 50 } } };

it('fifty trajectories at once with room for two sessions open one session each, and rebuild none', async () => {
  const mazes = costlyMazes({ maxSessions: 2 });
  const start = await workIn(mazes);
  const run = await start(evaluation);
  expect(await run.result()).toMatchObject({ state: 'finished', done: 50 });
  const trajectories = await lab.store.findings.trajectories(run.id);
  expect(trajectories).toHaveLength(50);
  expect(trajectories.every(({ ending, steps }) => ending === 'submitted' && steps > 3)).toBe(true);
  expect(mazes).toMatchObject({ opened: 50, open: 0, mostOpen: 2 });
});

it.each([
  ['CSO', 1, 'activity', cso],
  ['CSO', 2, 'activity', cso],
  ['CSO', 1, 'step', cso],
  ['RRO', 1, 'activity', rro],
  ['RRO', 2, 'activity', rro],
] as const)(
  '%s with room for %s, with granularity %s, comes to the same as with room for all',
  async (_name, maxSessions, granularity, request) => {
    const mazes = costlyMazes({ maxSessions });
    const start = await workIn(mazes);
    const run = await start({ ...request, granularity });
    expect(await run.result()).toMatchObject({ state: 'finished', done: request.limit });
    expect(await outcomeOf(lab.store, run.id)).toBe(expected[request.method!]);
    expect(mazes.mostOpen).toBe(maxSessions);
    // Prefixes of branches are restored.
    expect(mazes.opened).toBeGreaterThan(request.limit!);
  },
);

it('a run that is cancelled, and steps that break, give their sessions to others', async () => {
  const mazes = costlyMazes({ maxSessions: 2 }, (taskId) => ['maze-3-0', 'maze-3-1'].includes(taskId));
  const start = await workIn(mazes);
  const cancelled = await start(evaluation);
  await until('some steps are taken', async () => (await lab.countAnswers(cancelled.id)) >= 10);
  await cancelled.cancel();
  expect(await cancelled.result()).toMatchObject({ state: 'cancelled' });
  const next = await start({ ...evaluation, limit: 8 });
  expect(await next.result()).toMatchObject({ state: 'finished', done: 8 });
  const endings = (await lab.store.findings.trajectories(next.id)).map(({ ending }) => ending);
  expect(endings.filter((ending) => ending === 'environment-fault')).toHaveLength(2);
  expect(endings.filter((ending) => ending === 'submitted')).toHaveLength(6);
  expect(mazes.mostOpen).toBe(2);
});

it('a slot that gives way again and again plays what has a session to its end, and rebuilds none', async () => {
  const mazes = costlyMazes({ maxSessions: 2 });
  const start = await workIn(mazes, { yieldAfterMs: 0 });
  const run = await start({ ...evaluation, limit: 12, limits: { settleEveryMs: 20 } });
  expect(await run.result()).toMatchObject({ state: 'finished', done: 12 });
  expect(mazes).toMatchObject({ opened: 12, open: 0, mostOpen: 2 });
  const { events } = await run.handle.fetchHistory();
  const played = (events ?? []).filter(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === 'playTasks',
  );
  expect(played.length).toBeGreaterThan(2);
});
