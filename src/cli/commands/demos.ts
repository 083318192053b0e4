/** The demos: bundled tasks, the models that are simulated on them, and the method that is shown. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../environments/contract.ts';
import { writeDemoLibrary } from '../../environments/deep-search/demo/demo.ts';
import { deepSearch } from '../../environments/deep-search/environment.ts';
import { writeDemoDataset } from '../../environments/intercode-sql/demo/demo.ts';
import { interCodeSql } from '../../environments/intercode-sql/environment.ts';
import { writeDemoShop } from '../../environments/webshop/demo/demo.ts';
import { webshop } from '../../environments/webshop/environment.ts';
import { simulationFromDataset } from '../../simulation/from-dataset.ts';
import { scriptedWorld } from '../../simulation/scripted-world.ts';
import type { SimulatedWorld } from '../../simulation/world.ts';
import { demoDataset, demoName } from './demo-data.ts';

export type Demo = {
  /** Name of its environment. */
  environment: string;
  method: 'cso' | 'rro';
  /** Said when it begins. */
  announcement: string;
  /** @param home folder of everything that Crux writes */
  folder(home: string): string;
  /** Makes the data set, unless it is there. */
  write(folder: string): Promise<unknown>;
  open(folder: string): Environment;
  worlds(folder: string): Promise<SimulatedWorld[]>;
};

const libraryName = 'search-demo';
const shopName = 'shop-demo';
const openShop = (data: string) => webshop({ data, name: shopName });

export const demos = {
  sql: {
    environment: demoName,
    method: 'cso',
    announcement: 'CSO on the bundled SQL tasks, with simulated policy, expert and process reward model.',
    folder: demoDataset,
    write: writeDemoDataset,
    open: (data) => interCodeSql({ data, name: demoName }),
    worlds: (folder) => simulationFromDataset(folder),
  },
  shop: {
    environment: shopName,
    method: 'rro',
    announcement: 'RRO in the bundled shop, with a simulated policy.',
    folder: (home) => join(home, 'demo', 'shop'),
    write: writeDemoShop,
    open: openShop,
    async worlds(folder) {
      const shop = openShop(folder);
      return [await scriptedWorld(shop).finally(() => shop.close?.())];
    },
  },
  search: {
    environment: libraryName,
    method: 'cso',
    announcement: 'CSO on questions about a bundled library, with simulated policy, expert and process reward model.',
    folder: (home) => join(home, 'demo', 'search'),
    write: writeDemoLibrary,
    open: (data) => deepSearch({ data, name: libraryName }),
    worlds: (folder) => simulationFromDataset(folder),
  },
} as const satisfies { [name: string]: Demo };

export type DemoName = keyof typeof demos;

/** The environments of the demos that were played. */
export function playedDemos(home: string): Environment[] {
  return Object.values(demos)
    .filter(({ folder }) => existsSync(folder(home)))
    .map(({ open, folder }) => open(folder(home)));
}
