/**
 * The remote codec that lets the Temporal UI and the `temporal` command read encrypted payloads: `POST /decode` and `/encode`, each with
 * `{"payloads": [...]}` in protobuf's JSON. The browser talks to it directly, so the keys stay on its machine. Source:
 * docs.temporal.io/production-deployment/data-encryption, "Codec Server".
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { PayloadCodec } from '@temporalio/common';
import { z } from 'zod';
import { errorText } from '../errors.ts';
import { anotherPort, listen } from '../listen.ts';

export type CodecServerOptions = {
  codec: PayloadCodec;
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Origins of the UI, as browsers send them: scheme, host and port. Other pages are refused. */
  uiOrigins: string[];
  /** Required content of the requests' Authorization header; null: none. */
  token: string | null;
};

export type CodecServer = { url: string; close(): Promise<void> };

/** A history's page has some hundred payloads, and ours are small. */
const largestBodyBytes = 16_000_000;

const base64 = z.base64();
const requestSchema = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), base64).default({}), data: base64.default('') })),
});

/** @throws CruxError User.Config if nothing can listen there */
export async function startCodecServer(options: CodecServerOptions): Promise<CodecServer> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      if (!response.headersSent) send(response, 500, errorText(error));
    });
  });
  const port = await listen(server, options.host, options.port, anotherPort);
  return {
    url: `http://${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: CodecServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { codec, uiOrigins, token } = options;
  const { origin } = request.headers;
  if (origin !== undefined) {
    if (!uiOrigins.includes(origin)) return send(response, 403, `Pages of ${origin} may not ask here.`);
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
    response.setHeader('access-control-allow-headers', 'authorization, content-type, x-namespace');
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('vary', 'origin');
  }
  if (request.method === 'OPTIONS') return send(response, 204, '');
  const work = { '/encode': codec.encode, '/decode': codec.decode }[request.url?.split('?')[0] ?? ''];
  if (request.method !== 'POST' || !work) return send(response, 404, 'POST /decode or /encode.');
  if (token !== null && !isBearer(request.headers.authorization, token))
    return send(response, 401, 'The token is wrong.');
  // Browsers send other types without asking for permission, so any page could send one.
  if (!request.headers['content-type']?.startsWith('application/json')) return send(response, 415, 'Send JSON.');
  const body = await read(request);
  if (body === null) return send(response, 413, `More than ${largestBodyBytes} bytes.`);
  const parsed = requestSchema.safeParse(parseJson(body));
  if (!parsed.success)
    return send(response, 400, 'Expected {"payloads": [{"metadata": {…}, "data": "…"}]}, with values in base64.');
  const payloads = parsed.data.payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
    data: Buffer.from(data, 'base64'),
  }));
  let result: Awaited<ReturnType<PayloadCodec['decode']>>;
  try {
    result = await work.call(codec, payloads);
  } catch (error) {
    return send(response, 400, errorText(error));
  }
  const json = result.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, inBase64(value)])),
    data: inBase64(data),
  }));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ payloads: json }));
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}

/** @returns null if it is too long */
async function read(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestBodyBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Compares hashes: they have the same length, so that the comparison reveals nothing about the token. */
function isBearer(header: string | undefined, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(header ?? ''), hash(`Bearer ${token}`));
}

function inBase64(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('base64');
}
