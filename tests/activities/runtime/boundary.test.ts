// Layer: activities in MockActivityEnvironment.
import type { Info } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/activity';
import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { activity } from '../../../src/activities/runtime/boundary.ts';
import { CruxError, type FaultKind } from '../../../src/errors.ts';
import { quietEnvironment } from '../workplace.ts';

const failing = (error: unknown) =>
  activity(async () => {
    throw error;
  });

async function failureOf(error: unknown, info: Partial<Info> = {}): Promise<ApplicationFailure> {
  const thrown = await quietEnvironment(info)
    .run(failing(error), undefined)
    .then(
      () => null,
      (reason: unknown) => reason,
    );
  expect(thrown).toBeInstanceOf(ApplicationFailure);
  return thrown as ApplicationFailure;
}

describe('a fault', () => {
  it.each<[FaultKind, boolean]>([
    ['User.Config', false],
    ['User.NotFound', false],
    ['Store.NewerSchema', false],
    ['Store.Corrupt', false],
    ['Store.Full', true],
    ['Store.Unavailable', true],
    ['Model.RateLimit', true],
    ['Model.Transport', true],
    ['Model.Rejected', false],
    ['Model.ContextLength', false],
    ['Model.Exhausted', false],
    ['Environment.Fault', false],
    ['Environment.ReplayDivergence', false],
    ['Run.Paused', true],
    ['Run.Cancelled', false],
    ['Run.Budget', false],
  ])('of kind %s travels by that name; tried again: %s', async (kind, isRetried) => {
    const failure = await failureOf(new CruxError(kind, 'What happened.', { remedy: 'What to do.' }));
    expect(failure).toMatchObject({ type: kind, message: 'What happened. What to do.', nonRetryable: !isRetried });
  });

  it('says when it is to be tried again', async () => {
    const failure = await failureOf(new CruxError('Model.RateLimit', 'Later.', { retryAfterMs: 90_000.4 }));
    expect(failure.nextRetryDelay).toBe(90_001);
    expect((await failureOf(new CruxError('Model.RateLimit', 'Now.', { retryAfterMs: 0 }))).nextRetryDelay).toBe(1);
    expect((await failureOf(new CruxError('Store.Full', 'Some time.'))).nextRetryDelay).toBeUndefined();
  });

  it.each<[FaultKind, string | undefined]>([
    ['Run.Paused', 'BENIGN'],
    ['Model.RateLimit', 'BENIGN'],
    ['Store.Full', undefined],
  ])('of kind %s is of the category %s', async (kind, category) => {
    expect((await failureOf(new CruxError(kind, 'Wait.'))).category ?? undefined).toBe(category);
  });

  it('of no kind is a defect, tried some times and then shown', async () => {
    expect(await failureOf(new TypeError('x is undefined'))).toMatchObject({
      type: 'Defect',
      message: 'x is undefined',
      nonRetryable: false,
    });
    const last = { heartbeatDetails: { defects: 9 } };
    expect((await failureOf(new TypeError('x is undefined'), last)).nonRetryable).toBe(true);
    // Pauses and rate limits are attempts too, and no defects.
    expect((await failureOf(new TypeError('x is undefined'), { attempt: 50 })).nonRetryable).toBe(false);
    expect((await failureOf('just words')).message).toBe('just words');
  });

  it('that is typed already is left as it is', async () => {
    const failure = ApplicationFailure.create({ type: 'Worker.Stopping', message: 'Bye.' });
    expect(await failureOf(failure)).toBe(failure);
  });
});

describe('a heartbeat', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('beats from a timer that the first line starts, for as long as the work takes, and no longer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const environment = quietEnvironment();
    let beats = 0;
    environment.on('heartbeat', () => beats++);
    const end = Promise.withResolvers<string>();
    const done = environment.run(
      activity(() => end.promise),
      undefined,
    );
    // Short work needs none: each beat is a request to the server.
    expect(beats).toBe(0);
    // The server takes a worker for dead after 12 seconds.
    vi.advanceTimersByTime(12_000);
    expect(beats).toBeGreaterThan(4);
    end.resolve('done');
    expect(await done).toBe('done');
    const last = beats;
    vi.advanceTimersByTime(60_000);
    expect(beats).toBe(last);
  });
});

describe('a cancellation', () => {
  const untilCancelled = activity(
    (_: undefined, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
  );

  it('reaches the work as a signal, and is told as a cancellation', async () => {
    const environment = quietEnvironment();
    const done = environment.run(untilCancelled, undefined);
    environment.cancel('CANCELLED');
    await expect(done).rejects.toBeInstanceOf(CancelledFailure);
  });

  it('because the worker goes away is no cancellation: the work is taken up elsewhere', async () => {
    const environment = quietEnvironment();
    const done = environment.run(untilCancelled, undefined);
    environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    await expect(done).rejects.toMatchObject({ type: 'Worker.Stopping', nonRetryable: false, category: 'BENIGN' });
  });

  it('that comes too late does not take a result away', async () => {
    const environment = quietEnvironment();
    const work = activity(async () => {
      environment.cancel('CANCELLED');
      return 'paid and stored';
    });
    expect(await environment.run(work, undefined)).toBe('paid and stored');
  });
});
