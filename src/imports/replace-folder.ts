/**
 * A folder is written next to its place and takes it in one step. Whatever ends the writing, and whenever, the old folder is there, or the new one, or
 * the old one comes back with the next try.
 */
import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '../make-folder.ts';
import { hasMarkerEnded, ownMark } from '../temporal/process-mark.ts';

export type Replacement<Written> = {
  /** Throws if the place holds anything that must stay. Called before anything is written, and again before the place is taken. */
  assertReplaceable: () => void;
  /** Fills an empty folder. */
  write: (folder: string) => Promise<Written>;
  /** What happens to a folder that is there: `keep` leaves it, so that the first of several equal writers wins. Default: `replace`. */
  existing?: 'replace' | 'keep';
  /** What becomes of the folder that was replaced. Default: it goes. */
  handOver?: (replaced: string) => Promise<void>;
};

/** @throws what `assertReplaceable`, `write` and `handOver` throw, and what the file system says */
export async function replaceFolder<Written>(
  folder: string,
  {
    assertReplaceable,
    write,
    existing = 'replace',
    handOver = (replaced) => rm(replaced, { recursive: true, force: true }),
  }: Replacement<Written>,
): Promise<Written> {
  await clearAbandoned(folder, handOver);
  assertReplaceable();
  const mark = ownMark();
  const temporary = `${folder}.writing-${mark}`;
  const replaced = `${folder}.replaced-${mark}`;
  const firstMade = makeFolder(temporary);
  // A signal ends this process without `finally`.
  const discard = () => rmSync(temporary, { recursive: true, force: true });
  process.once('exit', discard);
  try {
    const written = await write(temporary);
    if (existing === 'replace' && existsSync(folder)) assertReplaceable();
    takePlace(temporary, folder, existing, replaced);
    if (existsSync(replaced)) await handOver(replaced);
    return written;
  } finally {
    process.off('exit', discard);
    await rm(temporary, { recursive: true, force: true });
    if (firstMade !== undefined && !existsSync(folder)) removeEmpty(dirname(temporary), firstMade);
  }
}

/** Without waiting between the two steps, so that no signal comes between them. The replaced folder comes back if nothing could take its place. */
function takePlace(temporary: string, folder: string, existing: 'replace' | 'keep', replaced: string): void {
  if (existing === 'replace' && existsSync(folder)) renameSync(folder, replaced);
  try {
    renameSync(temporary, folder);
  } catch (error) {
    if (existsSync(replaced)) renameSync(replaced, folder);
    if (existing === 'replace') throw error;
  }
}

/** What processes left that were killed: what they wrote goes, and what they had put aside comes back, or is handed over if it was replaced. */
async function clearAbandoned(folder: string, handOver: (replaced: string) => Promise<void>): Promise<void> {
  const above = dirname(folder);
  const left = (kind: string) => {
    const prefix = `${basename(folder)}.${kind}-`;
    const names = existsSync(above) ? readdirSync(above) : [];
    return names
      .filter((name) => name.startsWith(prefix) && hasMarkerEnded(name.slice(prefix.length)))
      .map((name) => join(above, name));
  };
  for (const written of left('writing')) await rm(written, { recursive: true, force: true });
  for (const replaced of left('replaced')) {
    if (existsSync(folder)) await handOver(replaced);
    else renameSync(replaced, folder);
  }
}

/** Removes folders that were made for nothing, from `folder` up to `first`. */
function removeEmpty(folder: string, first: string): void {
  for (let place = folder; place.startsWith(first); place = dirname(place)) {
    if (!existsSync(place)) continue;
    if (readdirSync(place).length > 0) return;
    rmdirSync(place);
  }
}
