import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Gate = {
  url: string;
  /** Lets so many more requests through. @returns resolves when it holds the next one */
  closeAfter: (requests: number) => Promise<void>;
  /** Lets all through, also those that it holds. */
  open: () => void;
  close: () => void;
};

/** Stands before model endpoints and stops runs between two requests, however fast the machine is. Open at first. */
export async function startGate(behind: string): Promise<Gate> {
  let left = Number.POSITIVE_INFINITY;
  let opened = Promise.withResolvers<void>();
  let holding = Promise.withResolvers<void>();

  const server = createServer(async (request, response) => {
    const body = await text(request);
    if (left-- <= 0) {
      holding.resolve();
      await opened.promise;
    }
    // Whoever asked may be dead by now.
    if (response.destroyed) return;
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': String(request.headers['idempotency-key']),
    };
    const answer = await fetch(`${behind}${request.url}`, { method: 'POST', headers, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    closeAfter(requests) {
      left = requests;
      opened = Promise.withResolvers();
      holding = Promise.withResolvers();
      return holding.promise;
    },
    open() {
      left = Number.POSITIVE_INFINITY;
      opened.resolve();
    },
    close() {
      opened.resolve();
      server.closeAllConnections();
      server.close();
    },
  };
}
