// Layer: activities in MockActivityEnvironment against scripted models over HTTP: when they hand their work over, and when they wait for a session.
import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/environments/contract.ts';
import { type DoorsOptions, go, goText } from './doors.ts';
import { type Workplace, type WorkplaceOptions, workplace } from './workplace.ts';

/** A policy that finds the treasure with its third step. */
const policy = (_room: string, number: number) => goText(['left', 'right', 'treasure'][number] ?? 'on');

const doorsWith = (capabilities: Partial<Capabilities>, options: DoorsOptions = {}): WorkplaceOptions => ({
  doors: { capabilities, ...options },
});

function explore({ activities, perform }: Workplace, position = 0) {
  return perform(activities.openTask, { runId: 'run-1', position, explore: true });
}

describe('an activity that has played out for long', () => {
  it('hands its work over at each boundary, a new step further each time', async () => {
    const place = await workplace({ models: { policy }, yieldAfterMs: 0 });
    for (const stepped of [1, 2]) {
      await expect(explore(place)).rejects.toMatchObject({
        ...{ type: 'Worker.HandedOver', nonRetryable: false, category: 'BENIGN', nextRetryDelay: '100ms' },
      });
      expect(place.seen.stepped).toBe(stepped);
    }
    expect((await explore(place)).explored).toMatchObject({ trajectory: { success: true, steps: 3 } });
    expect(place.seen).toMatchObject({ opened: 1, stepped: 3 });
    expect(place.asked('test-model')).toHaveLength(3);
  });

  it('does so with a script too', async () => {
    const script = async () =>
      ['left', 'right', 'treasure'].map((door) => ({ thought: `I take ${door}.`, action: go(door) }));
    const place = await workplace({
      ...doorsWith({}, { script }),
      // An option of the methods that imitate.
      options: { experts: 'scripted' } as WorkplaceOptions['options'] & { experts: string },
      yieldAfterMs: 0,
    });
    const demonstrate = () => place.perform(place.activities.demonstrate, { runId: 'run-1', position: 0 });
    for (const stepped of [1, 2]) {
      await expect(demonstrate()).rejects.toMatchObject({ type: 'Worker.HandedOver', category: 'BENIGN' });
      expect(place.seen.stepped).toBe(stepped);
    }
    expect(await demonstrate()).toMatchObject({ success: true, steps: 3 });
    expect(place.seen.stepped).toBe(3);
  });

  it.each([
    ['costly', { sessions: 'costly' }],
    ['gone for good when they are closed', { replay: 'never', branchable: false }],
  ] as const)('goes on to the end if sessions are %s', async (_what, capabilities) => {
    const place = await workplace({ models: { policy }, ...doorsWith(capabilities), yieldAfterMs: 0 });
    expect((await explore(place)).explored).toMatchObject({ trajectory: { success: true, steps: 3 } });
  });
});

describe('an activity that waits for a costly session', () => {
  it('leaves the work to another worker when its own stops', async () => {
    const place = await workplace({ models: { policy }, ...doorsWith({ sessions: 'costly', maxSessions: 1 }) });
    const { context, stopping, seen } = place;
    const told = Promise.withResolvers<void>();
    const other = context.sessions.hold(seen.environment, new AbortController().signal, () => told.promise);
    const waiting = explore(place);
    await expect.poll(() => context.sessions.waiting.get('doors')).toBe(1);
    stopping.abort();
    await expect(waiting).rejects.toMatchObject({ type: 'Worker.Stopping', nonRetryable: false, category: 'BENIGN' });
    told.resolve();
    await other;
    expect(place.asked('test-model')).toEqual([]);
  });

  it('leaves it to any worker when nothing more is to begin here, although work that has a session goes on', async () => {
    const asked = Promise.withResolvers<void>();
    const told = Promise.withResolvers<void>();
    const place = await workplace({
      models: {
        policy: (room, number) => {
          asked.resolve();
          return { content: policy(room, number), ...(number === 0 && { after: told.promise }) };
        },
      },
      ...doorsWith({ sessions: 'costly', maxSessions: 1 }),
      run: { taskIds: ['task-1', 'task-2'] },
    });
    const closing = new AbortController();
    place.context.closing = closing.signal;
    const playing = explore(place);
    await asked.promise;
    const waiting = explore(place, 1);
    await expect.poll(() => place.context.sessions.waiting.get('doors')).toBe(1);
    closing.abort();
    await expect(waiting).rejects.toMatchObject({ type: 'Worker.HandedOver', category: 'BENIGN' });
    told.resolve();
    expect((await playing).explored).toMatchObject({ trajectory: { success: true } });
  });

  it('has the session that gave the opening to its end', async () => {
    let opened = 0;
    const open: DoorsOptions['open'] = async () => {
      const way: string[] = [];
      opened++;
      return {
        opening: [{ role: 'user', content: 'Three doors.' }],
        step: async () => {
          way.push('door');
          const done = way.length === 3;
          return { observation: `Door ${way.length}.`, done, ...(done && { reward: 1 }) };
        },
      };
    };
    const place = await workplace({
      models: { policy: () => goText('on') },
      ...doorsWith({ sessions: 'costly', maxSessions: 1 }, { open, briefing: undefined as never }),
      run: { taskIds: ['task-1', 'task-2'] },
    });
    const explored = await Promise.all([0, 1].map((position) => explore(place, position)));
    expect(explored.map(({ explored: made }) => made?.trajectory.steps)).toEqual([3, 3]);
    expect(opened).toBe(2);
    expect(place.context.sessions.rebuilt).toBe(0);
  });
});
