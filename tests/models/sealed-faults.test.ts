// Layer: the gateway in a seal, against a scripted endpoint. What a server says about a sealed task stands nowhere in clear.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { CruxError } from '../../src/errors.ts';
import { withSealsClosed, withSealsOpened } from '../../src/sealed-text.ts';
import { inSeal } from '../../src/sealing.ts';
import type { Store } from '../../src/store/store.ts';
import type { Reply } from '../helpers/model-endpoint.ts';
import { gatewayTo, never } from './gateway-builder.ts';

const secret = 'which river flows through the town of the engineer who built it';
const canary = 'a phrase of a benchmark';

const refusal = (status: number): Reply => ({ status, body: JSON.stringify({ detail: `cannot read "${secret}"` }) });

function writtenBy({ location }: Store): string {
  return [location, `${location}-wal`].map((path) => readFileSync(path, 'latin1')).join('');
}

it.each<[string, Reply, string]>([
  [
    'answers in the form of another API',
    { body: JSON.stringify({ message: { role: 'assistant', content: secret }, done: true }) },
    'The endpoint "models" gave no answer that can be read: (sealed) This was answer 4 of its kind to one call.',
  ],
  ['refuses the key', refusal(401), 'The endpoint "models" answered 401: (sealed) Renew the key'],
  ['refuses every request', refusal(422), 'The endpoint "models" answered 422: (sealed) Check model name'],
])('a block by a server that %s names address and remedy, and holds its words sealed', async (_, reply, shown) => {
  const { gateway, store, call } = await gatewayTo(() => reply);
  const fault = await inSeal(canary, () => gateway.answer(call(), never)).catch((error: CruxError) => error);
  const { message } = (await store.runs.get('run-1')).block!;
  expect(fault).toMatchObject({ kind: 'Run.Blocked', message: expect.stringContaining(message) });
  expect(withSealsClosed(message)).toContain(shown);
  expect(message).not.toContain(secret);
  expect(withSealsOpened(message)).toContain(secret);
  expect(writtenBy(store)).not.toContain('flows through');
  // The faults of its calls are shown in the same words.
  const faults = await store.database.kysely.selectFrom('faults').select('last_message').execute();
  expect(faults.map((row) => withSealsOpened(row.last_message)).join()).toContain(secret);
  expect(faults.map((row) => row.last_message).join()).not.toContain(secret);
});

it('the cool-down of a server that is away holds its words sealed', async () => {
  const { gateway, store, call } = await gatewayTo(() => refusal(503));
  const leaving = new AbortController();
  const asking = inSeal(canary, () => gateway.answer(call(), leaving.signal));
  const reason = async () => (await store.providers.list())[0]?.reason ?? '';
  await expect.poll(async () => withSealsOpened(await reason())).toContain(secret);
  leaving.abort(new Error('over'));
  await expect(asking).rejects.toThrow();
  expect(writtenBy(store)).not.toContain('flows through');
});

it.each([400, 500])(
  'a form of JSON that is refused with %s gives way to the next one, and the words are kept sealed',
  async (status) => {
    const { gateway, store, call } = await gatewayTo(({ body }) =>
      JSON.stringify(body).includes('json_schema')
        ? { status, body: JSON.stringify({ error: { message: `response_format is broken for "${secret}"` } }) }
        : { content: '{}' },
    );
    const responseFormat = { type: 'json_schema', json_schema: { name: 'score', schema: { type: 'object' } } };
    const asked = { ...call(), responseFormat };
    expect((await inSeal(canary, () => gateway.answer(asked, never))).message.content).toBe('{}');
    const [fact] = await store.endpointFacts.ofModel('test-model');
    expect(withSealsOpened(fact!.words!)).toContain(secret);
    expect(writtenBy(store)).not.toContain('flows through');
  },
);
