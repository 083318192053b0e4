// Layer: the gateway against a scripted endpoint over HTTP.
import { sql } from 'kysely';
import { describe, expect, it, type MockInstance, vi } from 'vitest';
import { type CeilingChanges, ceilingsFrom } from '../../src/domain/run/ceilings.ts';
import { Gateway } from '../../src/models/gateway.ts';
import type { ModelCall } from '../../src/models/model-call.ts';
import type { Store } from '../../src/store/store.ts';
import { makeReadOnly, refused } from '../helpers/away-store.ts';
import { gatewayTo, never } from './gateway-builder.ts';

const unlimited = ceilingsFrom({});
const asJson: Partial<ModelCall> = {
  responseFormat: { type: 'json_schema', json_schema: { name: 'score', schema: { type: 'object' } } },
};
const scope = { runId: 'run-1', taskId: 'task-1', stepId: null };

describe('a ceiling', () => {
  // A call has 110 tokens and costs 120 micro-dollars; at worst it has 100 generated tokens and a short prompt.
  it.each([
    ['calls', { calls: 7 }, 7],
    ['tokens', { tokens: 800 }, 7],
    ['cost', { costMicroUsd: 1_000 }, 7],
  ])(
    'of %s is never exceeded by 50 calls at once, and nearly reached',
    async (_unit, ceiling: CeilingChanges, most) => {
      const ceilings = { ...unlimited, ...ceiling };
      const { gateway, store, endpoint, call } = await gatewayTo(() => ({}), { run: { ceilings } });
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, sample) => gateway.answer(call({ sample }), never)),
      );
      const kinds = results
        .filter((result) => result.status === 'rejected')
        .map(({ reason }) => (reason as { kind: string }).kind);
      expect(new Set(kinds)).toEqual(new Set(['Run.Budget']));
      expect(endpoint.requests.length).toBeLessThanOrEqual(most);
      expect(endpoint.requests.length).toBeGreaterThanOrEqual(most - 1);
      const spent = await store.reservations.use(scope, 'run');
      expect(spent.calls).toBe(endpoint.requests.length);
      expect(spent.tokens).toBeLessThanOrEqual(ceilings.tokens ?? Number.POSITIVE_INFINITY);
      expect(spent.costMicroUsd).toBeLessThanOrEqual(ceilings.costMicroUsd ?? Number.POSITIVE_INFINITY);
    },
  );

  it.each([
    ['numbers', '7 '.repeat(400)],
    ['Chinese', '你好世界'.repeat(100)],
    ['emoji', '🧪🦊'.repeat(100)],
  ])('of tokens holds for prompts with a token for every byte (%s)', async (_name, content) => {
    const usage = { prompt_tokens: Buffer.byteLength(content) + 8, completion_tokens: 100 };
    const ceilings = { ...unlimited, tokens: 6_000 };
    const { gateway, store, endpoint, call } = await gatewayTo(() => ({ usage }), { run: { ceilings } });
    const messages = [{ role: 'user' as const, content }];
    await Promise.allSettled(
      Array.from({ length: 20 }, (_, sample) => gateway.answer({ ...call({ sample }), messages }, never)),
    );
    expect(endpoint.requests.length).toBeGreaterThan(3);
    expect((await store.reservations.use(scope, 'run')).tokens).toBeLessThanOrEqual(6_000);
  });

  it('that is close lets fewer calls be in progress, and says so', async () => {
    const hold = Promise.withResolvers<void>();
    const ceilings = { ...unlimited, tokens: 500 };
    const { gateway, store, endpoint, call } = await gatewayTo(() => ({ after: hold.promise }), { run: { ceilings } });
    const calls = [0, 1, 2, 3].map((sample) => gateway.answer(call({ sample }), never));
    const waiting = async () => (await store.waits.waitingFor('run-1')).map(({ reason, words }) => [reason, words]);
    await expect.poll(waiting).toEqual([['ceiling', expect.stringContaining('close to a ceiling')]]);
    await endpoint.requested(2);
    expect(endpoint.requests.length).toBe(2);
    hold.resolve();
    await Promise.allSettled(calls);
  });

  it('holds for two processes together', async () => {
    const { gateway, store, config, endpoint, call } = await gatewayTo(() => ({}), {
      run: { ceilings: { ...unlimited, calls: 9 } },
    });
    const other = new Gateway(store, { models: config });
    await Promise.allSettled(
      Array.from({ length: 30 }, (_, sample) => (sample % 2 ? gateway : other).answer(call({ sample }), never)),
    );
    expect(endpoint.requests.length).toBe(9);
  });

  it('holds where the provider does not tell what was used', async () => {
    const { gateway, endpoint, call } = await gatewayTo(() => ({ usage: null }), {
      run: { ceilings: { ...unlimited, tokens: 900 } },
    });
    for (let sample = 0; sample < 10; sample++) await gateway.answer(call({ sample }), never).catch(() => {});
    expect(endpoint.requests.length).toBe(4);
  });

  it('lets calls wait for those under way, whose worst case it could not bear, in place of ending the run', async () => {
    const hold = Promise.withResolvers<void>();
    // Two calls at their worst are more than 300 tokens; 10 and 10 used tokens are not.
    const reply = { after: hold.promise, usage: { prompt_tokens: 10, completion_tokens: 10 } };
    const { gateway, endpoint, call } = await gatewayTo(() => reply, {
      run: { ceilings: { ...unlimited, tokens: 300 } },
    });
    const calls = [0, 1].map((sample) => gateway.answer(call({ sample }), never));
    await endpoint.requested(1);
    hold.resolve();
    await Promise.all(calls);
    expect(endpoint.mostInFlight).toBe(1);
  });

  it('that was raised lets the run go on', async () => {
    const { gateway, store, endpoint, call } = await gatewayTo(() => ({}), {
      run: { ceilings: { ...unlimited, calls: 1 } },
    });
    await gateway.answer(call(), never);
    await expect(gateway.answer(call({ sample: 1 }), never)).rejects.toMatchObject({ kind: 'Run.Budget' });
    await store.runs.setControl('run-1', { ceilings: { ...unlimited, calls: 2 } });
    await gateway.answer(call({ sample: 1 }), never);
    expect(endpoint.requests.length).toBe(2);
  });

  it('does not count a call that came to a fault', async () => {
    const { gateway, endpoint, call } = await gatewayTo([{ status: 413, body: '{}' }, {}], {
      run: { ceilings: { ...unlimited, calls: 1 } },
    });
    await expect(gateway.answer({ ...call(), step: 2 }, never)).rejects.toMatchObject({ kind: 'Model.ContextLength' });
    await gateway.answer(call({ sample: 1 }), never);
    expect(endpoint.requests.length).toBe(2);
  });
});

