// Layer: activities, with a real store. What a task comes to is scripted.
import { ApplicationFailure } from '@temporalio/activity';
import { expect, it } from 'vitest';
import { Slot, type SlotContext } from '../../../src/activities/slots/slot.ts';
import type { LoseTaskInput, SlotResult } from '../../../src/domain/wire/campaign.ts';
import type { TrajectoryResult } from '../../../src/domain/wire/trajectory.ts';
import { CruxError } from '../../../src/errors.ts';
import type { RunTask } from '../../../src/store/runs.ts';
import type { Store } from '../../../src/store/store.ts';
import { addRun, taskResult, temporaryStore } from '../../helpers/store.ts';
import { quietEnvironment } from '../workplace.ts';

const taskIds = ['task-0', 'task-1', 'task-2', 'task-3'];

type Setting = {
  store: Store;
  slot: Slot;
  lost: LoseTaskInput[];
  /** How long it waited, each time. */
  pauses: number[];
  work(): ReturnType<Slot['work']>;
};

/** A slot of two places, in which a task comes to what `play` says of its position and its attempt, from 1. */
async function slotOf(
  play: (position: number, attempt: number) => Promise<TrajectoryResult> | TrajectoryResult,
  more: Partial<SlotContext> & { store?: Store; places?: number } = {},
): Promise<Setting> {
  const store = more.store ?? (await temporaryStore());
  if (!more.store) await addRun(store, { taskIds });
  const attempts = new Map<number, number>();
  const [lost, pauses] = [[] as LoseTaskInput[], [] as number[]];
  const never = new AbortController().signal;
  const slot = new Slot(
    { runId: 'run-1', slot: 0, places: more.places ?? 2, slots: 1 },
    {
      runs: store.runs,
      play: async ({ position }: RunTask) => {
        attempts.set(position, (attempts.get(position) ?? 0) + 1);
        return play(position, attempts.get(position)!);
      },
      lose: async (input) => {
        lost.push(input);
        const result = taskResult({
          position: input.position,
          ending: input.ending,
          success: null,
          stoppedBy: 'fault',
        });
        await store.runs.finishTask('run-1', input.position, result);
        return result;
      },
      isCancelled: () => false,
      closing: never,
      yielding: never,
      pause: async (ms) => void pauses.push(ms),
      ...more,
    },
  );
  const work = () => quietEnvironment().run(() => slot.work()) as Promise<SlotResult>;
  return { store, slot, lost, pauses, work };
}

const waiting = async (store: Store) => {
  const rows = await store.runs.tasks('run-1');
  return rows.filter(({ state }) => state === 'waiting').map(({ position }) => position);
};
const paused = () => new CruxError('Run.Paused', 'Run run-1 is paused.', { retryAfterMs: 70 });

it('plays all tasks, and stores the result of each', async () => {
  const { store, work } = await slotOf((position) => taskResult({ position }));
  expect(await work()).toMatchObject({ left: 'nothing', cutShort: { done: 0 } });
  expect(await waiting(store)).toEqual([]);
  expect((await store.runs.tasks('run-1')).map(({ result }) => result?.position)).toEqual([0, 1, 2, 3]);
});

it('plays each task once that a forgotten attempt took under its number, however many places find them', async () => {
  const played: number[] = [];
  const store = await temporaryStore();
  await addRun(store, { taskIds });
  await store.runs.steer('run-1', 'paused');
  let taken: Promise<void> | null = null;
  const takeAll = async () => {
    for (const _ of taskIds) await store.runs.takeTask('run-1', 0, 0);
    await store.runs.steer('run-1', 'running');
  };
  const { work } = await slotOf(
    (position) => {
      played.push(position);
      return taskResult({ position });
    },
    {
      store,
      places: 4,
      pause: () => {
        taken ??= takeAll();
        return taken;
      },
    },
  );
  await work();
  expect(played.toSorted()).toEqual([0, 1, 2, 3]);
});

it('plays a task again that must wait, as soon as the fault says, while its siblings end', async () => {
  const order: number[] = [];
  const { pauses, lost, work } = await slotOf((position, attempt) => {
    if (position === 0 && attempt < 4) throw paused();
    order.push(position);
    return taskResult({ position });
  });
  expect((await work()).left).toBe('nothing');
  expect(pauses).toEqual([70, 70, 70]);
  expect(lost).toEqual([]);
  expect(order.toSorted()).toEqual([0, 1, 2, 3]);
});

it('gives a task up after ten defects, with longer and longer pauses, and no other; what is no defect does not count', async () => {
  const { pauses, lost, work } = await slotOf((position, attempt) => {
    if (position !== 1) return taskResult({ position });
    throw attempt % 2 === 0 ? paused() : new Error('broken');
  });
  expect((await work()).left).toBe('nothing');
  expect(lost).toEqual([{ runId: 'run-1', position: 1, ending: 'cancelled', fault: 'Defect: broken' }]);
  const own = pauses.filter((ms) => ms !== 70);
  expect(own).toHaveLength(9);
  expect(own.slice(0, 3)).toEqual([500, 1_000, 2_000]);
  expect(Math.max(...own)).toBe(30_000);
});

it('gives a task up at a fault that would come again, with its words', async () => {
  const { lost, pauses, work } = await slotOf((position) => {
    if (position === 2) throw new CruxError('Environment.Fault', 'no host', { remedy: 'Start it.' });
    return taskResult({ position });
  });
  await work();
  expect(pauses).toEqual([]);
  expect(lost).toEqual([
    { runId: 'run-1', position: 2, ending: 'environment-fault', fault: 'Environment.Fault: no host Start it.' },
  ]);
});

it('takes no more when the budget is spent, and says what was found until then', async () => {
  const { store, work } = await slotOf(
    (position) =>
      taskResult({
        position,
        branches: 3,
        ...(position === 1 && { stoppedBy: 'budget', ending: 'budget', success: null }),
      }),
    { places: 1 },
  );
  expect(await work()).toEqual({
    left: 'budget',
    cutShort: { total: 0, done: 1, endings: { budget: 1 }, criticalSteps: 0, branches: 3, pairs: 0 },
  });
  expect(await waiting(store)).toEqual([1, 2, 3]);
});

it('keeps the tasks that it gave way with, and another attempt begins with them', async () => {
  const yielding = new AbortController();
  const first = await slotOf(
    (position) => {
      if (position === 0) return taskResult({ position });
      yielding.abort();
      throw ApplicationFailure.retryable('give way');
    },
    { yielding: yielding.signal, closing: yielding.signal },
  );
  expect((await first.work()).left).toBe('more');
  expect((await first.store.runs.takenTasks('run-1', 0)).map(({ position }) => position)).toContain(1);
  const order: number[] = [];
  const next = await slotOf(
    (position) => {
      order.push(position);
      return taskResult({ position });
    },
    { store: first.store, places: 1 },
  );
  expect((await next.work()).left).toBe('nothing');
  expect(order).toEqual([1, 2, 3]);
});

it('takes nothing of a cancelled run, and waits while it is paused', async () => {
  const store = await temporaryStore();
  await addRun(store, { taskIds });
  await store.runs.setControl('run-1', { state: 'paused' });
  let looks = 0;
  const { work } = await slotOf((position) => taskResult({ position }), {
    store,
    places: 1,
    pause: async () => {
      if (++looks === 3) await store.runs.setControl('run-1', { state: 'cancelled' });
    },
  });
  expect((await work()).left).toBe('nothing');
  expect(looks).toBe(3);
  expect(await waiting(store)).toEqual([0, 1, 2, 3]);
});
