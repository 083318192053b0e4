import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSearchWorld } from './search/search-world.ts';
import { loadSqlWorld } from './sql/sql-world.ts';
import type { SimulatedWorld } from './world.ts';

/**
 * Worlds for dataset folders, one each, in their order.
 * @throws CruxError `User.NotFound` for a folder that holds no readable dataset; `User.Config` for one about which simulated models know nothing
 */
export async function simulationFromDataset(...folders: string[]): Promise<SimulatedWorld[]> {
  return Promise.all(
    folders.map(async (folder) => (isOfSearch(folder) ? loadSearchWorld(folder) : await loadSqlWorld(folder))),
  );
}

/** Datasets of SQL name no environment. */
function isOfSearch(folder: string): boolean {
  try {
    const content = JSON.parse(readFileSync(join(folder, 'dataset.json'), 'utf8')) as { environment?: unknown };
    return content.environment === 'deep-search';
  } catch {
    return false;
  }
}
