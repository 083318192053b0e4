import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Connection } from '../../src/environments/intercode-sql/connection.ts';
import { writeDemoDataset } from '../../src/environments/intercode-sql/demo/demo.ts';
import { listText } from '../../src/environments/intercode-sql/python-text.ts';

/** A folder that is gone after the test, or after the file when it is made outside of one. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crux-sql-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    onTestFinished(remove);
  } catch {
    process.once('exit', remove);
  }
  return folder;
}

/** The bundled demo as a dataset folder. */
export async function demoFolder(): Promise<string> {
  const folder = join(temporaryFolder(), 'demo');
  await writeDemoDataset(folder);
  return folder;
}

/** Runs queries on one database of a dataset folder and gives what an agent would read. */
export function observer(folder: string, database: string): (query: string) => string {
  const connection = new Connection(join(folder, 'databases', `${database}.sqlite`), database);
  return (query) => {
    const result = connection.run(query, { rows: 1000, characters: 100_000 });
    if (result.kind === 'error') return `Error: ${result.message}`;
    return result.kind === 'none' ? 'None' : listText(result.rows);
  };
}
