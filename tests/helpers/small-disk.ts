/** A file system of its own, small enough to be filled. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type SmallDisk = {
  folder: string;
  /** Whether it can be filled: without the right to mount, the folder lies on the disk of all. */
  isOwn: boolean;
  /** Takes all room that is left. @returns what gives it back */
  fill(): () => void;
  remove(): void;
};

export function makeSmallDisk(megabytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'crux-disk-'));
  const isOwn = mount(folder, megabytes);
  return {
    folder,
    isOwn,
    fill: () => {
      const ballast = join(folder, 'ballast');
      const file = openSync(ballast, 'w');
      // Down to the last block.
      for (const size of [1 << 20, 4_096]) {
        const block = Buffer.alloc(size);
        for (let written = size; written === size; ) written = writeIfRoom(file, block);
      }
      closeSync(file);
      return () => rmSync(ballast);
    },
    remove: () => {
      if (isOwn) execFileSync('umount', ['--lazy', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function mount(folder: string, megabytes: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'crux-disk', folder], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('No file system can be mounted here: no disk is filled.');
    return false;
  }
}

function writeIfRoom(file: number, block: Buffer): number {
  try {
    return writeSync(file, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return 0;
    throw error;
  }
}
