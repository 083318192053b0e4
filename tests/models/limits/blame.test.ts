// Layer: the gateway against a scripted endpoint over HTTP: whose failure a fault is.
import { describe, expect, it } from 'vitest';
import { CruxError } from '../../../src/errors.ts';
import { retryAfterMs } from '../../../src/models/limits/retry-after.ts';
import type { Reply } from '../../helpers/model-endpoint.ts';
import { gatewayTo, never } from '../gateway-builder.ts';

function refusal(status: number, message: string, more: object = {}): Reply {
  return { status, body: JSON.stringify({ error: { message, ...more } }) };
}

async function faultOf(work: Promise<unknown>): Promise<CruxError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CruxError);
  return error as CruxError;
}

describe('an account that cannot go on', () => {
  it.each([
    ['a wrong key', refusal(401, 'Incorrect API key provided.')],
    ['no credit', refusal(402, 'Insufficient Balance')],
    ['a quota that is used up', refusal(429, 'You exceeded your current quota.', { code: 'insufficient_quota' })],
    ['no credit under 400', refusal(400, 'Your credit balance is too low to access the Anthropic API.')],
    ['a key without credit left', refusal(403, 'Key limit exceeded (total limit).')],
    [
      'a spending limit',
      refusal(429, 'Your team has either used all available credits or reached its monthly spending limit.'),
    ],
    ['a budget of a proxy', refusal(400, 'ExceededBudget: User=default_user over budget. Spend=1.2, Budget=1.0')],
  ])('(%s) blocks the run at once, in the words of the server, and ends no call', async (_name, reply) => {
    const { gateway, store, endpoint, call } = await gatewayTo([reply, {}]);
    const fault = await faultOf(gateway.answer(call(), never));
    const said = (JSON.parse(reply.body!) as { error: { message: string } }).error.message;
    expect(fault).toMatchObject({ kind: 'Run.Blocked', message: expect.stringContaining(said) });
    expect(await store.runs.get('run-1')).toMatchObject({
      state: 'blocked',
      block: { kind: 'Model.Account', endpoint: 'models', message: expect.stringContaining(said) },
    });
    // Calls wait without being sent, and know for how long.
    const other = await faultOf(gateway.answer(call({ sample: 1 }), never));
    expect(other.kind).toBe('Run.Blocked');
    expect(other.message).toBe(fault.message);
    expect(other.retryAfterMs).toBeGreaterThanOrEqual(5_000);
    expect(endpoint.requests.length).toBe(1);
    // Somebody has acted.
    await store.runs.setControl('run-1', { state: 'running' });
    await gateway.answer(call(), never);
  });

  it('is not taken for one where a limit by the minute is told in the same words', async () => {
    const words = 'You exceeded your current quota. Please retry in 0.3s.';
    const { gateway, call } = await gatewayTo([{ ...refusal(429, words), headers: { 'retry-after-ms': '300' } }, {}]);
    expect((await gateway.answer(call(), never)).message.content).toBe('An answer.');
  });
});

