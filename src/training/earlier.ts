/**
 * The folder of a training that begins may hold another one's: of an improvement of the same id that was deleted, or that another store knows. Its model,
 * checkpoints and canary would pass for those of the new one.
 */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { folderNames } from '../domain/improve/contract.ts';
import { CruxError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import type { Trainings } from '../store/trainings.ts';
import { isRunning, isWithinSight } from '../temporal/process-identity.ts';
import { readWriter } from './writer-file.ts';

const ofEarlier = /^earlier-(\d+)$/;

/**
 * Moves all but the rows, which are exported anew, into a folder `earlier-<n>` in it, and forgets what the store knows of it.
 * @param folder of a training that has not begun
 * @returns that folder; null if there was nothing to move
 * @throws CruxError `Train.Failed` while another training is at work there
 */
export async function setAsideEarlier(folder: string, trainings: Trainings): Promise<string | null> {
  const trainer = readWriter(folder)?.trainer;
  if (trainer && isWithinSight(trainer) && isRunning(trainer)) {
    throw new CruxError('Train.Failed', `Another training is at work in ${folder}: process ${trainer.pid}.`, {
      remedy: 'Wait for its end, or cancel its improvement; then give the same command again.',
    });
  }
  await trainings.forget(folder);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const left = names.filter((name) => name !== folderNames.data && !ofEarlier.test(name));
  if (left.length === 0) return null;
  const numbers = names.map((name) => Number(ofEarlier.exec(name)?.[1] ?? 0));
  const place = join(folder, `earlier-${1 + Math.max(...numbers)}`);
  makeFolder(place);
  for (const name of left) renameSync(join(folder, name), join(place, name));
  return place;
}
