// Layer: the gateway against a scripted endpoint over HTTP.
import { sql } from 'kysely';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CruxError } from '../../src/errors.ts';
import type { Reply } from '../helpers/model-endpoint.ts';
import { gatewayTo, never } from './gateway-builder.ts';

const serverError: Reply = { status: 500, body: '{"error":{"message":"The server had an error."}}' };
const tooMany = (headers: { [name: string]: string }): Reply => ({
  status: 429,
  headers,
  body: '{"error":{"message":"Rate limit reached."}}',
});

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function faultOf(work: Promise<unknown>): Promise<CruxError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CruxError);
  return error as CruxError;
}

describe('a transport fault', () => {
  const faults: { [name: string]: Reply } = {
    'a 500': serverError,
    'a 503': { status: 503, body: 'overloaded' },
    'a connection that is cut': { fault: 'cut' },
    'a body that is no JSON': { body: '{"choices": [\u0000<!-- upstream error -->' },
    'a body that ends early': { fault: 'truncated' },
    'a body without choices': { body: '{"choices":[]}' },
    'an error in a body of status 200': { body: '{"error":{"message":"upstream","code":502}}' },
  };

  it.each(Object.keys(faults))('(%s) is asked again under the same key and counted', async (name) => {
    const { gateway, store, endpoint, call } = await gatewayTo([faults[name]!, {}]);
    const answer = await gateway.answer(call(), never);
    expect(endpoint.requests.map(({ key, body }) => [key, body.seed])).toEqual([
      [answer.key, answer.seed],
      [answer.key, answer.seed],
    ]);
    expect(await store.journal.countFaults('run-1', [answer.key])).toBe(1);
  });

  it('is given up at the configured number, as a kind of its own', async () => {
    const { gateway, endpoint, call } = await gatewayTo([serverError, serverError, serverError], { maxFaults: 3 });
    const fault = await faultOf(gateway.answer(call(), never));
    expect(fault.kind).toBe('Model.Exhausted');
    expect(fault.message).toContain('500');
    expect(fault.message).toContain('fault 3');
    expect(endpoint.requests.length).toBe(3);
  });

  it('is counted over several attempts of the activity', async () => {
    const script = [serverError, tooMany({ 'retry-after': '3600' }), serverError];
    const { gateway, store, endpoint, call } = await gatewayTo(script, { maxFaults: 2 });
    expect((await faultOf(gateway.answer(call(), never))).kind).toBe('Model.RateLimit');
    await sql`DELETE FROM providers`.execute(store.database.kysely);
    // The rate limit does not count.
    expect((await faultOf(gateway.answer(call(), never))).kind).toBe('Model.Exhausted');
    expect(endpoint.requests.length).toBe(3);
  });

  it.each(['hang', 'stall'] as const)(
    'ends an endpoint that leaves a request in the air (%s) at the time limit',
    async (fault) => {
      const { gateway, endpoint, call } = await gatewayTo([{ fault }, {}], { timeoutMs: 300 });
      await gateway.answer(call(), never);
      expect(endpoint.requests.length).toBe(2);
    },
  );
});

describe('a rate limit', () => {
  it.each([
    ['seconds', () => ({ 'retry-after': '1' }), 1_000],
    ['milliseconds', () => ({ 'retry-after-ms': '700', 'retry-after': '30' }), 700],
  ] as const)('in %s is waited for', async (_form, headers, waitMs) => {
    const { gateway, endpoint, call } = await gatewayTo([tooMany(headers()), {}]);
    const took = await elapsedMs(() => gateway.answer(call(), never));
    expect(took).toBeGreaterThanOrEqual(waitMs - 5);
    expect(took).toBeLessThan(30_000);
    expect(endpoint.requests.length).toBe(2);
  });

  it('as an HTTP date is waited for until then', async () => {
    const date = new Date(Date.now() + 2_000).toUTCString();
    const { gateway, endpoint, call } = await gatewayTo([tooMany({ 'retry-after': date }), {}]);
    await gateway.answer(call(), never);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(date) - 5);
    expect(endpoint.requests.length).toBe(2);
  });

  it.each([['0'], ['Thu, 01 Jan 1970 00:00:00 GMT'], [undefined]])(
    'that says %s is not answered by a tight loop',
    async (value) => {
      const limit = tooMany(value === undefined ? {} : { 'retry-after': value });
      const { gateway, call } = await gatewayTo([limit, limit, {}]);
      expect(await elapsedMs(() => gateway.answer(call(), never))).toBeGreaterThanOrEqual(2 * 195);
    },
  );

  it('beyond a minute is thrown with its time, and is the cool-down of the provider for every process', async () => {
    const { gateway, store, endpoint, call } = await gatewayTo([tooMany({ 'retry-after': '3600' })]);
    const fault = await faultOf(gateway.answer(call(), never));
    expect(fault).toMatchObject({ kind: 'Model.RateLimit', retryAfterMs: 120_000 });
    expect(
      (await store.providers.coolDownUntil(gateway.endpoint('models').admission.provider)).until - Date.now(),
    ).toBeGreaterThan(3_590_000);
    const other = await faultOf(gateway.answer(call({ sample: 1 }), never));
    expect(other.kind).toBe('Model.RateLimit');
    expect(other.message).toMatch(/gets no calls for another 3[56]\d\d s/);
    expect(endpoint.requests.length).toBe(1);
  });

  it('of an endpoint that was away is told in the words of its outage alone', async () => {
    const { gateway, store, call } = await gatewayTo([{}]);
    const { provider } = gateway.endpoint('models').admission;
    await store.providers.coolDown(provider, Date.now() + 3_600_000, 'connect ECONNREFUSED');
    const fault = await faultOf(gateway.answer(call(), never));
    expect(fault).toMatchObject({ kind: 'Model.Unavailable', message: 'connect ECONNREFUSED' });
  });

  it('keeps calls back that were waiting for a place when it came', async () => {
    const hold = Promise.withResolvers<void>();
    const limit = { ...tooMany({ 'retry-after': '3600' }), after: hold.promise };
    const { gateway, endpoint, call } = await gatewayTo([limit], { concurrency: 1 });
    const calls = Array.from({ length: 5 }, (_, sample) => faultOf(gateway.answer(call({ sample }), never)));
    await endpoint.requested(1);
    hold.resolve();
    expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(Array(5).fill('Model.RateLimit'));
    expect(endpoint.requests.length).toBe(1);
  });
});

