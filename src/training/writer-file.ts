/**
 * `writer.json` says which process writes a folder. The store knows the supervisor; the trainer is known here, before it can do anything, whether or
 * not the store can be written. Where a folder is shared by machines, it also tells a supervisor that lost its lease that another one has come.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderNames } from '../domain/improve/contract.ts';
import { identifyProcess, isRunning, isWithinSight, type ProcessPlace } from '../temporal/process-identity.ts';
import { writeWhole } from '../write-whole.ts';
import { endGroup } from './process-group.ts';

export type Writer = {
  /** The lease's. */
  holder: string;
  /** The process that leads the trainer's group; null before it is started, or if the system does not tell. */
  trainer: ProcessPlace | null;
};

/** An orphan may be in the middle of a checkpoint. */
const orphanGraceMs = 5_000;

export function writeWriter(folder: string, writer: Writer): void {
  writeWhole(join(folder, folderNames.writer), JSON.stringify(writer), 0o600);
}

/** Null if there is none, or if it cannot be read. */
export function readWriter(folder: string): Writer | null {
  try {
    return JSON.parse(readFileSync(join(folder, folderNames.writer), 'utf8')) as Writer;
  } catch {
    return null;
  }
}

/**
 * Ends the trainer of a supervisor that was killed: nobody reads its output, and nobody knows its end.
 * @returns whether there was one
 */
export async function endOrphan(folder: string): Promise<boolean> {
  const trainer = readWriter(folder)?.trainer;
  if (!trainer || !isWithinSight(trainer)) return false;
  // While any process of a group lives, its id is given to no new process: what leads another group now was started later.
  if (!isRunning(trainer) && identifyProcess(trainer.pid) !== null) return false;
  return endGroup(trainer, orphanGraceMs);
}
