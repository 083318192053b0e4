// Layer: against a real Temporal server, shared by the test run.
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { expect, test, vi } from 'vitest';
import { CruxError } from '../../src/errors.ts';
import { type ConnectTemporalOptions, connectTemporal } from '../../src/temporal/connection.ts';
import { prepareNamespace } from '../../src/temporal/prepare-namespace.ts';
import { searchAttributeKeys } from '../../src/workflows/search-attributes.ts';
import { withTemporal } from '../helpers/temporal-server.ts';

const temporal = withTemporal();
const quiet: ConnectTemporalOptions = { home: '/no/such/home', report: () => {}, embedded: 'join' };

test('TEMPORAL_ADDRESS wins over the embedded server', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
  const connected = await connectTemporal(quiet);
  expect(connected).toMatchObject({
    address: temporal.address,
    namespace: 'default',
    source: 'configured',
    uiAddress: null,
  });
  await connected.close();
  await connected.close();
});

test('one native connection is made, and only when asked for', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
  const connected = await connectTemporal(quiet);
  expect(await connected.nativeConnection()).toBe(await connected.nativeConnection());
  await connected.close();
});

test('a missing namespace and the search attributes are created, for two callers at once', async () => {
  const namespace = temporal.uniqueName('team');
  vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
  vi.stubEnv('TEMPORAL_NAMESPACE', namespace);
  const both = await Promise.all([connectTemporal(quiet), connectTemporal(quiet)]);
  const { connection } = both[0];
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(7 * 24 * 3600);
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  expect(Object.keys(customAttributes ?? {}).sort()).toEqual(searchAttributeKeys.map(({ name }) => name).sort());
  for (const connected of both) await connected.close();
});

test('a search attribute of another type is named in the error', async () => {
  const namespace = temporal.uniqueName('foreign');
  const { workflowService, operatorService } = temporal.connection;
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
  await vi.waitFor(
    () => operatorService.addSearchAttributes({ namespace, searchAttributes: { CruxStep: 2 } }),
    120_000,
  );
  vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
  vi.stubEnv('TEMPORAL_NAMESPACE', namespace);
  await expect(connectTemporal(quiet)).rejects.toThrow(/CruxStep should be INT/);
});

test('the embedded server keeps closed workflows for seven days', async () => {
  const { config } = await temporal.connection.workflowService.describeNamespace({ namespace: 'default' });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(7 * 24 * 3600);
});

test('joining without a server says how to start one', async () => {
  const error = await connectTemporal(quiet).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CruxError);
  expect(error).toMatchObject({ kind: 'Temporal.Unavailable', remedy: expect.stringContaining('crux up') });
});

test('an unreachable server is named with its address and a remedy', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
  const error = await connectTemporal({ ...quiet, connectTimeoutMs: 500 }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    kind: 'Temporal.Unavailable',
    message: expect.stringContaining('127.0.0.1:1'),
    remedy: expect.stringContaining('TEMPORAL_ADDRESS'),
  });
});

test('an unknown profile is a fault of configuration', async () => {
  vi.stubEnv('TEMPORAL_PROFILE', 'no-such-profile');
  await expect(connectTemporal(quiet)).rejects.toMatchObject({ kind: 'User.Config' });
});

/** The shared server as it looks to someone who may not use its operator's services. */
function withoutOperatorRights(): Connection {
  const denied = () => Promise.reject(Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7 }));
  const { workflowService } = temporal.connection;
  return {
    workflowService,
    operatorService: { listSearchAttributes: denied, addSearchAttributes: denied },
  } as unknown as Connection;
}

test('without operator rights, a namespace that somebody has prepared is fine', async () => {
  await prepareNamespace(withoutOperatorRights(), 'default', { report: () => {}, embedded: false });
});

test('without operator rights, missing search attributes are named with the command that adds them', async () => {
  const namespace = temporal.uniqueName('bare');
  await temporal.connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  await vi.waitFor(() => temporal.connection.workflowService.countWorkflowExecutions({ namespace }), 120_000);
  await expect(
    prepareNamespace(withoutOperatorRights(), namespace, { report: () => {}, embedded: false }),
  ).rejects.toMatchObject({
    kind: 'Temporal.Unavailable',
    remedy: expect.stringMatching(/search-attribute create .*--name CruxReward --type DOUBLE/),
  });
});