describe('a caller that gives up', () => {
  const reason = new Error('cancelled by the test');

  it('while its call waits for a place leaves at once, and its call is never sent', async () => {
    const hold = Promise.withResolvers<void>();
    const { gateway, endpoint, call } = await gatewayTo([{ after: hold.promise }], { concurrency: 1 });
    const first = gateway.answer(call(), never);
    await endpoint.requested(1);
    const waiting = new AbortController();
    const second = gateway.answer(call({ sample: 1 }), waiting.signal);
    waiting.abort(reason);
    await expect(second).rejects.toBe(reason);
    hold.resolve();
    await first;
    await gateway.idle();
    expect(endpoint.requests.length).toBe(1);
  });

  it('in a back-off leaves at once', async () => {
    const { gateway, endpoint, call } = await gatewayTo([
      { status: 429, headers: { 'retry-after': '50' }, body: '{}' },
    ]);
    const leaving = new AbortController();
    const answer = gateway.answer(call(), leaving.signal);
    await endpoint.requested(1);
    leaving.abort(reason);
    const startedAt = performance.now();
    await expect(answer).rejects.toBe(reason);
    await gateway.idle();
    // It does not wait for the back-off to end, however busy the machine is.
    expect(performance.now() - startedAt).toBeLessThan(45_000);
  });

  it('leaves at once when its call was sent, and whoever asks next has the answer without paying', async () => {
    const hold = Promise.withResolvers<void>();
    const { gateway, store, endpoint, call } = await gatewayTo([{ content: 'Left.', after: hold.promise }]);
    const leaving = new AbortController();
    const first = gateway.answer(call(), leaving.signal);
    await endpoint.requested(1);
    leaving.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect(endpoint.inFlight).toBe(1);
    const second = gateway.answer(call(), never);
    hold.resolve();
    const answer = await second;
    expect(answer.message.content).toBe('Left.');
    expect(await store.journal.read(['run-1'], answer.key)).toEqual(answer);
    expect(endpoint.requests.length).toBe(1);
  });

  it('when its call was sent has the answer journaled, though nobody asks again', async () => {
    const hold = Promise.withResolvers<void>();
    const { gateway, store, endpoint, call } = await gatewayTo([{ after: hold.promise }]);
    const leaving = new AbortController();
    const answer = gateway.answer(call(), leaving.signal);
    await endpoint.requested(1);
    leaving.abort(reason);
    await expect(answer).rejects.toBe(reason);
    hold.resolve();
    await gateway.idle();
    expect((await store.reservations.use(scope, 'run')).calls).toBe(1);
    expect(await store.database.kysely.selectFrom('claims').selectAll().execute()).toEqual([]);
  });

  it('leaves a call behind that ends with its time limit, and is not sent again for nobody', async () => {
    const { gateway, store, endpoint, call } = await gatewayTo([{ fault: 'hang' }], { timeoutMs: 300 });
    const leaving = new AbortController();
    const answer = gateway.answer(call(), leaving.signal);
    await endpoint.requested(1);
    leaving.abort(reason);
    await expect(answer).rejects.toBe(reason);
    await gateway.idle();
    expect(endpoint.requests.length).toBe(1);
    expect((await store.reservations.use(scope, 'run')).calls).toBe(0);
    expect(await store.database.kysely.selectFrom('claims').selectAll().execute()).toEqual([]);
  });

  it('between its turn and the sending is not served', async () => {
    const { gateway, store, endpoint, call } = await gatewayTo([]);
    const leaving = new AbortController();
    const { control } = store.runs;
    store.runs.control = async (runId) => {
      leaving.abort(reason);
      return control.call(store.runs, runId);
    };
    await expect(gateway.answer(call(), leaving.signal)).rejects.toBe(reason);
    await gateway.idle();
    expect(endpoint.requests.length).toBe(0);
    expect((await store.reservations.use(scope, 'run')).calls).toBe(0);
  });

  it('does not take the answer from others who wait for it', async () => {
    const hold = Promise.withResolvers<void>();
    const { gateway, endpoint, call } = await gatewayTo([{ after: hold.promise }]);
    const leaving = new AbortController();
    const first = gateway.answer(call(), leaving.signal);
    const second = gateway.answer(call(), never);
    await endpoint.requested(1);
    leaving.abort(reason);
    await expect(first).rejects.toBe(reason);
    hold.resolve();
    expect((await second).message.content).toBe('An answer.');
    expect(endpoint.requests.length).toBe(1);
  });

  it('before it asked is not served', async () => {
    const { gateway, call } = await gatewayTo([]);
    await expect(gateway.answer(call(), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('leaves the key to whoever asks next, never with two requests at once', async () => {
    const { gateway, endpoint, call } = await gatewayTo([{ fault: 'hang' }, {}], { timeoutMs: 1_000 });
    const leaving = new AbortController();
    const first = gateway.answer(call(), leaving.signal);
    await endpoint.requested(1);
    leaving.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect((await gateway.answer(call(), never)).message.content).toBe('An answer.');
    expect(endpoint.requests.length).toBe(2);
    expect(endpoint.mostInFlight).toBe(1);
  });
});

describe('a process that ends', () => {
  it('ends the calls that are still under way, and leaves neither claim nor reservation', async () => {
    const { gateway, store, endpoint, call } = await gatewayTo([{ fault: 'hang' }]);
    const answer = gateway.answer(call(), never);
    await endpoint.requested(1);
    gateway.endCalls();
    await expect(answer).rejects.toThrow('ends');
    await gateway.idle();
    await expect.poll(() => endpoint.inFlight).toBe(0);
    expect((await store.reservations.use(scope, 'run')).calls).toBe(0);
    expect(await store.database.kysely.selectFrom('claims').selectAll().execute()).toEqual([]);
  });
});

describe('a full store', () => {
  it('keeps a paid answer until there is space, and does not ask again', async () => {
    const { gateway, store, endpoint, call } = await gatewayTo([{ content: 'x'.repeat(50_000) }]);
    const leaving = new AbortController();
    await limitPages(store, 'now');
    const first = gateway.answer(call(), leaving.signal);
    await endpoint.requested(1);
    await expect.poll(() => endpoint.inFlight).toBe(0);
    // The one who asked is cancelled, another one asks: the answer is there all the same.
    leaving.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    const second = gateway.answer(call(), never);
    await limitPages(store, 1_000_000);
    expect((await second).message.content?.length).toBe(50_000);
    expect((await store.reservations.use(scope, 'run')).calls).toBe(1);
    expect(endpoint.requests.length).toBe(1);
  });
});

describe('a store that is away while an answer comes', () => {
  it.each<[string, (store: Store) => object, Partial<ModelCall>, number]>([
    ['names its model', ({ unusable }) => vi.spyOn(unusable, 'servedModel'), {}, 1],
    ['came after a form of JSON was refused', ({ endpointFacts }) => vi.spyOn(endpointFacts, 'remember'), asJson, 2],
  ])('keeps an answer that %s, and it is not asked for again', async (_, watched, asked, requests) => {
    const held = Promise.withResolvers<void>();
    const { gateway, store, endpoint, call } = await gatewayTo(({ body }) =>
      JSON.stringify(body).includes('json_schema')
        ? { status: 400, body: '{"error":{"message":"This response_format is unavailable now"}}' }
        : { content: '{}', after: held.promise },
    );
    const writing = watched(store) as MockInstance;
    const asking = gateway.answer({ ...call(), ...asked }, never);
    await endpoint.requested(requests);
    await makeReadOnly(store, true);
    held.resolve();
    await refused(writing);
    await makeReadOnly(store, false);
    expect((await asking).message.content).toBe('{}');
    expect(endpoint.requests.length).toBe(requests);
    expect((await store.reservations.use(scope, 'run')).calls).toBe(1);
  });

  it('counts one that says nothing, and was paid for', async () => {
    const held = Promise.withResolvers<void>();
    const { gateway, store, endpoint, call } = await gatewayTo([{}, { content: '', after: held.promise }, {}]);
    await gateway.answer(call(), never);
    const writing = vi.spyOn(store.unusable, 'add');
    const asking = gateway.answer(call({ sample: 1 }), never);
    await endpoint.requested(2);
    await makeReadOnly(store, true);
    held.resolve();
    await refused(writing);
    await makeReadOnly(store, false);
    await asking;
    expect(endpoint.requests.length).toBe(3);
    expect(await store.unusable.lines('run-1')).toMatchObject([{ reason: 'wordless', calls: 1, promptTokens: 100 }]);
  });
});

describe('the limiter', () => {
  it('keeps to the configured number of calls at once', async () => {
    const hold = Promise.withResolvers<void>();
    const { gateway, endpoint, call } = await gatewayTo(() => ({ after: hold.promise }), { concurrency: 3 });
    const calls = Array.from({ length: 20 }, (_, sample) => gateway.answer(call({ sample }), never));
    await endpoint.requested(3);
    hold.resolve();
    await Promise.all(calls);
    expect(endpoint.mostInFlight).toBe(3);
  });

  it('shrinks when the provider has too much, and grows again with good answers', async () => {
    const { gateway, call } = await gatewayTo((_, number) => (number === 1 ? { status: 429, body: '{}' } : {}), {
      concurrency: 8,
    });
    await gateway.answer(call(), never);
    const { limiter } = gateway.endpoint('models').admission;
    expect(limiter.limit).toBe(4);
    // The first answer counts as one of four; then five more for the next place, and so on.
    for (let sample = 1; sample <= 4 + 5 + 6 + 7; sample++) await gateway.answer(call({ sample }), never);
    expect(limiter.limit).toBe(8);
  });
});

/** Lets the database grow no further than this: what a full disk does. */
async function limitPages(store: Store, pages: number | 'now'): Promise<void> {
  const { kysely } = store.database;
  const { rows } = await sql<{ page_count: number }>`PRAGMA page_count`.execute(kysely);
  await sql`PRAGMA max_page_count = ${sql.lit(pages === 'now' ? rows[0]!.page_count : pages)}`.execute(kysely);
}
