import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A model that the front's owner may not use. */
export const barredModel = 'sim-policy-barred';

export type CarelessFront = {
  url: string;
  /** How often it repeated a request, by the way in which it did. */
  repeated: { [way: string]: number };
  close(): void;
};

type Reply = { status: number; type: string; headers?: { [name: string]: string }; body: string };

/** Ways in which providers and proxies repeat what they were sent, with the Authorization header, when something goes wrong. */
const ways: { [way: string]: (headers: IncomingHttpHeaders, key: string, body: string) => Reply } = {
  'error with message': (headers, key) => ({
    status: 500,
    type: 'application/json',
    body: JSON.stringify({
      error: { message: `upstream failed for ${headers.authorization}`, code: key, param: headers },
    }),
  }),
  'rate limit in words': (headers) => ({
    status: 429,
    type: 'text/plain',
    headers: { 'retry-after-ms': '20' },
    body: `Too many requests: ${JSON.stringify(headers)}`,
  }),
  'page of a proxy': (headers, _key, body) => ({
    status: 502,
    type: 'text/html',
    body: `<html><pre>authorization: ${headers.authorization}\n${body}</pre></html>`,
  }),
  'no JSON, the key first': (_headers, key) => ({ status: 200, type: 'application/json', body: `${key} is not known` }),
  'JSON of another form': (headers, key) => ({
    status: 200,
    type: 'application/json',
    body: JSON.stringify({ [key]: headers, choices: key }),
  }),
  'header of the answer': (headers, key) => ({
    status: 503,
    type: 'application/json',
    headers: { 'x-request-authorization': headers.authorization ?? '', 'x-request-id': key },
    body: '{}',
  }),
};

/**
 * Stands before model endpoints and fails every third call when it is sent the first time, repeating the request in one way after the other.
 * Policy calls whose idempotency key begins with 0 are refused for good (403), and every call to `barredModel` as if the key were wrong (401).
 */
export async function startCarelessFront(behind: string): Promise<CarelessFront> {
  const repeated: CarelessFront['repeated'] = {};
  const known = new Set<string>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    const { headers } = request;
    const call = String(headers['idempotency-key']);
    const key = headers.authorization?.replace('Bearer ', '') ?? '';
    const isNew = !known.has(call);
    known.add(call);
    const names = Object.keys(ways);
    let way: string | null = isNew && known.size % 3 === 0 ? names[(known.size / 3) % names.length]! : null;
    let reply = way === null ? null : ways[way]!(headers, key, body);
    const refuse = (status: number, words: string, code: string) => ({
      status,
      type: 'application/json',
      body: JSON.stringify({ error: { message: `${words}: ${key}. You sent ${JSON.stringify(headers)}`, code } }),
    });
    if (body.includes(barredModel)) {
      way = 'refusal of the key';
      reply = refuse(401, 'Incorrect API key provided', 'invalid_api_key');
    } else if (call.startsWith('0') && body.includes('sim-policy')) {
      way = 'refusal';
      reply = refuse(403, 'Flagged by moderation', 'flagged');
    }
    if (way !== null && reply !== null) {
      repeated[way] = (repeated[way] ?? 0) + 1;
      response.writeHead(reply.status, { 'content-type': reply.type, ...reply.headers }).end(reply.body);
      return;
    }
    const passed = { 'content-type': 'application/json', 'idempotency-key': call };
    const answer = await fetch(`${behind}${request.url}`, { method: 'POST', headers: passed, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    repeated,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
