// Layer: gateways against simulated and scripted models over HTTP, under a rate.
import { performance } from 'node:perf_hooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EndpointConfig } from '../../src/models/endpoint.ts';
import { Gateway } from '../../src/models/gateway.ts';
import type { ModelCall } from '../../src/models/model-call.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';
import { type Simulation, startSimulation } from '../../src/simulation/server.ts';
import type { Run } from '../../src/store/runs.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { addRun, runConfig, temporaryStore } from '../helpers/store.ts';
import { gatewayTo, modelCall, never } from './gateway-builder.ts';

const mazes = createMazes({ seed: 1, count: 4 });

async function simulation(requestsPerMinute: number): Promise<Simulation> {
  const started = await startSimulation({ seed: 7, worlds: [mazeWorld(mazes)], rate: { requestsPerMinute } });
  onTestFinished(() => started.close());
  return started;
}

function gatewayOf(store: Store, server: Simulation, changes: Partial<EndpointConfig>): Gateway {
  const models: EndpointConfig = {
    baseUrl: `${server.url}/v1`,
    apiKeyEnv: null,
    keyHeader: 'authorization',
    provider: null,
    concurrency: 64,
    requestsPerMinute: null,
    tokensPerMinute: null,
    timeoutMs: 10_000,
    maxFaults: 8,
    logprobs: false,
    ...changes,
  };
  return new Gateway(store, { models });
}

async function simulatedRun(store: Store, id = 'run-1'): Promise<Run> {
  const { models } = runConfig();
  return addRun(store, { id, config: { models: { ...models, policy: { ...models.policy, model: 'sim-policy' } } } });
}

function simulatedCall(run: Run, sample: number): ModelCall {
  const maze = mazes[sample % mazes.length]!;
  return {
    ...modelCall(run, { nodeId: maze.id, sample }),
    messages: [
      { role: 'system', content: 'Write "Action: go" and "Action Input: {"door": …}".' },
      { role: 'user', content: `Maze: ${maze.id}\nYou are in ${maze.start}. Doors: a, b.` },
    ],
  };
}

/** Answers per minute that this machine gives to these calls where nobody limits them. */
async function unlimited(count: number): Promise<number> {
  const server = await simulation(1_000_000);
  const store = await temporaryStore();
  const run = await simulatedRun(store);
  const gateway = gatewayOf(store, server, {});
  return goodput(Array.from({ length: count }, (_, sample) => () => gateway.answer(simulatedCall(run, sample), never)));
}

/** What is left of a rate where every answer takes this machine its own time too. */
const reachable = (rate: number, machine: number) => 1 / (1 / rate + 1 / machine);

/** Answers per minute while all these calls are made. */
async function goodput(calls: (() => Promise<unknown>)[]): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(calls.map((call) => call()));
  return (calls.length * 60_000) / (performance.now() - startedAt);
}

describe('a provider that allows R requests a minute', () => {
  const rate = 1_500;

  it('gives two workers together at least 90 % of R, and refuses next to nothing', async () => {
    const server = await simulation(rate);
    const store = await temporaryStore();
    const other = await openStore(store.location);
    onTestFinished(() => other.close());
    const run = await simulatedRun(store);
    const workers = [store, other].map((own) => gatewayOf(own, server, { requestsPerMinute: rate }));
    const served = await goodput(
      Array.from({ length: 150 }, (_, sample) => () => workers[sample % 2]!.answer(simulatedCall(run, sample), never)),
    );
    expect(served).toBeGreaterThanOrEqual(0.9 * reachable(rate, await unlimited(150)));
    expect(server.stats().faults['rate-limit']).toBeLessThan(20);
    // What the calls waited for our own limit is no refusal.
    const waited = await store.waits.waited('run-1');
    expect(waited.queuedMs).toBeGreaterThan(1_000);
    expect(waited.throttledMs).toBeLessThan(waited.queuedMs! / 2);
  });

  it('gives a worker that knows nothing of R most of it, at the price of refusals', async () => {
    const server = await simulation(rate);
    const store = await temporaryStore();
    const run = await simulatedRun(store);
    const gateway = gatewayOf(store, server, {});
    const calls = Array.from({ length: 150 }, (_, sample) => () => gateway.answer(simulatedCall(run, sample), never));
    // The provider lets a second's worth through at once: that is not of its rate.
    const share = (calls.length - rate / 60) / calls.length;
    const served = share * (await goodput(calls));
    expect(served).toBeGreaterThanOrEqual(0.7 * reachable(rate, await unlimited(150)));
    expect(server.stats().faults['rate-limit']).toBeGreaterThan(20);
  });
});

describe('workers that share a rate', () => {
  it('get about the same of it while both have calls that wait', async () => {
    const { store, config, gateway, run, endpoint } = await gatewayTo(() => ({}), { requestsPerMinute: 6_000 });
    const otherStore = await openStore(store.location);
    onTestFinished(() => otherStore.close());
    const answered = [0, 0];
    const enough = Promise.withResolvers<void>();
    const calls = [gateway, new Gateway(otherStore, { models: config })].flatMap((worker, number) =>
      Array.from({ length: 150 }, async (_, sample) => {
        await worker.answer(modelCall(run, { sample, ask: number }), never);
        answered[number]!++;
        if (answered[0]! + answered[1]! === 200) enough.resolve();
      }),
    );
    await enough.promise;
    const [least] = answered.toSorted((one, other) => one - other);
    await Promise.all(calls);
    expect(endpoint.requests.length).toBe(300);
    // Of 200: one that is left out has next to none.
    expect(least).toBeGreaterThan(40);
  });
});

