// Layer: the client against servers that see and say every byte.
import { execFile } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { Agent, request as bareRequest } from 'undici';
import { describe, expect, it } from 'vitest';
import { HttpClient, OutOfTime } from '../../src/models/http-client.ts';
import { cruxVersion } from '../../src/version.ts';
import { makeCertificates } from '../helpers/certificates.ts';
import { response, startRawServer } from '../helpers/raw-server.ts';

const never = new AbortController().signal;
const post = { path: '/chat/completions', body: '{"words":"hé"}' };

function clientOf(port: number, { base = `http://127.0.0.1:${port}/v1`, timeoutMs = 60_000 } = {}): HttpClient {
  return new HttpClient({ baseUrl: base, headers: { authorization: 'Bearer sk-1' }, timeoutMs });
}

describe('a request', () => {
  it('bears the key, its own headers and its body, and nothing about this machine', async () => {
    const server = await startRawServer(({ socket }) => socket.write(response(200, '{}')));
    await clientOf(server.port).send({ ...post, headers: { 'idempotency-key': 'k/1' } }, never);
    const [{ line, headers, body }] = server.requests as [(typeof server.requests)[0]];
    expect(line).toBe('POST /v1/chat/completions HTTP/1.1');
    expect(headers.sort()).toEqual([
      'accept-encoding: gzip',
      'accept: application/json',
      'authorization: Bearer sk-1',
      'connection: keep-alive',
      'content-length: 15',
      'content-type: application/json',
      `host: 127.0.0.1:${server.port}`,
      'idempotency-key: k/1',
      `user-agent: crux/${cruxVersion()}`,
    ]);
    expect(body).toBe(post.body);
  });

  it('without a body is a GET', async () => {
    const server = await startRawServer(({ socket }) => socket.write(response(200, '{}')));
    await clientOf(server.port).send({ path: '/models' }, never);
    expect(server.requests[0]).toMatchObject({ line: 'GET /v1/models HTTP/1.1', body: '' });
  });

  it.each([
    ['', '/models'],
    ['/', '/models'],
    ['/v1', '/v1/models'],
    ['/v1/', '/v1/models'],
    ['/a/v1//', '/a/v1/models'],
    ['/v1?api-version=1&x=%20', '/v1/models?api-version=1&x=%20'],
  ])('to the base URL with "%s" goes to %s', async (base, path) => {
    const server = await startRawServer(({ socket }) => socket.write(response(200, '{}')));
    await clientOf(0, { base: `http://127.0.0.1:${server.port}${base}` }).send({ path: '/models' }, never);
    expect(server.requests[0]!.line).toBe(`GET ${path} HTTP/1.1`);
  });

  it('has its own query after that of the base URL', async () => {
    const server = await startRawServer(({ socket }) => socket.write(response(200, '{}')));
    const at = `http://127.0.0.1:${server.port}/v1`;
    await clientOf(0, { base: `${at}?api-version=1` }).send({ path: '/jobs?limit=2' }, never);
    await clientOf(0, { base: at }).send({ path: '/jobs?limit=2&after=a' }, never);
    expect(server.requests.map(({ line }) => line.split(' ')[1])).toEqual([
      '/v1/jobs?api-version=1&limit=2',
      '/v1/jobs?limit=2&after=a',
    ]);
  });

  it('may send bytes of another type', async () => {
    const server = await startRawServer(({ socket }) => socket.write(response(200, '{}')));
    const body = new TextEncoder().encode('hé');
    await clientOf(server.port).send({ path: '/files', body, headers: { 'content-type': 'text/x' } }, never);
    expect(server.requests[0]).toMatchObject({ line: 'POST /v1/files HTTP/1.1', body: 'hé' });
    expect(server.requests[0]!.headers).toContain('content-type: text/x');
  });

  it('to localhost reaches a server that listens at 127.0.0.1 alone', async () => {
    const server = await startRawServer(({ socket }) => socket.write(response(200, 'here')));
    const { text } = await clientOf(0, { base: `http://localhost:${server.port}` }).send(post, never);
    expect(text).toBe('here');
  });

  it('reaches an address of IPv6', async () => {
    const server = await startRawServer(({ socket }) => socket.write(response(200, 'six')), { host: '::1' });
    const { text } = await clientOf(0, { base: `http://[::1]:${server.port}` }).send(post, never);
    expect(text).toBe('six');
  });
});

