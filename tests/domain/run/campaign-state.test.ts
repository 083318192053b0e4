// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { CampaignState } from '../../../src/domain/run/campaign-state.ts';
import type { CampaignCursor, NextTask } from '../../../src/domain/wire/campaign.ts';
import type { StopReason, TrajectoryResult } from '../../../src/domain/wire/trajectory.ts';

const task = (position: number): NextTask => ({
  position,
  workflowId: `run/${position}`,
  title: '',
  taskId: `${position}`,
});
const none = { total: 0, done: 0, endings: {}, criticalSteps: 0, branches: 0, pairs: 0 };

/** Each found a critical step, two branches and a pair. */
const result = (position: number, stoppedBy: StopReason | null = null): TrajectoryResult => ({
  position,
  taskId: `${position}`,
  ending: stoppedBy === 'budget' ? 'budget' : 'submitted',
  success: stoppedBy === 'budget' ? null : false,
  reward: 0,
  steps: 3,
  criticalSteps: 1,
  branches: 2,
  pairs: 1,
  stoppedBy,
  fault: null,
});

/** Asks for as many tasks as there is room for, of a run of `total` whose `done` ones are left out. @returns the positions that start */
function fill(run: CampaignState, total: number, done: readonly number[] = []): number[] {
  const started: number[] = [];
  while (run.room > 0) {
    const { nextPosition: from, room } = run;
    const positions = Array.from({ length: total }, (_, position) => position).slice(from);
    const waiting = positions.filter((position) => !done.includes(position)).slice(0, room);
    const next = waiting.length > 0 ? waiting.at(-1)! + 1 : Math.max(from, total);
    started.push(...run.take(from, { tasks: waiting.map(task), next })!.map(({ position }) => position));
  }
  return started;
}

function begun(window: number, total: number): CampaignState {
  const run = new CampaignState(window);
  run.open({ counts: { ...none, total }, state: 'running' });
  return run;
}

const positions = ({ inFlight }: CampaignState) => inFlight.map(({ position }) => position);

describe('the window', () => {
  it('starts as many tasks as it is wide, and one more for each that is over', () => {
    const run = begun(2, 4);
    expect(fill(run, 4)).toEqual([0, 1]);
    expect(run.room).toBe(0);
    expect(run.settle(result(0))).toBe(true);
    expect(fill(run, 4)).toEqual([2]);
    expect(positions(run)).toEqual([1, 2]);
  });

  it('is over when all tasks were looked through and the last result is there', () => {
    const run = begun(3, 2);
    expect(run.isOver).toBe(false);
    expect(fill(run, 2)).toEqual([0, 1]);
    run.settle(result(1));
    expect(run.isOver).toBe(false);
    run.settle(result(0));
    expect(run.isOver).toBe(true);
    expect(run.closingState).toBe('finished');
  });

  it('of a run without tasks is over at once', () => {
    const run = begun(2, 0);
    expect(fill(run, 0)).toEqual([]);
    expect(run.isOver).toBe(true);
  });

  it('counts a result once, however often it comes', () => {
    const run = begun(1, 1);
    fill(run, 1);
    run.settle(result(0));
    expect(run.settle(result(0))).toBe(false);
    expect(run.found).toEqual({
      total: 1,
      done: 1,
      endings: { submitted: 1 },
      criticalSteps: 1,
      branches: 2,
      pairs: 1,
    });
  });
});

describe('counts', () => {
  it('go on from what the store had', () => {
    const run = new CampaignState(1);
    const counts = { total: 2, done: 1, endings: { success: 1 }, criticalSteps: 0, branches: 0, pairs: 0, examples: 2 };
    run.open({ counts, state: 'running' });
    fill(run, 2, [0]);
    run.settle({ ...result(1), success: true, examples: 1 });
    const found = { done: 2, endings: { success: 2 }, criticalSteps: 1, branches: 2, pairs: 1, examples: 3 };
    expect(run.progress).toEqual({ total: 2, ...found, state: 'running', inFlight: 0 });
  });

  it('have what a task found that a ceiling cut short, without counting it as done', () => {
    const run = begun(2, 2);
    fill(run, 2);
    run.settle(result(0, 'budget'));
    run.settle(result(1));
    const endings = { submitted: 1, budget: 1 };
    expect(run.found).toEqual({ total: 2, done: 1, endings, criticalSteps: 2, branches: 4, pairs: 2 });
  });

  it('count a task that reached a ceiling of its own as done', () => {
    const run = begun(1, 1);
    fill(run, 1);
    run.settle(result(0, 'task-budget'));
    expect(run).toMatchObject({ state: 'running', found: { done: 1 }, closingState: 'finished' });
  });

  it('are those of the store in the end, and its state', () => {
    const run = begun(1, 1);
    fill(run, 1);
    run.settle(result(0));
    const stored = { ...none, total: 1, done: 1, pairs: 7 };
    expect(run.close('finished', { ...stored, state: 'cancelled' })).toEqual({ ...stored, state: 'cancelled' });
  });

  it('are its own in the end where an earlier release gave none', () => {
    const run = begun(1, 1);
    fill(run, 1);
    run.settle(result(0));
    expect(run.close('finished', undefined)).toEqual({ ...run.found, state: 'finished' });
  });
});

