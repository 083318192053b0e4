// Layer: the codec server over HTTP, asked as a browser does.
import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { type CodecServerOptions, startCodecServer } from '../../src/temporal/codec-server.ts';
import { EncryptionCodec } from '../../src/temporal/payload-codec.ts';

const ui = 'http://127.0.0.1:8233';
const codec = new EncryptionCodec([{ id: 'key-1', key: randomBytes(32) }], 'CRUX_CODEC_KEY');

async function server(changes: Partial<CodecServerOptions> = {}): Promise<string> {
  const started = await startCodecServer({
    codec,
    host: '127.0.0.1',
    port: 0,
    uiOrigins: [ui],
    token: null,
    ...changes,
  });
  onTestFinished(() => started.close());
  return started.url;
}

const inBase64 = (text: string) => Buffer.from(text).toString('base64');
const clear = { metadata: { encoding: inBase64('json/plain') }, data: inBase64('"Find the treasure"') };

function post(url: string, body: unknown, headers: { [name: string]: string } = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': 'default', origin: ui, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

type Payloads = { payloads: (typeof clear)[] };

it('decodes what it encoded, in the order of the request', async () => {
  const url = await server();
  const other = { ...clear, data: inBase64('2') };
  const encoded = (await (await post(`${url}/encode`, { payloads: [clear, other] })).json()) as Payloads;
  expect(encoded.payloads.map(({ metadata }) => Buffer.from(metadata.encoding, 'base64').toString())).toEqual([
    'binary/encrypted',
    'binary/encrypted',
  ]);
  const decoded = await post(`${url}/decode`, encoded);
  expect(decoded.headers.get('content-type')).toBe('application/json');
  expect(await decoded.json()).toEqual({ payloads: [clear, other] });
});

it('hands on what was never encrypted, also a payload without data', async () => {
  const url = await server();
  const empty = { metadata: { encoding: inBase64('binary/null') } };
  expect(await (await post(`${url}/decode`, { payloads: [clear, empty] })).json()).toEqual({
    payloads: [clear, { ...empty, data: '' }],
  });
});

it('lets pages of the UI ask, with the headers that the UI sends', async () => {
  const response = await fetch(`${await server()}/decode`, {
    method: 'OPTIONS',
    headers: {
      origin: ui,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-namespace,authorization',
    },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get('access-control-allow-origin')).toBe(ui);
  for (const header of ['content-type', 'x-namespace', 'authorization'])
    expect(response.headers.get('access-control-allow-headers')).toContain(header);
});

it('refuses pages of other origins, and gives them no permission', async () => {
  const response = await post(`${await server()}/decode`, { payloads: [] }, { origin: 'https://elsewhere.example' });
  expect(response.status).toBe(403);
  expect(response.headers.get('access-control-allow-origin')).toBeNull();
});

it('refuses what a page could send without asking for permission', async () => {
  const response = await post(`${await server()}/decode`, { payloads: [] }, { 'content-type': 'text/plain' });
  expect(response.status).toBe(415);
});

it('with a token answers to whoever bears it alone', async () => {
  const url = await server({ token: 'token-1' });
  const asked = (headers = {}) => post(`${url}/decode`, { payloads: [] }, headers).then(({ status }) => status);
  expect(await asked()).toBe(401);
  expect(await asked({ authorization: 'Bearer token-2' })).toBe(401);
  expect(await asked({ authorization: 'Bearer token-1' })).toBe(200);
});

it.each([
  ['no JSON', 'payloads'],
  ['no payloads', {}],
  ['values that are not base64', { payloads: [{ metadata: {}, data: '"' }] }],
])('answers 400 to %s', async (_what, body) => {
  expect((await post(`${await server()}/decode`, body)).status).toBe(400);
});

it('says which key is missing', async () => {
  const [encrypted] = await new EncryptionCodec([{ id: 'key-2', key: randomBytes(32) }], '').encode([
    { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('1') },
  ]);
  const payload = {
    metadata: Object.fromEntries(
      Object.entries(encrypted!.metadata!).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
    data: Buffer.from(encrypted!.data!).toString('base64'),
  };
  const response = await post(`${await server()}/decode`, { payloads: [payload] });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('key-2');
});

it('knows no other addresses', async () => {
  const url = await server();
  expect((await post(`${url}/`, {})).status).toBe(404);
  expect((await fetch(`${url}/decode`)).status).toBe(404);
});