describe('connections', () => {
  it('are kept for the next request', async () => {
    const server = await startRawServer(({ socket }) => socket.write(response(200, '{}')));
    const client = clientOf(server.port);
    for (let call = 0; call < 5; call++) await client.send(post, never);
    // The first may be just about to be free again.
    expect(server.connections.length).toBeLessThanOrEqual(2);
  });

  it('are as many as there are requests in progress, each with one', async () => {
    const server = await startRawServer(() => {});
    const client = clientOf(server.port);
    const calls = Array.from({ length: 300 }, () => client.send(post, never));
    await server.requested(300);
    expect(server.connections).toHaveLength(300);
    for (const { socket } of server.requests) socket.write(response(200, 'all'));
    expect((await Promise.all(calls)).every(({ text }) => text === 'all')).toBe(true);
  });

  it('that the server closes as a request comes fail that request, which is not sent again', async () => {
    const server = await startRawServer(({ socket }, number) =>
      number === 2 ? socket.destroy() : socket.write(response(200, 'ok')),
    );
    const client = clientOf(server.port);
    await client.send(post, never);
    await expect(client.send(post, never)).rejects.toThrow();
    expect(server.requests).toHaveLength(2);
    expect((await client.send(post, never)).text).toBe('ok');
  });

  it.each([
    ['before the length that it was given', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half":'],
    ['before its last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{"half":\r\n'],
    ['before its headers end', 'HTTP/1.1 200 OK\r\ncontent-le'],
  ])('that end %s fail the request', async (_when, bytes) => {
    const server = await startRawServer(({ socket }) => socket.end(bytes));
    await expect(clientOf(server.port).send(post, never)).rejects.toThrow();
  });

  it('over TLS trust the authorities of NODE_EXTRA_CA_CERTS, and no others', async () => {
    const certificates = await makeCertificates();
    const { certificate, key } = certificates.server;
    const tls = createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }) as unknown as Server;
    const server = await startRawServer(({ socket }) => socket.write(response(200, 'safe')), { server: tls });
    const base = `https://localhost:${server.port}/v1`;
    expect(await sentByProcess(base, { NODE_EXTRA_CA_CERTS: certificates.authority })).toBe('200 safe');
    expect(await sentByProcess(base, { NODE_EXTRA_CA_CERTS: certificates.stranger })).toMatch(/certificate/);
    certificates.remove();
  });

  it('go through the user’s proxy if Node is told to use it, and else do not', async () => {
    const proxy = await startRawServer(({ socket }) => socket.end(response(502)));
    const server = await startRawServer(({ socket }) => socket.write(response(200, 'direct')));
    const HTTP_PROXY = `http://127.0.0.1:${proxy.port}`;
    const base = `http://127.0.0.1:${server.port}/v1`;
    expect(await sentByProcess(base, { HTTP_PROXY, NO_PROXY: '' })).toBe('200 direct');
    expect(proxy.requests).toEqual([]);
    await sentByProcess('http://models.invalid/v1', { HTTP_PROXY, NODE_USE_ENV_PROXY: '1', NO_PROXY: '' });
    expect(proxy.requests[0]!.line).toMatch(/^CONNECT models\.invalid:80 /);
  });
});