describe('a refusal', () => {
  const missing = refusal(400, 'Nobody may ask `policy-2`.');

  it('of three different calls without an answer blocks the run, and ends none of them', async () => {
    const { gateway, store, endpoint, call } = await gatewayTo(() => missing);
    const calls = [0, 1, 2, 3].map((sample) => faultOf(gateway.answer(call({ sample }), never)));
    expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(Array(4).fill('Run.Blocked'));
    expect((await store.runs.get('run-1')).block?.message).toContain('policy-2');
    expect(endpoint.requests.length).toBeLessThanOrEqual(8);
  });

  it('of a single call, while others are answered, is that call its own', async () => {
    const moderated = refusal(403, 'Your input was flagged by the moderation.');
    const { gateway, store, call } = await gatewayTo(({ body }) =>
      JSON.stringify(body.messages).includes('weapon') ? moderated : {},
    );
    const flagged = { ...call({ sample: 9 }), messages: [{ role: 'user' as const, content: 'weapon' }] };
    const ended = faultOf(gateway.answer(flagged, never));
    for (const sample of [0, 1, 2]) await gateway.answer(call({ sample }), never);
    expect(await ended).toMatchObject({ kind: 'Model.Rejected', message: expect.stringContaining('flagged') });
    // Also where it comes last, and nobody is answered after it.
    expect((await faultOf(gateway.answer(flagged, never))).kind).toBe('Model.Rejected');
    expect((await store.runs.get('run-1')).state).toBe('running');
  });

  it('that is quicker than the answers to calls before it blocks nothing', async () => {
    const hold = Promise.withResolvers<void>();
    const { gateway, store, endpoint, call } = await gatewayTo(({ body }) =>
      JSON.stringify(body.messages).includes('weapon')
        ? refusal(403, 'Your input was flagged by the moderation.')
        : { after: hold.promise },
    );
    const slow = gateway.answer(call(), never);
    await endpoint.requested(1);
    const flagged = [1, 2, 3, 4].map((sample) =>
      faultOf(gateway.answer({ ...call({ sample }), messages: [{ role: 'user' as const, content: 'weapon' }] }, never)),
    );
    await endpoint.requested(9);
    hold.resolve();
    await slow;
    expect((await Promise.all(flagged)).map(({ kind }) => kind)).toEqual(Array(4).fill('Model.Rejected'));
    expect((await store.runs.get('run-1')).state).toBe('running');
  });

  it('of a run that is paused meanwhile leaves it paused', async () => {
    const hold = Promise.withResolvers<void>();
    const { gateway, store, endpoint, call } = await gatewayTo([
      { ...refusal(401, 'Wrong key.'), after: hold.promise },
    ]);
    const ended = faultOf(gateway.answer(call(), never));
    await endpoint.requested(1);
    await store.runs.setControl('run-1', { state: 'paused' });
    hold.resolve();
    expect((await ended).kind).toBe('Run.Paused');
    expect(await store.runs.get('run-1')).toMatchObject({ state: 'paused', block: null });
  });
});

describe('a server that has forgotten the model', () => {
  const forgotten = refusal(404, 'The model `policy-2` does not exist.', { type: 'NotFoundError', code: 404 });

  it('blocks the run at once although others were answered, ends no call, and answers when the model is back', async () => {
    let isThere = true;
    const { gateway, store, endpoint, call } = await gatewayTo(() => (isThere ? {} : forgotten));
    await gateway.answer(call(), never);
    isThere = false;
    const calls = [1, 2, 3].map((sample) => faultOf(gateway.answer(call({ sample }), never)));
    expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(Array(3).fill('Run.Blocked'));
    expect((await store.runs.get('run-1')).block).toMatchObject({
      kind: 'Model.NotServed',
      message: expect.stringMatching(/policy-2.*load the model/),
    });
    expect(endpoint.requests.length).toBeLessThanOrEqual(4);
    isThere = true;
    await store.runs.setControl('run-1', { state: 'running' });
    await gateway.answer(call({ sample: 1 }), never);
  });
});

describe('a request that does not fit the context', () => {
  const words = "This model's maximum context length is 4096 tokens.";

  it('from the first step on is a fault of set-up, and ends nothing', async () => {
    const { gateway, store, call } = await gatewayTo(() => refusal(400, words));
    const calls = [0, 1, 2].map((sample) => faultOf(gateway.answer(call({ sample }), never)));
    expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(Array(3).fill('Run.Blocked'));
    expect((await store.runs.get('run-1')).block).toMatchObject({
      kind: 'Model.Setup',
      message: expect.stringMatching(/4096.*Lower `maxTokens`/),
    });
  });

  it('after steps of the policy is its own doing', async () => {
    const { gateway, endpoint, call } = await gatewayTo(() => refusal(400, words));
    expect((await faultOf(gateway.answer({ ...call(), step: 9 }, never))).kind).toBe('Model.ContextLength');
    expect(endpoint.requests.length).toBe(1);
  });

  it('only because of the answer that is asked for is a fault of set-up at any step, of that call where others are answered', async () => {
    const asked = `${words} However, you requested 4500 tokens (3000 in the messages, 1500 in the completion).`;
    const { gateway, call } = await gatewayTo([{}, refusal(400, asked), refusal(400, asked), refusal(400, asked)]);
    await gateway.answer(call(), never);
    const fault = await faultOf(gateway.answer({ ...call({ sample: 1 }), step: 9 }, never));
    expect(fault).toMatchObject({ kind: 'Model.Setup', message: expect.stringContaining('3000 in the messages') });
  });
});

