/** Weights that a training begins with. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { StartWeights } from '../domain/improve/contract.ts';
import { CruxError } from '../errors.ts';
import { hashModel, stampModel } from './model-hash.ts';

/** @throws CruxError `User.NotFound` for a path where nothing is. Any other name may be one of a hub */
export function requireWeights(from: string): void {
  const isPath = isAbsolute(from) || from.startsWith('.');
  if (!isPath || existsSync(from)) return;
  throw new CruxError('User.NotFound', `There is no model ${from} to begin with.`, {
    remedy: 'Name a folder of weights, or a model of a hub.',
  });
}

/**
 * What a folder of weights holds, so that it is known again. All of it is read: on one busy core a third of a GB in a second, 14 GB in 45 s.
 * @returns the name alone for a model of a hub
 */
export async function knownWeights(from: string): Promise<StartWeights> {
  if (!isAbsolute(from)) return { from };
  // Before it is read: what is written meanwhile is then found the next time.
  const stamp = await stampModel(from);
  const files = await hashModel(from);
  return files === null ? { from } : { from, hash: files.hash, stamp };
}

/**
 * The files are read only if one was written since, or if the folder is another copy.
 * @param weights without a hash are taken as they are
 * @throws CruxError `User.NotFound` if they are not what they were
 */
export async function requireUnchanged({ from, hash, stamp }: StartWeights): Promise<void> {
  requireWeights(from);
  if (hash === undefined || (await stampModel(from)) === stamp) return;
  const files = await hashModel(from);
  if (files?.hash === hash) return;
  const now = files === null ? 'it has no files' : `its hash is ${files.hash.slice(0, 8)}, not ${hash.slice(0, 8)}`;
  throw new CruxError(
    'User.NotFound',
    `The folder ${from} was changed since the improvement began with its weights: ${now}.`,
    {
      remedy:
        'Put back what was there, to the last file, and give the same command again; or begin another improvement with what is there now, with another --run-id.',
    },
  );
}
