import { randomUUID } from 'node:crypto';
import { Client, type Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, inject } from 'vitest';
import { connectionTo } from './connection.ts';

export type TemporalForTests = {
  address: string;
  namespace: string;
  connection: Connection;
  nativeConnection: NativeConnection;
  client: Client;
  /** A name that no other test of this or an earlier run has: for task queues, workflow ids and runs. */
  uniqueName: (prefix: string) => string;
};

/**
 * The test run's shared Temporal server, for a test file or a `describe`. Call it outside of tests; read the result's fields inside of
 * them. Only for files of the vitest project "temporal".
 */
export function withTemporal(): TemporalForTests {
  const { address, namespace } = inject('temporal');
  const uniqueName = (prefix: string) => `${prefix}-${randomUUID().slice(0, 8)}`;
  const temporal = { address, namespace, uniqueName } as TemporalForTests;
  beforeAll(async () => {
    temporal.connection = await connectionTo(address);
    temporal.nativeConnection = await NativeConnection.connect({ address, grpcCompression: { codec: 'none' } });
    temporal.client = new Client({ connection: temporal.connection, namespace });
  });
  afterAll(async () => {
    await temporal.nativeConnection?.close();
    await temporal.connection?.close();
  });
  return temporal;
}
