/** Weights that a training begins with. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { CruxError } from '../errors.ts';

/** @throws CruxError `User.NotFound` for a path where nothing is. Any other name may be one of a hub */
export function requireWeights(from: string): void {
  const isPath = isAbsolute(from) || from.startsWith('.');
  if (!isPath || existsSync(from)) return;
  throw new CruxError('User.NotFound', `There is no model ${from} to begin with.`, {
    remedy: 'Name a folder of weights, or a model of a hub.',
  });
}
