/** Names what went wrong in a session, counts it and logs it. */
import { CruxError, errorText } from '../../errors.ts';
import type { Instruments } from '../../observe/instruments.ts';
import type { Log } from '../../observe/log.ts';
import type { Position } from '../../store/tree.ts';
import type { Environment } from '../contract.ts';

/** @returns the error that a caller gets: a typed one, or the signal's reason if the caller gave up */
export type NameFault = (environment: Environment, state: Position, error: unknown, signal: AbortSignal) => unknown;

export function faultNamer(instruments: Instruments, log: Log): NameFault {
  return (environment, state, error, signal) => {
    const fault = environmentFault(environment, state, error, signal);
    const fields = { environment: environment.name, task: state.taskId, step: state.step };
    const kind = fault instanceof CruxError ? fault.kind : null;
    if (kind === 'Environment.Fault') {
      instruments.environmentFaults.add(1, { environment: environment.name });
      log('warn', 'environment broke', { ...fields, error: fault });
    }
    if (kind === 'Environment.ReplayDivergence') {
      instruments.divergences.add(1, { environment: environment.name });
      // The error holds what was observed, and the store keeps the error. Logs hold no observations.
      log('warn', 'replay diverged', fields);
    }
    return fault;
  };
}

function environmentFault(environment: Environment, state: Position, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof CruxError) return error;
  return new CruxError(
    'Environment.Fault',
    `The environment ${environment.name} failed in task ${state.taskId} after ${state.step} steps: ${errorText(error)}`,
    { cause: error },
  );
}