describe('a pause', () => {
  it('starts no more; what is in flight goes on, and the rest when it is over', () => {
    const run = begun(2, 4);
    fill(run, 4);
    run.control('paused');
    run.settle(result(0));
    expect(run).toMatchObject({ room: 0, isOver: false });
    run.settle(result(1));
    expect(run.isOver).toBe(false);
    run.control('running');
    expect(fill(run, 4)).toEqual([2, 3]);
  });

  it('that comes while tasks are asked for leaves the answer alone', () => {
    const run = begun(2, 4);
    const { nextPosition: from } = run;
    run.control('paused');
    expect(run.take(from, { tasks: [task(0), task(1)], next: 2 })).toBeNull();
    expect(run).toMatchObject({ inFlight: [], nextPosition: 0 });
  });
});

describe('a cancellation', () => {
  it('ends the run when what is in flight is over, whatever was left', () => {
    const run = begun(1, 4);
    fill(run, 4);
    run.control('cancelled');
    expect(run).toMatchObject({ room: 0, isOver: false });
    run.settle(result(0, 'cancelled'));
    expect(run).toMatchObject({ isOver: true, closingState: 'cancelled' });
  });
});

describe('a ceiling', () => {
  it('that a task reached ends the run, once the others in flight are over', () => {
    const run = begun(2, 4);
    fill(run, 4);
    run.settle(result(0, 'budget'));
    expect(run).toMatchObject({ state: 'budget', room: 0, isOver: false });
    run.settle(result(1));
    expect(run).toMatchObject({ isOver: true, closingState: 'budget' });
  });

  it('that was raised wakes the run, which looks through its tasks again', () => {
    const run = begun(2, 3);
    fill(run, 3);
    run.settle(result(0, 'budget'));
    run.retune(run.retunedState);
    expect(run).toMatchObject({ state: 'running', nextPosition: 0, found: { branches: 0 } });
    // Task 1 is still in flight: it is not started twice.
    expect(fill(run, 3)).toEqual([0]);
    expect(positions(run)).toEqual([1, 0]);
  });

  it('that was raised while a task ran into the old one starts that task again', () => {
    const run = begun(2, 2);
    fill(run, 2);
    run.retune(run.retunedState);
    run.settle(result(0, 'budget'));
    expect(run).toMatchObject({ state: 'running', found: { done: 0, branches: 0 } });
    expect(fill(run, 2)).toEqual([0]);
    // The new one: now it is the run that is out of budget.
    run.settle(result(0, 'budget'));
    expect(run.state).toBe('budget');
  });

  it('that was raised does not wake a run that was paused', () => {
    const run = begun(2, 2);
    run.control('paused');
    run.retune(run.retunedState);
    expect(run).toMatchObject({ state: 'paused', room: 0 });
  });

  it('that was raised while tasks are asked for makes the answer out of date', () => {
    const run = begun(1, 3);
    fill(run, 3);
    run.settle(result(0));
    const { nextPosition: from } = run;
    run.retune(run.retunedState);
    expect(run.take(from, { tasks: [task(1)], next: 2 })).toBeNull();
    expect(fill(run, 3, [0])).toEqual([1]);
  });

  it('that cut tasks short is forgotten when the run is taken up again by hand', () => {
    const run = begun(1, 2);
    fill(run, 2);
    run.settle(result(0, 'budget'));
    run.control('running');
    expect(fill(run, 2)).toEqual([0]);
  });
});

describe('a block', () => {
  it('is shown, and starts tasks all the same: it is their calls that wait', () => {
    const run = begun(2, 2);
    run.showBlock('No such key.');
    expect(run).toMatchObject({ block: 'No such key.', state: 'running', progress: { state: 'blocked' } });
    expect(fill(run, 2)).toEqual([0, 1]);
  });

  it('that is over lets tasks start again that a fault had ended', () => {
    const run = begun(1, 1);
    fill(run, 1);
    run.showBlock('No such key.');
    run.settle(result(0, 'fault'));
    expect(fill(run, 1, [0])).toEqual([]);
    run.showBlock(null);
    expect(run.progress.state).toBe('running');
    expect(fill(run, 1)).toEqual([0]);
  });
});

