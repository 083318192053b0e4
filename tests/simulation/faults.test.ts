// Layer: fault plan as pure core; then the server over loopback HTTP.
import OpenAI, { APIConnectionError, APIConnectionTimeoutError } from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import { createFaultPlan, type FaultOptions, retryAfterHeader } from '../../src/simulation/faults.ts';
import { mazeEnvironment } from '../../src/simulation/maze-environment.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';
import { type Simulation, startSimulation } from '../../src/simulation/server.ts';

describe('fault plan', () => {
  const options = { rate429: 0.2, rate500: 0.1, rateHang: 0.1, rateCut: 0.1, rateMalformed: 0.1, rateTruncated: 0.1 };
  const keys = Array.from({ length: 4000 }, (_, index) => `key ${index}`);

  test('injects each fault at its rate', () => {
    const plan = createFaultPlan(1, options);
    const faults = keys.map((key) => plan.next(key).fault);
    const share = (name: string | null) => faults.filter((fault) => fault === name).length / faults.length;
    expect(share('rate-limit')).toBeCloseTo(0.2, 1);
    for (const name of ['server-error', 'hang', 'cut', 'malformed', 'truncated'])
      expect(Math.abs(share(name) - 0.1)).toBeLessThan(0.02);
    expect(Math.abs(share(null) - 0.3)).toBeLessThan(0.03);
  });

  test('depends on seed, key and how often the key came, not on what came between', () => {
    const alone = createFaultPlan(1, options);
    const mixed = createFaultPlan(1, options);
    const sequence = (plan: ReturnType<typeof createFaultPlan>, other: boolean) =>
      Array.from({ length: 6 }, () => {
        if (other) plan.next('another key');
        return plan.next('key').fault;
      });
    expect(sequence(mixed, true)).toEqual(sequence(alone, false));
    const all = (seed: number) => {
      const plan = createFaultPlan(seed, options);
      return keys.map((key) => plan.next(key).fault);
    };
    expect(all(2)).not.toEqual(all(1));
  });

  test('serves every key after two faults', () => {
    const plan = createFaultPlan(1, { rate500: 1 });
    const faults = Array.from({ length: 5 }, () => plan.next('key').fault);
    expect(faults).toEqual(['server-error', 'server-error', null, null, null]);
    expect(plan.counts()).toEqual({ distinctKeys: 1, repeatedKeys: 1 });
  });

  test('rejects rates that are no shares', () => {
    expect(() => createFaultPlan(1, { rate500: 0.7, rateCut: 0.4 })).toThrow(RangeError);
    expect(() => createFaultPlan(1, { rate500: -0.1 })).toThrow(RangeError);
  });

  test('says in three forms when to come back, which take turns', () => {
    const forms = [0, 1, 2].map((request) =>
      retryAfterHeader('key', request, 1500, Date.parse('2030-01-01T00:00:00Z')),
    );
    expect(forms).toEqual(
      expect.arrayContaining([
        ['retry-after', '2'],
        ['retry-after-ms', '1500'],
        ['retry-after', 'Tue, 01 Jan 2030 00:00:02 GMT'],
      ]),
    );
  });
});

describe('faults over HTTP', () => {
  const mazes = createMazes({ seed: 2, count: 1 });
  let simulation: Simulation;
  afterEach(() => simulation.close());

  /** Asks three times under one key: two faults, then an answer. */
  async function askThrice(faults: FaultOptions) {
    simulation = await startSimulation({ seed: 1, worlds: [mazeWorld(mazes)], faults });
    const client = new OpenAI({ apiKey: 'ignored', baseURL: `${simulation.url}/v1`, maxRetries: 0, timeout: 1000 });
    const environment = mazeEnvironment(mazes);
    const { user } = await environment.briefing((await environment.tasks())[0]!);
    const ask = () =>
      client.chat.completions.create(
        { model: 'sim-policy', messages: [{ role: 'user', content: user }] },
        { headers: { 'Idempotency-Key': 'key' } },
      );
    const errors = [await ask().catch((error: unknown) => error), await ask().catch((error: unknown) => error)];
    const answer = await ask();
    expect(answer.choices[0]?.message.content).toContain('Action: go');
    await expect
      .poll(() => simulation.stats())
      .toMatchObject({ requests: 3, completeAnswers: 1, keysAnsweredAgain: 0, inFlight: 0 });
    return errors as [Error, Error];
  }

  test('429 carries when to come back', async () => {
    const errors = await askThrice({ rate429: 1, retryAfterMs: 40 });
    for (const error of errors) {
      expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
      const { headers } = error as Error & { headers: Headers };
      expect(headers.get('retry-after') ?? headers.get('retry-after-ms')).toBeTruthy();
    }
    expect(simulation.stats().faults['rate-limit']).toBe(2);
  });

  test('500 is an OpenAI error', async () => {
    for (const error of await askThrice({ rate500: 1 })) expect(error).toMatchObject({ status: 500 });
  });

  test('a hanging request is answered only by the client giving up', async () => {
    for (const error of await askThrice({ rateHang: 1 })) expect(error).toBeInstanceOf(APIConnectionTimeoutError);
    expect(simulation.stats().models['sim-policy']?.statuses).toEqual({ none: 2, '200': 1 });
  });

  test('a cut connection breaks the body off', async () => {
    for (const error of await askThrice({ rateCut: 1 })) {
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(SyntaxError);
    }
    expect(simulation.stats().faults.cut).toBe(2);
  });

  test('a malformed body has status 200 and is no JSON', async () => {
    for (const error of await askThrice({ rateMalformed: 1 })) expect(error).toBeInstanceOf(SyntaxError);
  });

  test('a truncated body is shorter than its Content-Length', async () => {
    for (const error of await askThrice({ rateTruncated: 1 })) {
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(APIConnectionError);
      expect(error).not.toBeInstanceOf(SyntaxError);
    }
    expect(simulation.stats().faults.truncated).toBe(2);
  });
});
