// Layer: what becomes of a run when its command is stopped, with a store and without any worker.
import { beforeEach, describe, expect, it } from 'vitest';
import type { EndSignal } from '../../../src/cli/terminal/interrupt.ts';
import { leaveText } from '../../../src/cli/terminal/leave.ts';
import type { Run } from '../../../src/store/runs.ts';
import type { Store } from '../../../src/store/store.ts';
import type { Worker } from '../../../src/store/workers.ts';
import { ownPlace } from '../../../src/temporal/process-identity.ts';
import { addRun, temporaryStore } from '../../helpers/store.ts';

let store: Store;
let run: Run;
beforeEach(async () => {
  store = await temporaryStore();
  await addRun(store);
  run = await store.runs.get('run-1');
});

const leave = (by: EndSignal) =>
  leaveText(
    store,
    {
      name: 'Run run-1',
      environment: run.environment,
      state: async () => (await store.runs.control('run-1')).state,
      rest: () => store.runs.rest('run-1'),
      again: 'crux demo',
      halt: 'crux pause run-1',
    },
    by,
    null,
  );
const state = async () => (await store.runs.control('run-1')).state;

/** Of another machine. */
function worker(changes: Partial<Worker> = {}): Worker {
  return {
    id: '0123456789',
    host: 'elsewhere',
    roles: ['workflow', 'agent'],
    environments: [run.environment],
    endpoints: [],
    command: 'crux up',
    process: { pid: 7, startMark: 'x', space: 'another' },
    startedAt: Date.now(),
    ...changes,
  };
}

describe('a run whose command is stopped', () => {
  it('by Ctrl-C rests where no other worker lives', async () => {
    expect(await leave('SIGINT')).toBe(
      'Interrupted. Nothing is lost: Run run-1 rests: no worker continues it by itself. To continue: crux demo',
    );
    expect(await state()).toBe('resting');
  });

  it.each<[string, Partial<Worker>]>([
    ['knows another environment', { environments: ['other'] }],
    ['only runs workflows', { roles: ['workflow'] }],
    ['is that of this command', { process: ownPlace() }],
  ])('by Ctrl-C rests where the only worker %s', async (_name, changes) => {
    await store.workers.announce(worker(changes));
    await leave('SIGINT');
    expect(await state()).toBe('resting');
  });

  it('by Ctrl-C is left to a worker that lives, which is named', async () => {
    await store.workers.announce(worker());
    expect(await leave('SIGINT')).toBe(
      'Interrupted. Run run-1 goes on: worker 01234567 (crux up, process 7 on elsewhere) lives. To stop it: crux pause run-1',
    );
    expect(await state()).toBe('running');
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('by %s stays as it is', async (signal) => {
    expect(await leave(signal)).toContain(`Interrupted by ${signal}. Nothing is lost: Run run-1 goes on with the next`);
    expect(await state()).toBe('running');
  });

  it('by Ctrl-C while it is paused or over stays so', async () => {
    await store.runs.steer('run-1', 'paused');
    expect(await leave('SIGINT')).toBe('Interrupted. Run run-1 is paused.');
    await store.runs.finish('run-1', 'finished');
    expect(await leave('SIGINT')).toBe('Interrupted. Run run-1 is finished.');
  });

  it('by Ctrl-C while the store cannot be written is said not to rest', async () => {
    await store.close();
    expect(await leave('SIGINT')).toContain('could not be put to rest, so the next worker continues it');
  });
});

describe('an order', () => {
  it('to a run that is cancelled or over changes nothing', async () => {
    expect(await store.runs.steer('run-1', 'cancelled')).toBe(true);
    expect(await store.runs.steer('run-1', 'running')).toBe(false);
    await store.runs.finish('run-1', 'finished');
    expect(await store.runs.get('run-1')).toMatchObject({ state: 'cancelled', finishedAt: expect.any(Number) });
  });
});
