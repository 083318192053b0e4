/** Datasets that come with Crux, made through the importer that a user's files go through. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type BundledDataset = {
  /** Names its content, so that a dataset of another version is made anew. */
  source: string;
  read(folder: string): { source: string };
  /** Writes the files to import into a folder, and imports them. */
  make(from: string): Promise<unknown>;
};

/** Does nothing if the folder has it already. */
export async function makeBundled(folder: string, { source, read, make }: BundledDataset): Promise<void> {
  if (isPresent()) return;
  const from = await mkdtemp(join(tmpdir(), 'crux-demo-'));
  try {
    await make(from);
  } finally {
    await rm(from, { recursive: true, force: true });
  }

  function isPresent(): boolean {
    try {
      return read(folder).source === source;
    } catch {
      return false;
    }
  }
}
