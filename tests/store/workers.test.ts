// Layer: the store on both engines.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import type { Worker } from '../../src/store/workers.ts';
import { identifyProcess, ownPlace } from '../../src/temporal/process-identity.ts';
import { describeEngines } from '../helpers/store.ts';

const worker: Worker = {
  id: 'w1',
  host: 'here',
  roles: ['agent'],
  environments: ['doors'],
  endpoints: ['models'],
  command: 'crux up',
  process: ownPlace(),
  startedAt: 5_000_000_000_000,
};

describeEngines('workers', (engine) => {
  it('are listed while they are there, with their process and since when, and not when they left', async () => {
    const store = await engine.open();
    await store.workers.announce(worker);
    await store.workers.announce({ ...worker, environments: ['doors', 'sql'] });
    expect(await store.workers.living()).toEqual([{ ...worker, environments: ['doors', 'sql'] }]);
    await store.workers.dismiss('w1');
    expect(await store.workers.living()).toEqual([]);
  });

  it('of earlier versions are listed too', async () => {
    const store = await engine.open();
    const old: Worker = { ...worker, command: null, process: null, startedAt: null };
    await store.workers.announce(old);
    expect(await store.workers.living()).toEqual([old]);
  });

  it('that were killed are dead at once, where their process would be seen', async () => {
    const store = await engine.open();
    const child = spawn('sleep', ['60']);
    const place = { ...identifyProcess(child.pid!)!, space: worker.process!.space };
    await store.workers.announce({ ...worker, process: place });
    await store.workers.announce({ ...worker, id: 'w2', process: { ...place, space: 'another machine' } });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await store.workers.living()).map(({ id }) => id)).toEqual(['w2']);
  });

  it.each(['before', 'after'])('that were last seen long %s now are dead', async (when) => {
    const store = await engine.open();
    await store.workers.announce({ ...worker, process: null });
    const seen = Date.now() + (when === 'before' ? -70_000 : 3_600_000);
    await store.database.kysely.updateTable('workers').set({ seen_at: seen }).execute();
    expect(await store.workers.living()).toEqual([]);
  });
});
