import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';

/** One request as its bytes came. */
export type RawRequest = { line: string; headers: string[]; body: string; socket: Socket };

export type RawServer = {
  port: number;
  connections: Socket[];
  requests: RawRequest[];
  /** Resolves when so many requests have come. */
  requested(count: number): Promise<void>;
};

/**
 * A server that sees and says what goes over the wire. It ends with the test.
 * @param reply gets each whole request and its number from 1, and writes what it likes to the request's socket
 */
export async function startRawServer(
  reply: (request: RawRequest, number: number) => void,
  { server = createServer(), host = '127.0.0.1' }: { server?: Server; host?: string } = {},
): Promise<RawServer> {
  const waiting: { count: number; resolve: () => void }[] = [];
  const raw: RawServer = {
    port: 0,
    connections: [],
    requests: [],
    requested: (count) =>
      raw.requests.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
  };
  server.on('connection', (socket: Socket) => raw.connections.push(socket));
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      for (let next = wholeRequest(text); next !== null; next = wholeRequest(text)) {
        text = next.rest;
        const request = { ...next.request, socket };
        const number = raw.requests.push(request);
        for (const { resolve } of waiting.filter(({ count }) => count <= number)) resolve();
        reply(request, number);
      }
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  raw.port = (server.address() as AddressInfo).port;
  onTestFinished(async () => {
    for (const socket of raw.connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return raw;
}

/** The first request of a text, and what follows it; null if it is not whole. */
function wholeRequest(text: string): { request: Omit<RawRequest, 'socket'>; rest: string } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [line, ...headers] = text.slice(0, end).split('\r\n');
  const length = Number(headers.find((header) => /^content-length:/i.test(header))?.split(':')[1] ?? 0);
  const bytes = Buffer.from(text.slice(end + 4));
  if (bytes.length < length) return null;
  const [body, rest] = [bytes.subarray(0, length), bytes.subarray(length)];
  return { request: { line: line!, headers, body: body.toString() }, rest: rest.toString() };
}

/** The bytes of a response. @param headers one a string; `content-length` is added */
export function response(status: number, body: string | Buffer = '', headers: string[] = []): Buffer {
  const bytes = Buffer.from(body);
  const head = [`HTTP/1.1 ${status} Status`, `content-length: ${bytes.length}`, ...headers].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes]);
}
