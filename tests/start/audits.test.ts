// Layer: a real store. What Temporal says of the audit's workflow is given.
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { launchAudit, prepareAudit } from '../../src/start/audits.ts';
import type { Store } from '../../src/store/store.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

async function finishedRun(): Promise<Store> {
  const store = await temporaryStore();
  await addRun(store);
  await store.runs.finish('run-1', 'finished');
  return store;
}

function clientOf(status: string): Client {
  const describe = async () => ({ status: { name: status } });
  const start = async () => ({ result: async () => ({ state: 'finished' }) });
  return { workflow: { getHandle: () => ({ describe }), start } } as unknown as Client;
}

it('an audit with other settings than the one in progress is refused, and changes nothing', async () => {
  const store = await finishedRun();
  await launchAudit(clientOf('RUNNING'), store, await prepareAudit(store, 'run-1', { rollouts: 64 }));
  for (const request of [{ rollouts: 128 }, { rollouts: 64, sample: 5 }]) {
    await expect(
      launchAudit(clientOf('RUNNING'), store, await prepareAudit(store, 'run-1', request)),
    ).rejects.toMatchObject({ kind: 'User.Config', message: expect.stringContaining('64 rollouts') });
    expect(await store.findings.audit('run-1')).toEqual({ rollouts: 64, sample: null });
  }
  await launchAudit(clientOf('RUNNING'), store, await prepareAudit(store, 'run-1', { rollouts: 64 }));
  await launchAudit(clientOf('COMPLETED'), store, await prepareAudit(store, 'run-1', { rollouts: 128 }));
  expect(await store.findings.audit('run-1')).toEqual({ rollouts: 128, sample: null });
});

it('settings whose ceilings are refused are not recorded', async () => {
  const store = await finishedRun();
  const { config } = await store.runs.get('run-1');
  const { policy } = config.models;
  const unpriced = { ...config, models: { ...config.models, policy: { ...policy, price: null } } };
  await store.database.kysely
    .updateTable('runs')
    .set({ config: JSON.stringify(unpriced) })
    .execute();
  await expect(prepareAudit(store, 'run-1', { ceilings: { costMicroUsd: 5 } })).rejects.toMatchObject({
    kind: 'User.Config',
  });
  expect(await store.findings.audit('run-1')).toBeNull();
});
