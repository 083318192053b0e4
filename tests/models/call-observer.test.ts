// Layer: the gateway against a scripted endpoint, seen through its metrics and its log.
import { describe, expect, it } from 'vitest';
import { CallObserver } from '../../src/models/call-observer.ts';
import { Gateway } from '../../src/models/gateway.ts';
import type { LogFields } from '../../src/observe/log.ts';
import { countingInstruments } from '../helpers/metrics.ts';
import { gatewayTo, never } from './gateway-builder.ts';

function observed() {
  const { instruments, samples } = countingInstruments();
  const logged: (LogFields & { level: string; event: string })[] = [];
  const observer = new CallObserver(instruments, (level, event, fields) => logged.push({ level, event, ...fields }));
  return { observer, samples, logged };
}

const policy = 'role="policy",endpoint="models"';

describe('a paid answer', () => {
  it('counts as a call with its tokens, cost and time', async () => {
    const { observer, samples } = observed();
    const { gateway, call } = await gatewayTo([{ usage: { prompt_tokens: 70, completion_tokens: 30 } }], { observer });
    await gateway.answer(call(), never);
    expect(await samples()).toMatchObject({
      [`crux_model_calls_total{${policy}}`]: 1,
      [`crux_model_tokens_total{${policy},kind="prompt"}`]: 70,
      [`crux_model_tokens_total{${policy},kind="generated"}`]: 30,
      // 70 tokens at 1 and 30 tokens at 2 micro-dollars.
      [`crux_model_cost_dollars_total{${policy}}`]: 0.00013,
      [`crux_model_call_seconds_count{${policy}}`]: 1,
    });
  });

  it('without usage is of unknown cost, not of none', async () => {
    const { observer, samples } = observed();
    const { gateway, call } = await gatewayTo([{ usage: null }], { observer });
    await gateway.answer(call(), never);
    const page = await samples();
    expect(page).toMatchObject({ [`crux_model_cost_unknown_total{${policy}}`]: 1 });
    expect(Object.keys(page).filter((name) => /cost_dollars|tokens/.test(name))).toEqual([]);
  });

  it('is logged with run, step and figures, and without its words', async () => {
    const { observer, logged } = observed();
    const { gateway, call, run } = await gatewayTo([{ content: 'Open sesame.' }], { observer });
    await gateway.answer(call(), never);
    expect(logged).toMatchObject([
      { level: 'debug', event: 'model answered', run: run.id, step: 1, role: 'policy', promptTokens: 100 },
    ]);
    expect(JSON.stringify(logged)).not.toContain('sesame');
  });
});

it('an answer from the journal counts as read, not as a call', async () => {
  const { gateway, store, config, call } = await gatewayTo([{}]);
  await gateway.answer(call(), never);
  const { observer, samples } = observed();
  await new Gateway(store, { models: config }, observer).answer(call(), never);
  expect(await samples()).toEqual({ [`crux_model_journal_reads_total{${policy}}`]: 1 });
});

it('a fault counts under its kind, and is logged with it', async () => {
  const { observer, samples, logged } = observed();
  const { gateway, call } = await gatewayTo([{ status: 500, body: '{"error":{"message":"broken"}}' }, {}], {
    observer,
  });
  await gateway.answer(call(), never);
  const page = await samples();
  expect(page).toMatchObject({
    [`crux_model_faults_total{${policy},kind="Model.Transport"}`]: 1,
    [`crux_model_calls_total{${policy}}`]: 1,
  });
  expect(page['crux_model_wait_seconds_total{endpoint="models",reason="fault"}']).toBeCloseTo(0.2);
  expect(logged.map(({ event }) => event)).toEqual(['model call failed', 'model answered']);
});

it('a rate limit counts as time that calls waited for it, also where the wait goes back to Temporal', async () => {
  const { observer, samples } = observed();
  const tooMany = { status: 429, headers: { 'retry-after': '600' }, body: '{"error":{"message":"slow down"}}' };
  const { gateway, call } = await gatewayTo([tooMany], { observer });
  await expect(gateway.answer(call(), never)).rejects.toMatchObject({ kind: 'Model.RateLimit' });
  expect((await samples())['crux_model_wait_seconds_total{endpoint="models",reason="rate-limit"}']).toBeCloseTo(600);
});

it('calls under way and calls that wait for a place are told apart', async () => {
  const hold = Promise.withResolvers<void>();
  const { gateway, endpoint, call } = await gatewayTo(() => ({ after: hold.promise }), { concurrency: 2 });
  const calls = Array.from({ length: 5 }, (_, sample) => gateway.answer(call({ sample }), never));
  await endpoint.requested(2);
  expect(gateway.load()).toEqual([{ endpoint: 'models', limit: 2, underWay: 2, waiting: 3 }]);
  hold.resolve();
  await Promise.all(calls);
  expect(gateway.load()).toEqual([{ endpoint: 'models', limit: 2, underWay: 0, waiting: 0 }]);
});
