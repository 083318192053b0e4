// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { connectionFault, refusalFault } from '../../src/models/endpoint-fault.ts';

const source = { name: 'hosted', address: 'models.example', safeText: (text: string) => text.slice(0, 300) };
const headersOf = (headers: { [name: string]: string } = {}) => ({ get: (name: string) => headers[name] ?? null });
const refused = (status: number, text: string, headers?: { [name: string]: string }) =>
  refusalFault({ status, headers: headersOf(headers), text }, source);

describe('the words of a refusal', () => {
  it.each([
    ['{"error":{"message":"No such model."}}', 'No such model.'],
    ['{"error":"No such model."}', 'No such model.'],
    ['{"error":"Not Found","message":"No such model."}', 'No such model.'],
    ['{"error":null,"detail":"Not Found"}', 'Not Found'],
    ['{"detail":"Not Found"}', 'Not Found'],
    ['{"msg":"No such model."}', 'No such model.'],
    ['[{"error":{"message":"No such model."}}]', 'No such model.'],
    ['{"error":[{"message":"No such model."}]}', 'No such model.'],
    ['"No such model."', 'No such model.'],
    ['No such model.', 'No such model.'],
    ['{"detail":[{"loc":["body"]}]}', '{"detail":[{"loc":["body"]}]}'],
    ['<html><h1>404 Not Found</h1></html>\n', '<html><h1>404 Not Found</h1></html>'],
    ['null', 'null'],
    [' ', '(no body)'],
  ])('are found in %s', (body, words) => {
    expect(refused(403, body)).toMatchObject({
      kind: 'Model.Rejected',
      message: `The endpoint "hosted" answered 403: ${words}`,
    });
  });
});

describe('a model that the server does not have', () => {
  it.each([
    [404, '{"error":{"message":"The model `crux-a-r1-12345678` does not exist.","type":"NotFoundError","code":404}}'],
    [404, '{"object":"error","message":"The model `m` does not exist.","type":"NotFoundError","code":404}'],
    [404, '{"error":{"message":"LoRA adapter m does not exist","type":"NotFoundError","code":404}}'],
    [
      404,
      '{"error":{"message":"The model `m` does not exist or you do not have access to it.","code":"model_not_found"}}',
    ],
    [404, '{"error":"model \'m\' not found"}'],
    [404, '{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}'],
    [404, '{"detail":"No such model."}'],
    [400, '{"error":{"message":"Invalid model name","code":"model_not_found"}}'],
    // SGLang, after a restart.
    [400, '{"object":"error","message":"The following requested LoRA adapters are not loaded: crux-a-r1-12345678"}'],
    [
      500,
      '{"object":"error","message":"Internal server error: The following requested LoRA adapters are not loaded: m"}',
    ],
  ])('is told from other refusals: %i %s', (status, body) => {
    expect(refused(status, body)).toMatchObject({ kind: 'Model.NotServed', remedy: expect.stringContaining('load') });
  });

  it.each([
    [404, '{"detail":"Not Found"}'],
    [404, '<html><h1>404 Not Found</h1></html>'],
    [403, '{"error":{"message":"The model does not exist for this key."}}'],
    [400, '{"error":{"message":"The parameter does not exist for this model."}}'],
  ])('is not what %i %s is about', (status, body) => {
    expect(refused(status, body).kind).toBe('Model.Rejected');
  });
});

it('finds a conversation that does not fit wherever a server says so', () => {
  for (const body of [
    '{"error":{"code":"context_length_exceeded"}}',
    '{"detail":"maximum context length is 4096"}',
    'prompt is too long',
  ])
    expect(refused(400, body).kind).toBe('Model.ContextLength');
});

it('takes the time to wait from the headers of a fault that passes, and of no other', () => {
  expect(refused(429, '', { 'retry-after': '7' })).toMatchObject({ kind: 'Model.RateLimit', retryAfterMs: 7_000 });
  expect(refused(503, '', { 'retry-after-ms': '7' })).toMatchObject({ kind: 'Model.Unavailable', retryAfterMs: 7 });
  expect(refused(400, '', { 'retry-after': '7' }).retryAfterMs).toBeUndefined();
});

it('says where a redirect leads that is not followed, and to give that address', () => {
  expect(refused(302, '<html>', { location: 'https://login.example/' })).toMatchObject({
    kind: 'Model.Rejected',
    message: 'The endpoint "hosted" answered 302: it redirects to https://login.example/.',
    remedy: expect.stringContaining('baseUrl'),
  });
});

it.each([
  ['https://models.example/v2/chat?key=S3CRET', 'https://models.example/v2/chat'],
  ['https://user:S3CRET@models.example/v2/chat#S3CRET', 'https://models.example/v2/chat'],
  ['/v2/chat?key=S3CRET', '/v2/chat'],
])('says nothing of a redirect to %s but its server and path', (location, shown) => {
  const { message } = refused(302, '', { location });
  expect(message).toBe(`The endpoint "hosted" answered 302: it redirects to ${shown}.`);
});

it('says what made a connection fail, and tells a server that is away from one that broke off', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
  expect(connectionFault(new AggregateError([cause], '', { cause }), source)).toMatchObject({
    kind: 'Model.Unavailable',
    message: expect.stringContaining('at models.example gave no complete answer: the connection failed'),
    remedy: expect.stringContaining('Start its server'),
  });
  const closed = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  expect(connectionFault(closed, source)).toMatchObject({
    kind: 'Model.Transport',
    message: expect.stringContaining('(other side closed UND_ERR_SOCKET)'),
  });
});