describe('an outage', () => {
  it('longer than any call would be tried gives no call up', async () => {
    let isAway = true;
    const { gateway, store, endpoint, call } = await gatewayTo(
      () => (isAway ? { status: 503, body: '{"error":{"message":"overloaded"}}' } : {}),
      { maxFaults: 2 },
    );
    const calls = [0, 1, 2].map((sample) => gateway.answer(call({ sample }), never));
    const words = async () =>
      (await store.waits.waitingFor('run-1')).flatMap(({ reason, words }) => (reason === 'outage' ? [words] : []));
    await expect.poll(words).toContainEqual(expect.stringContaining('overloaded'));
    await endpoint.requested(9);
    isAway = false;
    expect((await Promise.all(calls)).length).toBe(3);
    const { throttledMs } = await store.waits.waited('run-1');
    expect(throttledMs).toBeGreaterThan(1_000);
  });

  it('is told with address and cause where nobody listens', async () => {
    const { gateway, store, call } = await gatewayTo([], { baseUrl: 'http://127.0.0.1:2/v1', maxFaults: 1 });
    const leaving = new AbortController();
    const ended = gateway.answer(call(), leaving.signal).catch(() => {});
    await expect
      .poll(async () => (await store.waits.waitingFor('run-1'))[0]?.words, { timeout: 9_000 })
      .toMatch(/127\.0\.0\.1:2.*ECONNREFUSED/);
    leaving.abort(new Error('enough'));
    await ended;
  });

  it('is none where a call fails alone while others are answered: it is given up, and tried as often when it is asked for anew', async () => {
    const { gateway, endpoint, call } = await gatewayTo(
      ({ body }) => (JSON.stringify(body.messages).includes('poison') ? { status: 500, body: '{}' } : {}),
      { maxFaults: 3 },
    );
    const poison = { ...call({ sample: 9 }), messages: [{ role: 'user' as const, content: 'poison' }] };
    const given = faultOf(gateway.answer(poison, never));
    for (let sample = 0; sample < 5; sample++) await gateway.answer(call({ sample }), never);
    expect((await given).kind).toBe('Model.Exhausted');
    const before = endpoint.requests.length;
    expect((await faultOf(gateway.answer(poison, never))).kind).toBe('Model.Exhausted');
    expect(endpoint.requests.length - before).toBe(3);
  });
});

describe('Retry-After', () => {
  const now = 1_764_437_000_000;
  const read = (value: string, name = 'retry-after') =>
    retryAfterMs({ get: (asked) => (asked === name ? value : null) }, now);

  it.each([
    ['30', 30_000],
    ['1764437090', 90_000],
    ['1764437090000', 90_000],
    ['1764430000', 0],
    ['101764437000', 3_600_000],
    ['86400', 3_600_000],
    ['Thu, 01 Jan 5195 00:00:00 GMT', 3_600_000],
    ['soon', undefined],
  ])('of %s is a wait of %j ms', (value, waitMs) => {
    expect(read(value)).toBe(waitMs);
  });

  it('in milliseconds may be a time too', () => {
    expect(read('1764437000700', 'retry-after-ms')).toBe(700);
    expect(read('700', 'retry-after-ms')).toBe(700);
  });
});
