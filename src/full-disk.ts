/** A disk without room, or a quota that is used up: no defect, and only a person can mend it. Whoever meets one learns it here. */
import { CruxError, causesOf, errorText } from './errors.ts';

const full: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);
/** Low byte of SQLite's result code. https://www.sqlite.org/rescode.html */
const sqliteFull = 13;

/** The fault of an error, or of one of its causes; null for any other error, and for faults that have a kind already. */
export function fullDiskFault(error: unknown): CruxError | null {
  if (error instanceof CruxError) return null;
  const refusal = causesOf(error).find(isRefusal);
  if (refusal === undefined) return null;
  const where = 'path' in refusal && typeof refusal.path === 'string' ? ` of ${refusal.path}` : '';
  return new CruxError('Disk.Full', `The disk${where} is full (${errorText(refusal)}).`, {
    remedy: fullDiskRemedy,
    cause: refusal,
  });
}

export const fullDiskRemedy = 'Free some space, then give the command again: what was stored is there.';

function isRefusal(error: Error & { code?: unknown; errcode?: unknown; syscall?: unknown }): boolean {
  const { code, errcode, syscall } = error;
  return (syscall !== undefined && full.has(code)) || (typeof errcode === 'number' && (errcode & 0xff) === sqliteFull);
}

/** Whether words say so: of a trainer, in its log, or of an error whose code is lost. */
export function saysFullDisk(words: string): boolean {
  return /ENOSPC|EDQUOT|No space left on device|disk quota exceeded|disk is full/i.test(words);
}
