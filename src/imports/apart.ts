/** An import must not write where it reads. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { CruxError } from '../errors.ts';

/** @throws CruxError `User.Config` when one folder is the other or lies in it */
export function assertApart(from: string, into: string): void {
  const [source, target] = [realPath(from), realPath(into)];
  const holds = (folder: string, other: string) => other === folder || other.startsWith(`${folder}${sep}`);
  if (!holds(source, target) && !holds(target, source)) return;
  const what =
    source === target
      ? `${from} is the folder that the import would write.`
      : `The folder ${from} that is read and ${into} that is written lie one in the other.`;
  throw new CruxError('User.Config', what, { remedy: 'Put the files of the benchmark into a folder of their own.' });
}

/** Resolves a folder that need not exist: follows links in the existing part of its path. */
function realPath(folder: string): string {
  const path = resolve(folder);
  if (existsSync(path) || dirname(path) === path) return realpathSync(path);
  return join(realPath(dirname(path)), basename(path));
}
