import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../environments/contract.ts';
import { CruxError, errorText } from '../../errors.ts';

/** Pauses between the attempts: a host that restarts is back by then; one that is broken is not worth more. */
const pausesMs = [200, 2_000];

/**
 * Lets an environment do something, up to three times if repeating is harmless: some failures of a host pass by themselves.
 * @throws CruxError `Environment.Fault` after the last attempt; other kinds, such as a replay that diverged, and an abort at once
 */
export async function insist<T>(
  environment: Environment,
  what: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const pauses = environment.capabilities.replay === 'never' ? [] : pausesMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || (error instanceof CruxError && error.kind !== 'Environment.Fault')) throw error;
      const pauseMs = pauses[attempt];
      if (pauseMs === undefined) throw asFault(environment, what, error);
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

function asFault(environment: Environment, what: string, error: unknown): CruxError {
  if (error instanceof CruxError) return error;
  return new CruxError(
    'Environment.Fault',
    `The environment ${environment.name} failed at ${what}: ${errorText(error)}`,
    { cause: error },
  );
}
