/** The benchmarks that the programs of this folder know, by the environment that a data set's folder names; SQL's name none. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Environment } from '../../src/environments/contract.ts';
import { interCodeSql } from '../../src/environments/intercode-sql/environment.ts';
import { webshop } from '../../src/environments/webshop/environment.ts';
import { simulationFromDataset } from '../../src/simulation/from-dataset.ts';
import { scriptedWorld } from '../../src/simulation/scripted-world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';

export type Benchmark = {
  open(): Environment;
  worlds(): Promise<SimulatedWorld[]>;
  /** Whether the simulated models know it by themselves, exact values of its actions included (truth.ts); else by its scripts alone. */
  isKnown: boolean;
};

export function benchmarkAt(data: string): Benchmark {
  const name = basename(data);
  const { environment } = JSON.parse(readFileSync(join(data, 'dataset.json'), 'utf8')) as { environment?: string };
  if (environment !== 'webshop') {
    const open = () => interCodeSql({ data, name });
    return { open, worlds: () => simulationFromDataset(data), isKnown: true };
  }
  const open = () => webshop({ data, name });
  return { open, worlds: async () => [await scriptedWorld(open())], isKnown: false };
}

/** Ids of the train tasks that the simulated models can work on. */
export async function tasksOf({ isKnown }: Benchmark, environment: Environment): Promise<string[]> {
  const all = (await environment.tasks()).filter(({ split }) => split === 'train');
  if (isKnown) return all.map(({ id }) => id);
  const scripts = await Promise.all(all.map(async (task) => [task.id, await environment.script!(task)] as const));
  return scripts.flatMap(([id, script]) => (script === null ? [] : [id]));
}
