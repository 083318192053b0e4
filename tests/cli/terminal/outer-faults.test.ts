// Layer: what the system refuses, as commands report it.
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ServiceError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { CommandFailed, exitCodeOf } from '../../../src/cli/terminal/errors.ts';
import { asOuterFault } from '../../../src/cli/terminal/outer-faults.ts';
import { makeFolder } from '../../../src/make-folder.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('what the system refuses', () => {
  it.skipIf(!existsSync('/dev/full'))('is a full disk where a file finds no room, and no defect', () => {
    const error = thrownBy(() => writeFileSync('/dev/full', 'row'));
    expect(asOuterFault(error)).toMatchObject({ kind: 'Disk.Full', message: expect.stringContaining('ENOSPC') });
    expect(exitCodeOf(new Error('The export failed.', { cause: error }))).toBe(4);
  });

  it.skipIf(!existsSync('/proc'))('is a folder that cannot be made, and no defect', () => {
    const error = thrownBy(() => makeFolder('/proc/nope/home'));
    expect(asOuterFault(error)).toMatchObject({
      kind: 'Disk.Unavailable',
      message: expect.stringContaining("mkdir '/proc/nope'"),
    });
  });

  it('is a full disk where a database finds no room', () => {
    const database = new DatabaseSync(join(mkdtempSync(join(tmpdir(), 'crux-full-')), 'full.db'));
    database.exec('PRAGMA page_size = 512; PRAGMA max_page_count = 3; CREATE TABLE t (x)');
    const error = thrownBy(() => database.exec('INSERT INTO t VALUES (hex(randomblob(100000)))'));
    database.close();
    expect(asOuterFault(error)).toMatchObject({ kind: 'Disk.Full' });
  });

  it('is a file that cannot be written, where it is one', () => {
    const error = thrownBy(() => writeFileSync(tmpdir(), 'row'));
    expect(asOuterFault(error)).toMatchObject({ kind: 'Disk.Unavailable', message: expect.stringContaining(tmpdir()) });
    expect(exitCodeOf(error)).toBe(4);
  });

  it("is the server's disk where Temporal says so, and Temporal's own fault otherwise", () => {
    const said = (words: string) => new ServiceError('Failed to start Workflow', { cause: new Error(words) });
    expect(asOuterFault(said('13 INTERNAL: database or disk is full'))).toMatchObject({ kind: 'Disk.Full' });
    expect(asOuterFault(said('14 UNAVAILABLE: connection refused'))).toMatchObject({
      kind: 'Temporal.Unavailable',
      message: expect.stringContaining('connection refused'),
    });
    expect(exitCodeOf(said('14 UNAVAILABLE'))).toBe(4);
  });

  it('leaves everything else as it is: a defect stays one, and an interruption too', () => {
    const defect = new TypeError('x is not a function');
    expect(asOuterFault(defect)).toBe(defect);
    expect(exitCodeOf(defect)).toBe(1);
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
    expect(exitCodeOf(new CommandFailed('Interrupted.', 130, full))).toBe(130);
  });
});