describe('a refusal of the request', () => {
  const key = 'planted-secret-Xy12';
  afterEach(() => vi.unstubAllEnvs());

  it.each([400, 401, 403, 404])('with status %i blocks the run in the end, and repeats no key', async (status) => {
    vi.stubEnv('PLANTED_KEY', key);
    const body = JSON.stringify({
      error: { message: `Wrong key ${key} (sk-abcdefghijkl****wxyz)`, code: 'invalid_api_key' },
    });
    const reply = { status, body };
    const script = [reply, reply, reply];
    const { gateway, store, endpoint, call } = await gatewayTo(script, { apiKeyEnv: 'PLANTED_KEY' });
    const fault = await faultOf(gateway.answer(call(), never));
    expect(fault.kind).toBe('Run.Blocked');
    expect(fault.message).toContain(String(status));
    // A key is wrong at once; what may be meant for this call alone is asked again.
    expect(endpoint.requests.length).toBe(status === 401 ? 1 : 3);
    expect(endpoint.requests[0]!.headers.authorization).toBe(`Bearer ${key}`);
    expect(everythingOf(fault)).not.toContain(key);
    expect(everythingOf(fault)).not.toContain('abcdefghijkl');
    expect(JSON.stringify(await store.runs.get('run-1'))).not.toContain(key);
    await expectKeyNowhere(store.database.kysely, key);
  });

  it('leaves no key in a fault that is counted and given up', async () => {
    vi.stubEnv('PLANTED_KEY', key);
    const { gateway, store, call } = await gatewayTo(
      [{ status: 500, body: JSON.stringify({ error: { message: `bad ${key}` } }) }],
      {
        apiKeyEnv: 'PLANTED_KEY',
        maxFaults: 1,
      },
    );
    expect(everythingOf(await faultOf(gateway.answer(call(), never)))).not.toContain(key);
    await expectKeyNowhere(store.database.kysely, key);
  });

  it('leaves no part of a key that its message quotes from an answer which is no JSON', async () => {
    vi.stubEnv('PLANTED_KEY', key);
    const { gateway, call } = await gatewayTo([{ body: `${key} is not known` }], {
      apiKeyEnv: 'PLANTED_KEY',
      maxFaults: 1,
    });
    const words = everythingOf(await faultOf(gateway.answer(call(), never)));
    expect(words).toContain('gave no answer that can be read');
    expect(words).not.toContain(key.slice(0, 8));
  });

  it('names the variable of a key that is not set', async () => {
    vi.stubEnv('PLANTED_KEY', '');
    const { gateway, call } = await gatewayTo([], { apiKeyEnv: 'PLANTED_KEY' });
    const fault = await faultOf(gateway.answer(call(), never));
    expect(fault).toMatchObject({ kind: 'User.Config', remedy: expect.stringContaining('PLANTED_KEY') });
  });

  it.each([
    [400, "This model's maximum context length is 4096 tokens."],
    [400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."],
    [400, 'the request exceeds the available context size'],
    [400, 'prompt is too long: 210000 tokens > 200000 maximum'],
    [400, 'The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).'],
    [413, 'Request too large.'],
  ])('with status %i, "%s", is a conversation that does not fit', async (status, message) => {
    const { gateway, call } = await gatewayTo([{ status, body: JSON.stringify({ error: { message } }) }]);
    expect((await faultOf(gateway.answer({ ...call(), step: 2 }, never))).kind).toBe('Model.ContextLength');
  });
});

/** All words of an error that could end in history or logs: message, stack, remedy and causes. */
function everythingOf(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error) ?? '';
  const members = Object.entries(error).map(([name, value]) => (name === 'cause' ? '' : JSON.stringify(value)));
  return [error.message, error.stack, ...members, everythingOf(error.cause)].join('\n');
}

async function expectKeyNowhere(kysely: Parameters<ReturnType<typeof sql>['execute']>[0], key: string): Promise<void> {
  const { rows } = await sql`SELECT * FROM faults`.execute(kysely);
  expect(JSON.stringify(rows)).not.toContain(key);
}
