import { hostname } from 'node:os';
import { CruxError, type FaultKind } from '../errors.ts';

/** What an improvement made before is there no more. It has the phase behind it, so the same command does not make it again. */
export function goneFault(kind: FaultKind, what: string, path: string): CruxError {
  return new CruxError(kind, `${what} are gone: there is no ${path} on the machine ${hostname()}.`, {
    remedy:
      'Put back the folder as it was, and give the same command again. Without it this improvement cannot go on: begin another one, with another --run-id.',
  });
}
