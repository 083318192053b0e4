import { renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a file whole or not at all: whoever reads it meanwhile, or after this process was killed, finds the old content or the new one. Of several
 * writers at once the last one counts. Not flushed to the disk: after a power cut the file may be empty, so its readers take that for none.
 * @param mode of a new file, less the umask
 * @throws what the file system says; the old content stays
 */
export function writeWhole(path: string, content: string, mode = 0o666): void {
  const part = `${path}.${process.pid}.part`;
  try {
    writeFileSync(part, content, { mode });
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}
