// Layer: the client's connection against a server over real HTTP/2 that refuses every call.
import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Connection } from '@temporalio/client';
import { expect, it, onTestFinished } from 'vitest';
import { retries } from '../../src/temporal/retries.ts';

const unavailable = '14';
const headers = { ':status': 200, 'content-type': 'application/grpc' };

/** Answers the client's greeting. Any other call is unavailable. @returns what resolves with the next such call */
async function refusingServer() {
  let refused: () => void = () => {};
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, { ':path': path }) => {
    if (!path?.endsWith('/GetSystemInfo')) {
      stream.respond({ ...headers, 'grpc-status': unavailable, 'grpc-message': 'away' }, { endStream: true });
      refused();
      return;
    }
    stream.respond(headers, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    // An empty message: not compressed, of length 0.
    stream.end(Buffer.alloc(5));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    nextRefusal: () => new Promise<void>((resolve) => (refused = resolve)),
  };
}

it('a call that waits to be tried again fails when its connection is closed, and nothing is thrown', async () => {
  const { address, nextRefusal } = await refusingServer();
  const connection = await Connection.connect({ address, interceptors: retries() });
  const refusal = nextRefusal();
  const call = connection.workflowService.describeNamespace({ namespace: 'default' });
  const outcome = call.then(
    () => null,
    (error: Error) => error,
  );
  await refusal;
  await connection.close();
  expect(String(await outcome)).toMatch(/shut down|CANCELLED/);
});

it('a call is tried again while its connection is open', async () => {
  const { address, nextRefusal } = await refusingServer();
  const connection = await Connection.connect({ address, interceptors: retries() });
  const first = nextRefusal();
  const outcome = connection.workflowService.describeNamespace({ namespace: 'default' }).catch(() => {});
  await first;
  await nextRefusal();
  await connection.close();
  await outcome;
});