describe('a cursor', () => {
  it('holds what another campaign goes on from', () => {
    const run = begun(2, 5);
    fill(run, 5);
    run.settle(result(0));
    fill(run, 5);
    run.retune('running');
    run.showBlock('No such key.');
    const cursor: CampaignCursor = {
      nextPosition: 0,
      inFlight: [
        { position: 1, workflowId: 'run/1' },
        { position: 2, workflowId: 'run/2' },
      ],
      counts: { total: 5, done: 1, endings: { submitted: 1 }, criticalSteps: 1, branches: 2, pairs: 1 },
      cutShort: none,
      state: 'running',
      sinceRetune: [1, 2],
      block: 'No such key.',
    };
    expect(run.cursor).toEqual(cursor);
    const next = new CampaignState(2, JSON.parse(JSON.stringify(cursor)) as CampaignCursor);
    expect(next.cursor).toEqual(cursor);
    expect(next.progress).toEqual(run.progress);
    // It still knows which tasks may have met the old ceilings.
    next.settle(result(1, 'budget'));
    expect(next).toMatchObject({ state: 'running', room: 1 });
  });

  it('of a run that met a ceiling has what was cut short, and nothing that does not apply', () => {
    const run = begun(1, 2);
    fill(run, 2);
    run.settle(result(0, 'budget'));
    const { cursor } = run;
    expect(cursor).not.toHaveProperty('sinceRetune');
    expect(cursor).not.toHaveProperty('block');
    const next = new CampaignState(1, cursor);
    expect(next).toMatchObject({ state: 'budget', isOver: true, closingState: 'budget', found: run.found });
  });
});

describe('slots', () => {
  const inSlots = (window = 3, total = 9): CampaignState => {
    const run = new CampaignState(window);
    run.open({ counts: { ...none, total }, state: 'running', inSlots: true });
    return run;
  };
  const nothing = { left: 'nothing', cutShort: none } as const;
  const more = { left: 'more', cutShort: none } as const;
  const budget = { left: 'budget', cutShort: { ...none, done: 1, endings: { budget: 1 }, branches: 2 } } as const;
  const putToWork = (run: CampaignState) => {
    const { idleSlots } = run;
    for (const slot of idleSlots) run.startSlot(slot);
    return idleSlots;
  };

  it('are put to work once, and again when one comes back with more to do', () => {
    const run = inSlots();
    expect(putToWork(run)).toEqual([0, 1, 2]);
    expect(putToWork(run)).toEqual([]);
    run.endSlot(1, more);
    expect(putToWork(run)).toEqual([1]);
  });

  it('are over when none found more to take; one that gave way meanwhile is put to work again', () => {
    const run = inSlots();
    putToWork(run);
    run.endSlot(0, nothing);
    run.endSlot(1, more);
    run.endSlot(2, nothing);
    expect(run.isOver).toBe(false);
    expect(putToWork(run)).toEqual([1]);
    run.endSlot(1, nothing);
    expect(run.isOver).toBe(true);
    expect(run.closingState).toBe('finished');
  });

  it('show what the store says: tasks in flight, not slots', () => {
    const run = inSlots();
    putToWork(run);
    run.takeStock({ ...none, total: 9, done: 4, endings: { success: 4 } }, 5);
    expect(run.progress).toMatchObject({ state: 'running', total: 9, done: 4, inFlight: 5 });
  });

  it('end a run that is out of budget when all have come back, and go on under new ceilings', () => {
    const run = inSlots();
    putToWork(run);
    run.endSlot(0, budget);
    expect(run.state).toBe('budget');
    expect(putToWork(run)).toEqual([]);
    run.endSlot(1, budget);
    run.endSlot(2, nothing);
    expect(run.isOver).toBe(true);
    expect(run.closingState).toBe('budget');
    expect(run.progress).toMatchObject({ branches: 4, endings: { budget: 2 } });
    run.retune(run.retunedState);
    expect(run.progress).toMatchObject({ branches: 0, endings: {} });
    expect(putToWork(run)).toEqual([0, 1, 2]);
  });

  it('begin again if they met the old ceilings after these were changed', () => {
    const run = inSlots();
    putToWork(run);
    run.retune(run.retunedState);
    run.endSlot(2, budget);
    expect(run.state).toBe('running');
    expect(putToWork(run)).toEqual([2]);
  });

  it('are not put to work while the run is paused, and are none the less not over', () => {
    const run = inSlots();
    putToWork(run);
    run.control('paused');
    run.endSlot(0, more);
    expect(run.idleSlots).toEqual([]);
    run.endSlot(1, more);
    run.endSlot(2, more);
    expect(run.isOver).toBe(false);
    run.control('running');
    expect(putToWork(run)).toEqual([0, 1, 2]);
  });

  it('are known to the campaign that continues', () => {
    const run = new CampaignState(3, inSlots().cursor);
    expect(run.isInSlots).toBe(true);
    expect(run.idleSlots).toEqual([0, 1, 2]);
    expect(new CampaignState(3, begun(3, 9).cursor).isInSlots).toBe(false);
  });
});
