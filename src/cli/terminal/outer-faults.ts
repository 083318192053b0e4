/** A refusal by the system or a server is no defect of Crux. Such errors get their kind here, whatever their source. */
import { CruxError, causesOf, errorText } from '../../errors.ts';
import { fullDiskFault, fullDiskRemedy } from '../../full-disk.ts';

/** Returns any other error as it is. */
export function asOuterFault(error: unknown): unknown {
  if (error instanceof CruxError) return error;
  const noRoom = fullDiskFault(error);
  if (noRoom !== null) return noRoom;
  const chain = causesOf(error);
  for (const cause of chain) {
    const fault = diskFault(cause);
    if (fault !== null) return fault;
  }
  const words = [...new Set(chain.map(errorText))].join(': ');
  const ofTemporal = chain.some(({ name }) => temporalErrors.has(name));
  if (!ofTemporal) return error;
  if (/disk is full|no space left/i.test(words)) {
    return new CruxError('Disk.Full', `The disk of the Temporal server's data is full (${words}).`, {
      remedy: fullDiskRemedy,
      cause: error,
    });
  }
  return new CruxError('Temporal.Unavailable', `The Temporal server does not do what it is asked for: ${words}`, {
    remedy: 'Look whether it runs (its log is temporal-server.log in the home folder), then give the command again.',
    cause: error,
  });
}

/** Errors of the client and of the worker's connection. */
const temporalErrors: ReadonlySet<string> = new Set(['ServiceError', 'TransportError']);

const refused: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOTDIR',
  'EISDIR',
  'ENAMETOOLONG',
]);
/** Low bytes of SQLite's result codes: READONLY, IOERR, CANTOPEN. https://www.sqlite.org/rescode.html */
const sqliteRefused: ReadonlySet<number> = new Set([8, 10, 14]);

function diskFault(error: Error & { code?: unknown; errcode?: unknown; syscall?: unknown }): CruxError | null {
  const code = typeof error.code === 'string' && error.syscall !== undefined ? error.code : '';
  const sqlite = typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
  // A folder that cannot be made, where there are none (`/proc`) or a file has its name.
  const isNoPlace = error.syscall === 'mkdir' && (code === 'ENOENT' || code === 'EEXIST');
  if (!refused.has(code) && !isNoPlace && !sqliteRefused.has(sqlite)) return null;
  return new CruxError('Disk.Unavailable', `A file cannot be read or written: ${errorText(error)}.`, {
    remedy: 'Check that file or folder, its owner and the disk.',
    cause: error,
  });
}
