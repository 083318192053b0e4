import { Connection } from '@temporalio/client';
import { retries } from '../../src/temporal/retries.ts';

/** A client's connection, as Crux opens its own: a call that is not over when a test is fails, and throws nothing later. */
export function connectionTo(address: string): Promise<Connection> {
  return Connection.connect({ address, interceptors: retries() });
}
