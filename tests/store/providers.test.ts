// Layer: the store on both engines.
import { expect, it } from 'vitest';
import { aim, stretchUs } from '../../src/domain/rate.ts';
import { describeEngines } from '../helpers/store.ts';

const limits = { requestsPerMinute: 600, tokensPerMinute: 60_000 };

describeEngines('providers', (engine) => {
  it('keeps the latest end of a cool-down, for all workers', async () => {
    const store = await engine.open();
    const other = await engine.reopen(store);
    expect(await other.providers.coolDownUntil('provider')).toEqual({ until: 0, reason: null });
    const until = Date.now() + 60_000;
    await store.providers.coolDown('provider', until, 'ECONNREFUSED');
    await other.providers.coolDown('provider', until - 5);
    expect(await other.providers.coolDownUntil('provider')).toEqual({ until, reason: 'ECONNREFUSED' });
  });

  it('cool down for an hour at most, whoever asked for more, by the clock of those who wait', async () => {
    const store = await engine.open();
    const latest = () => Date.now() + 3_600_000;
    await store.providers.coolDown('patient', 101_764_437_000_000);
    expect((await store.providers.coolDownUntil('patient')).until).toBeLessThanOrEqual(latest());
    // As a worker with a wrong clock, or of an earlier version, wrote it.
    const wrong = { cool_down_until: 101_764_437_000_000, cool_down_reason: null };
    const row = { name: 'wrong', ...wrong, next_request_us: 0, next_token_us: 0 };
    await store.database.kysely.insertInto('providers').values(row).execute();
    const { until } = await store.providers.coolDownUntil('wrong');
    expect(until).toBeLessThanOrEqual(latest());
    await new Promise((resolve) => setTimeout(resolve, 5));
    // It does not move on with the clock.
    expect(await store.providers.coolDownUntil('wrong')).toEqual({ until, reason: null });
  });

  it('are listed with their cool-downs, which can be ended', async () => {
    const { providers } = await engine.open();
    const until = Date.now() + 60_000;
    await providers.coolDown('one', until, 'ECONNREFUSED');
    await providers.coolDown('two', until);
    await providers.shareDemand('two', 'worker', 7, 60_000);
    expect(await providers.list()).toEqual([
      { name: 'one', coolDownUntil: until, reason: 'ECONNREFUSED', demand: 0 },
      { name: 'two', coolDownUntil: until, reason: null, demand: 7 },
    ]);
    expect(await providers.endCoolDowns('one')).toBe(1);
    expect(await providers.coolDownUntil('one')).toEqual({ until: 0, reason: null });
    expect(await providers.endCoolDowns(null)).toBe(1);
    expect(await providers.endCoolDowns(null)).toBe(0);
  });

  it('lease one stretch after the other, each unit by its own rate', async () => {
    const { providers } = await engine.open();
    const first = await providers.lease('p', { requests: 10, tokens: 2_000 }, limits, await providers.nextLeases('p'));
    const { next, nowUs } = await providers.nextLeases('p');
    expect(first.requests).toBeLessThanOrEqual(0);
    const second = await providers.lease('p', { requests: 1, tokens: 1 }, limits, { next, nowUs });
    expect(second.requests).toBeCloseTo(next.requests - nowUs, 0);
    const gapUs = stretchUs(10, limits.requestsPerMinute);
    expect(gapUs).toBeCloseTo(1_000_000 / aim, 3);
    // The first lease began half a second back, as nothing had been leased before.
    expect(next.tokens - next.requests).toBeCloseTo(stretchUs(2_000, limits.tokensPerMinute) - gapUs, -1);
  });

  it('lease nothing twice to workers that ask at once on several connections', async () => {
    const store = await engine.open();
    const stores = [store, await engine.reopen(store), await engine.reopen(store)];
    const before = await store.providers.nextLeases('p');
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const { providers } = stores[index % 3]!;
        await providers.lease('p', { requests: 2, tokens: 100 }, limits, await providers.nextLeases('p'));
      }),
    );
    const { next } = await store.providers.nextLeases('p');
    const leasedUs = stretchUs(60, limits.requestsPerMinute);
    // From at most half a second before the first look, without overlap.
    expect(next.requests - before.nowUs + 500_000).toBeGreaterThanOrEqual(leasedUs);
  });

  it('keep units without a limit out of it', async () => {
    const { providers } = await engine.open();
    const onlyRequests = { ...limits, tokensPerMinute: null };
    const seen = await providers.nextLeases('p');
    await providers.lease('p', { requests: 1, tokens: 1_000_000 }, onlyRequests, seen);
    expect((await providers.nextLeases('p')).next.tokens).toBe(0);
  });

  it('know what every process needs of their places, until it ends or is not heard of any more', async () => {
    const store = await engine.open();
    const { providers: other } = await engine.reopen(store);
    const { providers } = store;
    expect(await providers.shareDemand('p', 'a', 5, 60_000)).toEqual([5]);
    expect(await other.shareDemand('p', 'b', 7, 60_000)).toEqual([7, 5]);
    expect(await other.shareDemand('p', 'dead', 9, -1)).toEqual([9, 5, 7]);
    expect(await providers.shareDemand('p', 'a', 6, 60_000)).toEqual([6, 7]);
    expect(await providers.shareDemand('q', 'a', 1, 60_000)).toEqual([1]);
    await other.endShare('p', 'b');
    expect(await providers.shareDemand('p', 'a', 6, 60_000)).toEqual([6]);
  });
});