describe('a request ends', () => {
  const half = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{';

  it.each([
    ['no headers', ''],
    ['no whole body', half],
  ])('with the time limit if there are %s, and its connection with it', async (_what, bytes) => {
    const server = await startRawServer(({ socket }) => socket.write(bytes));
    await expect(clientOf(server.port, { timeoutMs: 100 }).send(post, never)).rejects.toThrow(OutOfTime);
    await closed(server.connections[0]!);
  });

  it.each([
    ['no headers have come', ''],
    ['half of the body has come', half],
  ])('with its signal when %s, and its connection with it', async (_when, bytes) => {
    const server = await startRawServer(({ socket }) => socket.write(bytes));
    const leaving = new AbortController();
    const call = clientOf(server.port).send(post, leaving.signal);
    await server.requested(1);
    const reason = new Error('left');
    leaving.abort(reason);
    await expect(call).rejects.toBe(reason);
    await closed(server.connections[0]!);
  });

  it('with its signal while it still waits for its connection', async () => {
    // It never shakes hands.
    const server = await startRawServer(() => {});
    const leaving = new AbortController();
    const call = clientOf(0, { base: `https://localhost:${server.port}` }).send(post, leaving.signal);
    await expect.poll(() => server.connections.length).toBeGreaterThan(0);
    leaving.abort(new Error('left'));
    await expect(call).rejects.toThrow('left');
  });

  it('before it is sent if its signal has fired', async () => {
    const server = await startRawServer(() => {});
    await expect(clientOf(server.port).send(post, AbortSignal.abort(new Error('left')))).rejects.toThrow('left');
    expect(server.connections).toEqual([]);
  });

  it('with its own time limit alone, later than the five minutes of fetch', async () => {
    const timers = createRequire(import.meta.url)('undici/lib/util/timers.js') as { tick(ms: number): void };
    const server = await startRawServer(() => {});
    const patient = clientOf(server.port, { timeoutMs: 3_600_000 }).send(post, never);
    const usual = bareRequest(`http://127.0.0.1:${server.port}`, { dispatcher: new Agent() });
    const impatient = expect(usual).rejects.toThrow('Headers Timeout');
    await server.requested(2);
    // The first tick begins the timers.
    timers.tick(1_000);
    timers.tick(301_000);
    await impatient;
    for (const { socket } of server.requests) socket.write(response(200, 'late'));
    expect((await patient).text).toBe('late');
  });

  it('and leaves nothing on its caller’s signal', async () => {
    const server = await startRawServer(({ socket }, number) => {
      if (number === 1) socket.write(response(200, '{}'));
      else if (number === 2) socket.destroy();
    });
    const client = clientOf(server.port, { timeoutMs: 100 });
    const { signal } = new AbortController();
    await client.send(post, signal);
    await expect(client.send(post, signal)).rejects.toThrow();
    await expect(client.send(post, signal)).rejects.toThrow(OutOfTime);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('an answer', () => {
  it('comes with its status, its headers in any case, and its text without a byte order mark', async () => {
    const server = await startRawServer(({ socket }) =>
      socket.write(response(429, '\ufeff{"é":1}', ['Retry-After: 7', 'Set-Cookie: a', 'Set-Cookie: b'])),
    );
    const { status, headers, text } = await clientOf(server.port).send(post, never);
    expect({ status, text }).toEqual({ status: 429, text: '{"é":1}' });
    expect([headers.get('retry-after'), headers.get('set-cookie'), headers.get('other')]).toEqual(['7', 'a', null]);
  });

  const text = '{"answer":"é"}';
  it.each([
    ['gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['identity', Buffer.from(text)],
    ['utf-8', Buffer.from(text)],
  ])('in the coding "%s" is read, whether or not it was asked for', async (coding, bytes) => {
    const server = await startRawServer(({ socket }) =>
      socket.write(response(200, bytes, [`content-encoding: ${coding}`])),
    );
    expect((await clientOf(server.port).send(post, never)).text).toBe(text);
  });

  it.each([
    ['is cut short', gzipSync(text).subarray(0, 20)],
    ['is none', Buffer.from(text)],
  ])('whose gzip %s fails', async (_what, bytes) => {
    const server = await startRawServer(({ socket }) => socket.write(response(200, bytes, ['content-encoding: gzip'])));
    await expect(clientOf(server.port).send(post, never)).rejects.toThrow();
  });

  it('without a body may name a coding', async () => {
    const server = await startRawServer(({ socket }) => socket.write(response(502, '', ['content-encoding: gzip'])));
    expect(await clientOf(server.port).send(post, never)).toMatchObject({ status: 502, text: '' });
  });
});

describe('a redirect', () => {
  const to = (status: number, location: string) => response(status, 'moved', [`location: ${location}`]);

  it.each([307, 308])('with %i within the server is followed, with method, key and body', async (status) => {
    const server = await startRawServer(({ socket }, number) =>
      socket.write(number === 1 ? to(status, '/v2/chat?x=1') : response(200, 'there')),
    );
    expect((await clientOf(server.port).send(post, never)).text).toBe('there');
    const [, second] = server.requests;
    expect(second).toMatchObject({ line: 'POST /v2/chat?x=1 HTTP/1.1', body: post.body });
    expect(second!.headers).toContain('authorization: Bearer sk-1');
  });

  it.each([301, 302, 303])('with %i of a POST is not followed: it would become a GET', async (status) => {
    const server = await startRawServer(({ socket }) => socket.write(to(status, '/login')));
    expect(await clientOf(server.port).send(post, never)).toMatchObject({ status, text: 'moved' });
    expect(server.requests).toHaveLength(1);
  });

  it('of a GET within the server is followed', async () => {
    const server = await startRawServer(({ socket }, number) =>
      socket.write(number === 1 ? to(301, '/v1/models/') : response(200, '[]')),
    );
    expect((await clientOf(server.port).send({ path: '/models' }, never)).text).toBe('[]');
  });

  it.each([post, { path: '/models' }])(
    'to another server is not followed, so that no other sees the key',
    async (request) => {
      const other = await startRawServer(({ socket }) => socket.write(response(200, 'stolen')));
      const server = await startRawServer(({ socket }) => socket.write(to(307, `http://127.0.0.1:${other.port}/v1`)));
      expect(await clientOf(server.port).send(request, never)).toMatchObject({ status: 307 });
      expect(other.connections).toEqual([]);
    },
  );

  it('that never ends is given up', async () => {
    const server = await startRawServer(({ socket }) => socket.write(to(308, '/v1/again')));
    expect(await clientOf(server.port).send(post, never)).toMatchObject({ status: 308 });
    expect(server.requests).toHaveLength(6);
  });

  it('without a place is an answer', async () => {
    const server = await startRawServer(({ socket }) => socket.write(response(308, 'where?')));
    expect(await clientOf(server.port).send(post, never)).toMatchObject({ status: 308, text: 'where?' });
  });
});

/** What a process of its own, which reads these variables as it starts, gets from a server: status and text, or the words of the error. */
async function sentByProcess(baseUrl: string, variables: { [name: string]: string }): Promise<string> {
  const module = join(import.meta.dirname, '../../src/models/http-client.ts');
  const script = `
    import { HttpClient } from ${JSON.stringify(module)};
    const client = new HttpClient({ baseUrl: ${JSON.stringify(baseUrl)}, headers: {}, timeoutMs: 60_000 });
    const sent = client.send(${JSON.stringify(post)}, new AbortController().signal);
    console.log(await sent.then(({ status, text }) => status + ' ' + text, (error) => error.message));
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, ...variables },
  });
  return stdout.trim();
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}