describe('workers that share the places of a provider', () => {
  it('have together no more calls under way than there are, and one alone has all', async () => {
    const reply = () => ({ after: new Promise((resolve) => setTimeout(resolve, 60)) });
    const { store, config, gateway, run, endpoint } = await gatewayTo(reply, { concurrency: 8 });
    const otherStore = await openStore(store.location);
    onTestFinished(() => otherStore.close());
    const workers = [gateway, new Gateway(otherStore, { models: config })];
    const leaving = new AbortController();
    const calls = (number: number) =>
      Array.from({ length: 1_000 }, (_, sample) =>
        workers[number]!.answer(modelCall(run, { sample, ask: number }), leaving.signal).catch(() => {}),
      );
    const first = calls(0);
    await endpoint.requested(30);
    expect(endpoint.mostInFlight).toBe(8);
    const second = calls(1);
    const places = () => workers.map((worker) => worker.endpoint('models').admission.limiter.limit);
    await expect.poll(places, { timeout: 8_000 }).toEqual([4, 4]);
    // On a busy machine a share may be renewed late, and the other worker has taken it for free meanwhile.
    const mostOfForty = async () => {
      endpoint.mostInFlight = endpoint.inFlight;
      await endpoint.requested(endpoint.requests.length + 40);
      return endpoint.mostInFlight;
    };
    await expect.poll(mostOfForty, { timeout: 20_000 }).toBeLessThanOrEqual(8);
    leaving.abort(new Error('end of the test'));
    await Promise.all([...first, ...second, ...workers.map((worker) => worker.idle())]);
  });
});

describe('runs that share a rate', () => {
  it('take turns: one with few calls is served while another has many', async () => {
    const hold = Promise.withResolvers<void>();
    const settings = { requestsPerMinute: 6_000, concurrency: 8 };
    const { store, gateway, endpoint, run } = await gatewayTo(() => ({ after: hold.promise }), settings);
    const few = await addRun(store, { id: 'run-2' });
    const many = Array.from({ length: 150 }, (_, sample) => gateway.answer(modelCall(run, { sample }), never));
    await endpoint.requested(8);
    const scarce = Array.from({ length: 20 }, (_, sample) => gateway.answer(modelCall(few, { sample }), never));
    // Until all of them wait.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    hold.resolve();
    await Promise.all(scarce);
    // Those of the one that were under way, twenty turns of each, and at most a block that came after.
    expect(endpoint.requests.length).toBeLessThanOrEqual(8 + 40 + 24);
    await Promise.all(many);
  });

  it('get at most the tokens of a minute, counting what was used in place of the worst case', async () => {
    // A call has a worst case of some 140 tokens and uses 110: at 100 calls a second, unlimited by the worst case alone.
    const tokensPerMinute = 110 * 60 * 50;
    const { gateway, endpoint, call } = await gatewayTo(() => ({}), { tokensPerMinute });
    const served = await goodput(
      Array.from({ length: 200 }, (_, sample) => () => gateway.answer(call({ sample }), never)),
    );
    expect(endpoint.requests.length).toBe(200);
    // Half a second is made up for at the start.
    expect(served * 110).toBeLessThan(1.25 * tokensPerMinute);
    const free = await gatewayTo(() => ({}), {});
    const machine = await goodput(
      Array.from({ length: 200 }, (_, sample) => () => free.gateway.answer(free.call({ sample }), never)),
    );
    expect(served).toBeGreaterThan(0.8 * reachable(tokensPerMinute / 110, machine));
  });
});

describe('a call that would wait for minutes', () => {
  it('is sent away with the time to come back, and notes what it waits for', async () => {
    const { store, gateway, endpoint, call } = await gatewayTo(() => ({}), { requestsPerMinute: 1 });
    const leaving = new AbortController();
    await gateway.answer(call(), never);
    // One waits for its turn in a minute; for another one that is two.
    const waiting = gateway.answer(call({ sample: 1 }), leaving.signal);
    await expect(gateway.answer(call({ sample: 2 }), never)).rejects.toMatchObject({ kind: 'Model.RateLimit' });
    expect(await store.waits.waitingFor('run-1')).toMatchObject([{ endpoint: 'models', calls: 1 }]);
    leaving.abort(new Error('end of the test'));
    await expect(waiting).rejects.toThrow('end of the test');
    await gateway.idle();
    expect(endpoint.requests.length).toBe(1);
  });
});

describe('an endpoint without a rate', () => {
  it('asks the store for no lease', async () => {
    const { store, gateway, call } = await gatewayTo(() => ({}));
    await Promise.all(Array.from({ length: 20 }, (_, sample) => gateway.answer(call({ sample }), never)));
    expect(await store.database.kysely.selectFrom('providers').selectAll().execute()).toEqual([]);
  });
});
